import { AttuneError, type Tokenizer } from '@attune/core'
import type { Constraint } from './constraint.js'
import type { GenerationOptions } from './options.js'
import { penalise } from './warp.js'
import type { Writer } from './writer.js'

/** What is to be written, for a search to do. */
export interface Task {
  readonly writer: Writer
  readonly tokenizer: Tokenizer
  readonly prompts: readonly (readonly number[])[]
  readonly options: GenerationOptions
  /** The tokens that end a text. */
  readonly ends: ReadonlySet<number>
  readonly constraint?: Constraint | undefined
  /** Whether to stop before the next token. */
  stopped(): boolean
}

/** How many tokens a prompt leaves room for. */
export const roomFor = ({ writer, options }: Task, prompt: readonly number[]): number =>
  writer.model.config['is_encoder_decoder'] === true
    ? Math.min(options.maximumNewTokens, writer.model.maximumLength - 1)
    : Math.min(options.maximumNewTokens, writer.model.maximumLength - prompt.length)

/** The most room that any of the prompts has. */
export const mostRoom = (task: Task): number => Math.max(...task.prompts.map((prompt) => roomFor(task, prompt)))

/** What the decoder has read before it writes: the prompt, or the start token where an encoder reads the prompt. */
export const readBefore = ({ writer: { model } }: Task, prompt: readonly number[]): readonly number[] =>
  model.config['is_encoder_decoder'] === true ? [Number(model.config['decoder_start_token_id'] ?? 0)] : prompt

/** A text in the making. */
export interface Row {
  readonly prompt: readonly number[]
  readonly written: readonly number[]
  /** Where the constraint is. */
  readonly state: number
}

/**
 * Logits with the penalties, without ends that come too soon and without what the constraint forbids; changes `logits`.
 * @throws AttuneError `NOTHING_ALLOWED` if no token is left
 */
export function restrict(task: Task, logits: Float32Array, row: Row): void {
  const { options, ends, constraint } = task
  penalise(logits, { read: readBefore(task, row.prompt), written: row.written }, options)
  if (row.written.length < options.minimumNewTokens) for (const end of ends) logits[end] = -Infinity
  if (constraint === undefined) return
  const allowed = constraint.allowed(row.state, roomFor(task, row.prompt) - row.written.length)
  for (let id = 0; id < logits.length; id++) if (allowed[id] !== 1) logits[id] = -Infinity
  if (!logits.some((x) => x > -Infinity))
    throw new AttuneError(
      'NOTHING_ALLOWED',
      `after ${row.written.length} tokens no token is both allowed by the constraint and late enough to end the text`,
      'Lower `minimumNewTokens`, or loosen the constraint.',
    )
}
