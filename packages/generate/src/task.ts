import { AttuneError, type Tokenizer } from '@attune/core'
import type { Constraint } from './constraint.js'
import type { GenerationOptions } from './options.js'
import { applyRules } from './rules.js'
import { applyPenalties } from './warp.js'
import type { CompiledDecoder } from './compiled-decoder.js'

/** A generation request, as a search algorithm takes it. */
export interface Task {
  readonly decoder: CompiledDecoder
  readonly tokenizer: Tokenizer
  readonly prompts: readonly (readonly number[])[]
  readonly options: GenerationOptions
  /** End-of-sequence (EOS) tokens. */
  readonly ends: ReadonlySet<number>
  readonly constraint?: Constraint | undefined
  /** True if generation should stop before the next token. */
  stopped(): boolean
}

/** The decoder's prompt: the prompt itself, or the start token if an encoder reads the prompt. */
export const decoderPrompt = ({ decoder: { model } }: Task, prompt: readonly number[]): readonly number[] =>
  model.config['is_encoder_decoder'] === true ? [Number(model.config['decoder_start_token_id'] ?? 0)] : prompt

/** Number of tokens that may be generated after a prompt. */
export function roomFor(task: Task, prompt: readonly number[]): number {
  const { options, decoder } = task
  const before = decoderPrompt(task, prompt).length
  const requested = Math.max(1, Math.min(options.maximumNewTokens, (options.maximumLength ?? Infinity) - before))
  return Math.min(requested, decoder.model.maximumLength - before)
}

/** The largest {@link roomFor} over all prompts. */
export const largestRoom = (task: Task): number => Math.max(...task.prompts.map((prompt) => roomFor(task, prompt)))

/** A sequence being generated. */
export interface PartialSequence {
  readonly prompt: readonly number[]
  readonly generated: readonly number[]
  /** State of the constraint. */
  readonly state: number
}

/**
 * Applies the penalties, the token rules of the options and the constraint to `logits` in place.
 * @throws AttuneError `NOTHING_ALLOWED` if no token is left
 */
export function restrict(task: Task, logits: Float32Array, row: PartialSequence): void {
  const { options, ends, constraint } = task
  const { generated } = row
  const [prompt, room] = [decoderPrompt(task, row.prompt), roomFor(task, row.prompt)]
  const allowed = constraint?.allowed(row.state, room - generated.length)
  applyPenalties(logits, { prompt, generated }, options)
  applyRules(logits, { prompt, generated, room }, ends, options, allowed)
  if (allowed !== undefined) for (let id = 0; id < logits.length; id++) if (allowed[id] !== 1) logits[id] = -Infinity
  if (!logits.some((x) => x > -Infinity))
    throw new AttuneError(
      'NOTHING_ALLOWED',
      `the options and the constraint together allow no token after ${generated.length} generated tokens`,
      'Lower `minimumNewTokens`, ban fewer tokens, or loosen the constraint.',
    )
}
