import type { Engine, Model, Tokenizer } from '@attune/core'
import { Observable } from 'rxjs'
import { beams } from './beams.js'
import type { Constraint } from './constraint.js'
import { contrastive } from './contrastive.js'
import { type Weights, type CompiledDecoder, writer } from './compiled-decoder.js'
import type { GenerationEvent } from './events.js'
import { type GenerationDefaults, withDefaults } from './generation-config.js'
import { type GenerationOptions, generationOptions } from './options.js'
import { sample } from './sample.js'
import { looksAhead, sampleAhead } from './sample-ahead.js'
import type { Task } from './task.js'

/** What writes: all of it stays the caller's. */
export interface GeneratorComponents {
  readonly engine: Engine
  readonly model: Model
  /** A function where they change, as in training: it is called when a text begins. */
  readonly params: Weights
  readonly tokenizer: Tokenizer
  /** What is not said with a text is as these say, as far as they do. */
  readonly defaults?: GenerationDefaults | undefined
}

/** Writes texts, as often as it is asked, with what it compiled once. */
export interface Generator {
  /**
   * Goes on from prompts, all in one batch. The Observable is cold: each subscription writes anew; one that is cancelled
   * stops after the token in the making.
   * @throws AttuneError `BAD_OPTIONS`, and as errors of the Observable `PROMPT_LENGTH`, `NOTHING_ALLOWED`
   */
  write(
    prompts: readonly (string | readonly number[])[],
    options?: Partial<GenerationOptions>,
    constraint?: Constraint,
  ): Observable<GenerationEvent>
  close(): void
}

/** The tokens that end a text: as the defaults say, else the model's config, else the tokenizer. */
export function endTokens({
  model,
  tokenizer,
  defaults,
}: Pick<GeneratorComponents, 'model' | 'tokenizer' | 'defaults'>): ReadonlySet<number> {
  if (defaults?.options.endTokenIds !== undefined) return new Set(defaults.options.endTokenIds)
  const said = model.config['eos_token_id']
  if (typeof said === 'number') return new Set([said])
  if (Array.isArray(said)) return new Set(said as number[])
  return new Set(tokenizer.special.end === undefined ? [] : [tokenizer.special.end])
}

/** A prompt's tokens, without the one that the template ends a text with: it is to be gone on from. */
function promptIds({ tokenizer, model }: GeneratorComponents, prompt: string | readonly number[]): readonly number[] {
  if (typeof prompt !== 'string') return prompt
  const { ids } = tokenizer.encode(prompt)
  const reads = model.config['is_encoder_decoder'] === true
  return !reads && ids.length > 1 && ids.at(-1) === tokenizer.special.end ? ids.slice(0, -1) : ids
}

function search(task: Task): AsyncGenerator<GenerationEvent, void> {
  if (task.options.beams > 1) return beams(task)
  if (task.options.degenerationPenalty > 0) return contrastive(task)
  return looksAhead(task) ? sampleAhead(task) : sample(task)
}

/** Runs a search for as long as somebody listens. */
const observed = (task: (stopped: () => boolean) => Task): Observable<GenerationEvent> =>
  new Observable((subscriber) => {
    const run = async (): Promise<void> => {
      for await (const event of search(task(() => subscriber.closed))) subscriber.next(event)
    }
    run().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    )
  })

/**
 * Prepares a model for writing: compiles nothing yet, but keeps what it compiles from one text to the next.
 * @throws AttuneError `NOT_A_WRITER` if the model does not go on with texts
 */
export function generator(parts: GeneratorComponents): Generator {
  const { decoderStartTokenId: start, options: defaults = {} } = parts.defaults ?? {}
  const config = { ...parts.model.config, ...(start === undefined ? {} : { decoder_start_token_id: start }) }
  const write: CompiledDecoder = writer(parts.engine, { ...parts.model, config }, parts.params)
  return {
    write(prompts, given = {}, constraint) {
      const options = generationOptions.parse(withDefaults(given, defaults))
      const ends = options.endTokenIds === undefined ? endTokens(parts) : new Set(options.endTokenIds)
      const ids = prompts.map((prompt) => promptIds(parts, prompt))
      return observed((stopped) => ({
        writer: write,
        tokenizer: parts.tokenizer,
        prompts: ids,
        options,
        ends,
        constraint,
        stopped,
      }))
    },
    close: () => write.close(),
  }
}
