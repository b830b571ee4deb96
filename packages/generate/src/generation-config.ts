import { AttuneError, describeIssues, excerpt } from '@attune/core'
import { type GenerationOptions, LAST_TOKEN_ID, generationOptions } from './options.js'

/** Options from a transformers `generation_config.json`. */
export interface GenerationDefaults {
  /** Options that the file sets. */
  readonly options: Partial<GenerationOptions>
  /** Decoder start token of an encoder–decoder, if the file sets it. */
  readonly decoderStartTokenId?: number
  /** Settings of the file that affect the output and that Attune does not support. */
  readonly unsupported: readonly string[]
}

type Config = Readonly<Record<string, unknown>>

/** Options with the same meaning, by their name in transformers. */
const OPTION_NAMES: Readonly<Record<string, keyof GenerationOptions>> = {
  max_new_tokens: 'maximumNewTokens',
  min_new_tokens: 'minimumNewTokens',
  max_length: 'maximumLength',
  min_length: 'minimumLength',
  top_k: 'topK',
  top_p: 'topP',
  min_p: 'minP',
  repetition_penalty: 'repetitionPenalty',
  no_repeat_ngram_size: 'noRepeatNgramSize',
  bad_words_ids: 'badWordsIds',
  forced_bos_token_id: 'forcedBosTokenId',
  forced_eos_token_id: 'forcedEosTokenIds',
  eos_token_id: 'endTokenIds',
  num_beams: 'beams',
  num_beam_groups: 'beamGroups',
  diversity_penalty: 'diversityPenalty',
  length_penalty: 'lengthPenalty',
  early_stopping: 'earlyStopping',
  prompt_lookup_num_tokens: 'promptLookupTokens',
}

/** Effectively unlimited: used where the total length is limited instead. */
const MAX_TOKENS = 1_000_000

/** Options that are lists here and may be a single token in the file. */
const LIST_OPTIONS = new Set<keyof GenerationOptions>(['endTokenIds', 'forcedEosTokenIds'])

/** Unsupported settings, with the value that has no effect. */
const UNSUPPORTED: Readonly<Record<string, unknown>> = {
  penalty_alpha: 0,
  typical_p: 1,
  epsilon_cutoff: 0,
  eta_cutoff: 0,
  top_h: undefined,
  encoder_repetition_penalty: 1,
  encoder_no_repeat_ngram_size: 0,
  suppress_tokens: undefined,
  begin_suppress_tokens: undefined,
  sequence_bias: undefined,
  exponential_decay_length_penalty: undefined,
  guidance_scale: 1,
  watermarking_config: undefined,
  force_words_ids: undefined,
  constraints: undefined,
}

/** Value of an option; `undefined` if the file does not set it. */
function valueOf(option: keyof GenerationOptions, value: unknown): unknown {
  if (value === null || value === undefined) return undefined
  return LIST_OPTIONS.has(option) && !Array.isArray(value) ? [value] : value
}

/** True if an unsupported setting has an effect. */
const matters = (value: unknown, neutral: unknown): boolean =>
  value !== undefined && value !== null && value !== neutral && !(Array.isArray(value) && value.length === 0)

/** Sampling options. The defaults of transformers with `do_sample` are temperature 1 and top-k 50. */
function samplingOptions(config: Config): Partial<Record<keyof GenerationOptions, unknown>> {
  const { num_beams: beams } = config
  if (config['do_sample'] !== true || (typeof beams === 'number' && beams > 1)) return {}
  return { temperature: config['temperature'] ?? 1, topK: config['top_k'] ?? 50 }
}

/**
 * Returns the options that a `generation_config.json` sets. The temperature counts only with `do_sample`; `max_new_tokens`
 * overrides `max_length`.
 * @param where name of the file in errors
 * @throws AttuneError `BAD_GENERATION_CONFIG` for an invalid value
 */
export function generationDefaults(config: Config, where: string): GenerationDefaults {
  const ignoredEarlyStopping = config['early_stopping'] === 'never' ? ['early_stopping'] : []
  const known = Object.entries(OPTION_NAMES).flatMap(([name, option]) => {
    const value = ignoredEarlyStopping.includes(name) ? undefined : valueOf(option, config[name])
    return value === undefined ? [] : [[option, value] as const]
  })
  const { maximumLength, ...others } = { ...Object.fromEntries(known), ...samplingOptions(config) } as Record<
    string,
    unknown
  >
  const limitsNewTokens = others['maximumNewTokens'] !== undefined || maximumLength === undefined
  const options = limitsNewTokens ? others : { ...others, maximumLength, maximumNewTokens: MAX_TOKENS }
  const refuse = (why: string): AttuneError =>
    new AttuneError(
      'BAD_GENERATION_CONFIG',
      `${where}: ${why}`,
      'Correct the file, or remove it to generate with the default options.',
    )
  const parsed = generationOptions.safeParse(options)
  if (!parsed.success)
    throw refuse(describeIssues(generationOptions, parsed.error, options)[0]!.replace(/^`([^`]*)`/, '$1'))
  const start = config['decoder_start_token_id']
  if (typeof start === 'number' && !(Number.isInteger(start) && start >= 0 && start <= LAST_TOKEN_ID))
    throw refuse(`decoder_start_token_id: expected a token id from 0 to ${LAST_TOKEN_ID}, got ${excerpt(start)}`)
  const unsupported = Object.entries(UNSUPPORTED).filter(([name, neutral]) => matters(config[name], neutral))
  return {
    options: options as Partial<GenerationOptions>,
    ...(typeof start === 'number' ? { decoderStartTokenId: start } : {}),
    unsupported: [...ignoredEarlyStopping, ...unsupported.map(([name]) => name)],
  }
}

/**
 * Merges given options over those of a model. Of conflicting options the given one counts: beam search over a temperature or
 * prompt-lookup decoding, a number of new tokens over a total length.
 */
export function withDefaults(
  given: Partial<GenerationOptions>,
  defaults: Partial<GenerationOptions>,
): Partial<GenerationOptions> {
  const searches = (given.beams ?? 1) > 1 || (given.degenerationPenalty ?? 0) > 0
  const noBeams = (given.temperature ?? 0) > 0 || (given.promptLookupTokens ?? 0) > 0 || searches
  const { temperature, beams, beamGroups, promptLookupTokens, maximumLength, ...others } = defaults
  return {
    ...others,
    ...(searches || temperature === undefined ? {} : { temperature }),
    ...(searches || promptLookupTokens === undefined ? {} : { promptLookupTokens }),
    ...(noBeams || beams === undefined ? {} : { beams }),
    ...(noBeams || given.beams !== undefined || beamGroups === undefined ? {} : { beamGroups }),
    ...(given.maximumNewTokens !== undefined || maximumLength === undefined ? {} : { maximumLength }),
    ...(given.maximumLength === undefined ? {} : { maximumNewTokens: MAX_TOKENS }),
    ...given,
  }
}
