import { AttuneError, type Tokenizer } from '@attune/core'
import type { Constraint } from './constraint.js'
import type { GenerationOptions } from './options.js'
import { applyRules } from './rules.js'
import { penalise } from './warp.js'
import type { CompiledDecoder } from './compiled-decoder.js'

/** What is to be written, for a search to do. */
export interface Task {
  readonly writer: CompiledDecoder
  readonly tokenizer: Tokenizer
  readonly prompts: readonly (readonly number[])[]
  readonly options: GenerationOptions
  /** The tokens that end a text. */
  readonly ends: ReadonlySet<number>
  readonly constraint?: Constraint | undefined
  /** Whether to stop before the next token. */
  stopped(): boolean
}

/** What the decoder has read before it writes: the prompt, or the start token where an encoder reads the prompt. */
export const readBefore = ({ writer: { model } }: Task, prompt: readonly number[]): readonly number[] =>
  model.config['is_encoder_decoder'] === true ? [Number(model.config['decoder_start_token_id'] ?? 0)] : prompt

/** How many tokens a prompt leaves room for. */
export function roomFor(task: Task, prompt: readonly number[]): number {
  const { options, writer } = task
  const before = readBefore(task, prompt).length
  const asked = Math.max(1, Math.min(options.maximumNewTokens, (options.maximumLength ?? Infinity) - before))
  return Math.min(asked, writer.model.maximumLength - before)
}

/** The most room that any of the prompts has. */
export const mostRoom = (task: Task): number => Math.max(...task.prompts.map((prompt) => roomFor(task, prompt)))

/** A text in the making. */
export interface Row {
  readonly prompt: readonly number[]
  readonly written: readonly number[]
  /** Where the constraint is. */
  readonly state: number
}

/**
 * Logits with the penalties, without what the options and the constraint forbid; changes `logits`.
 * @throws AttuneError `NOTHING_ALLOWED` if no token is left
 */
export function restrict(task: Task, logits: Float32Array, row: Row): void {
  const { options, ends, constraint } = task
  const { written } = row
  const [read, room] = [readBefore(task, row.prompt), roomFor(task, row.prompt)]
  const allowed = constraint?.allowed(row.state, room - written.length)
  penalise(logits, { read, written }, options)
  applyRules(logits, { read, written, room }, ends, options, allowed)
  if (allowed !== undefined) for (let id = 0; id < logits.length; id++) if (allowed[id] !== 1) logits[id] = -Infinity
  if (!logits.some((x) => x > -Infinity))
    throw new AttuneError(
      'NOTHING_ALLOWED',
      `after ${written.length} tokens no token is allowed by the options and the constraint together`,
      'Lower `minimumNewTokens`, forbid less, or loosen the constraint.',
    )
}
