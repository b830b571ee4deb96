import { AttuneError, type Engine, type Model, type Tokenizer, describeIssues, excerpt } from '@attune/core'
import { Observable } from 'rxjs'
import { beams } from './beams.js'
import type { Constraint } from './constraint.js'
import { contrastive } from './contrastive.js'
import { type Weights, type CompiledDecoder, compileDecoder } from './compiled-decoder.js'
import type { GenerationEvent } from './events.js'
import { type GenerationDefaults, withDefaults } from './generation-config.js'
import { type GenerationOptions, generationOptions } from './options.js'
import { sample } from './sample.js'
import { usesPromptLookup, speculative } from './speculative.js'
import type { Task } from './task.js'

/** Components of a generator. The caller keeps ownership of them. */
export interface GeneratorComponents {
  readonly engine: Engine
  readonly model: Model
  /** Weights, or a function that returns them if they change, as in training; it is called when generation starts. */
  readonly params: Weights
  readonly tokenizer: Tokenizer
  /** Options used where a call does not set them, typically from {@link generationDefaults}. */
  readonly defaults?: GenerationDefaults | undefined
}

/** Text generator; compiled programs are reused between calls. */
export interface Generator {
  /**
   * Generates a continuation of each prompt; all prompts run in one batch. The Observable is cold: each subscription generates
   * again, and unsubscribing stops after the current token.
   * @throws AttuneError `BAD_OPTIONS`, `BAD_ARGUMENT`; the Observable fails with `PROMPT_LENGTH` or `NOTHING_ALLOWED`
   */
  generate(
    prompts: readonly (string | readonly number[])[],
    options?: Partial<GenerationOptions>,
    constraint?: Constraint,
  ): Observable<GenerationEvent>
  close(): void
}

/** End-of-sequence (EOS) tokens: those of the defaults, else of the model's config, else of the tokenizer. */
export function endTokens({
  model,
  tokenizer,
  defaults,
}: Pick<GeneratorComponents, 'model' | 'tokenizer' | 'defaults'>): ReadonlySet<number> {
  if (defaults?.options.endTokenIds !== undefined) return new Set(defaults.options.endTokenIds)
  const configured = model.config['eos_token_id']
  if (typeof configured === 'number') return new Set([configured])
  if (Array.isArray(configured)) return new Set(configured as number[])
  return new Set(tokenizer.special.end === undefined ? [] : [tokenizer.special.end])
}

/** @throws AttuneError `BAD_OPTIONS` with all errors at once */
function parseOptions(given: Partial<GenerationOptions>): GenerationOptions {
  const parsed = generationOptions.safeParse(given)
  if (parsed.success) return parsed.data
  throw new AttuneError(
    'BAD_OPTIONS',
    `generate: ${describeIssues(generationOptions, parsed.error, given).join('; ')}`,
    'Correct the options of the generation; `npx attune generate --help` lists them with their ranges.',
  )
}

/** @throws AttuneError `BAD_ARGUMENT` for a prompt that is not a list of token ids of the model */
function requireIds(prompt: readonly number[], size: number): readonly number[] {
  const isKnown = (id: unknown): boolean => Number.isInteger(id) && (id as number) >= 0 && (id as number) < size
  const wrong: unknown = Array.isArray(prompt) ? prompt.find((id) => !isKnown(id)) : prompt
  if (Array.isArray(prompt) && wrong === undefined) return prompt
  throw new AttuneError(
    'BAD_ARGUMENT',
    `generate: expected a text or token ids from 0 to ${size - 1} as a prompt, got ${excerpt(wrong)}`,
    "Pass the ids of the model's own tokenizer: tokenizer.encode(text).ids.",
  )
}

/** @throws AttuneError `BAD_ARGUMENT` for anything but a list of prompts */
function requirePrompts(prompts: unknown): void {
  if (Array.isArray(prompts) && prompts.length > 0) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    `generate: expected a list of at least one prompt, got ${excerpt(prompts)}`,
    "Pass a list: generate(['a prompt']).",
  )
}

/**
 * Token ids of a prompt. A source text of an encoder–decoder ends with the end token, as in training, whether or not the tokenizer's template
 * appends it, unless it already has the maximum length; a prompt of a decoder does not, since it is to be continued.
 */
function promptIds({ tokenizer, model }: GeneratorComponents, prompt: string | readonly number[]): readonly number[] {
  if (typeof prompt !== 'string') return requireIds(prompt, model.vocabularySize ?? tokenizer.vocabularySize)
  const { ids } = tokenizer.encode(prompt)
  const { end } = tokenizer.special
  const isEnded = end === undefined || ids.at(-1) === end
  if (model.config['is_encoder_decoder'] === true)
    return isEnded || ids.length >= model.maximumLength ? ids : [...ids, end]
  return ids.at(-1) === end && ids.length > 1 ? ids.slice(0, -1) : ids
}

function search(task: Task): AsyncGenerator<GenerationEvent, void> {
  if (task.options.beams > 1) return beams(task)
  if (task.options.degenerationPenalty > 0) return contrastive(task)
  return usesPromptLookup(task) ? speculative(task) : sample(task)
}

/** Runs a search for as long as the Observable has a subscriber. */
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
 * Creates a text generator. Programs are compiled at their first use and kept until `close`.
 * @throws AttuneError `NOT_A_WRITER` if the model cannot generate text
 *
 * @example
 * ```ts
 * import { key } from '@attune/core'
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { generator } from '@attune/generate'
 * import { gpt2 } from '@attune/model-gpt2'
 * import { tinyTokenizer } from '@attune/testkit/tiny'
 * import { lastValueFrom } from 'rxjs'
 * const [engine, tokenizer] = [tfjsCpu(), tinyTokenizer()]
 * await engine.start()
 * const model = gpt2({ vocabSize: tokenizer.vocabularySize, nEmbd: 8, nLayer: 1, nHead: 2, nPositions: 32 })
 * const writer = generator({ engine, model, params: model.init(key(1)), tokenizer })
 * const last = await lastValueFrom(writer.generate(['a prompt'], { maximumNewTokens: 5 }))
 * console.log(last.type, last.row) // finished 0
 * writer.close()
 * ```
 */
export function generator(components: GeneratorComponents): Generator {
  const { decoderStartTokenId: start, options: defaults = {} } = components.defaults ?? {}
  const config = { ...components.model.config, ...(start === undefined ? {} : { decoder_start_token_id: start }) }
  const decoder: CompiledDecoder = compileDecoder(components.engine, { ...components.model, config }, components.params)
  return {
    generate(prompts, given = {}, constraint) {
      requirePrompts(prompts)
      const options = parseOptions(withDefaults(given, defaults))
      const ends = options.endTokenIds === undefined ? endTokens(components) : new Set(options.endTokenIds)
      const ids = prompts.map((prompt) => promptIds(components, prompt))
      return observed((stopped) => ({
        decoder,
        tokenizer: components.tokenizer,
        prompts: ids,
        options,
        ends,
        constraint,
        stopped,
      }))
    },
    close: () => decoder.close(),
  }
}
