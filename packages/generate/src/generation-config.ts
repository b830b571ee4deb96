import { AttuneError, excerpt } from '@attune/core'
import { type GenerationOptions, LAST_TOKEN_ID, generationOptions } from './options.js'

/** What a `generation_config.json` of the Hugging Face library asks for. */
export interface GenerationDefaults {
  /** The options that it sets. */
  readonly options: Partial<GenerationOptions>
  /** The token that an encoder–decoder begins with, where it says so. */
  readonly decoderStartTokenId?: number
  /** Settings in it that would change what is written and that Attune has no option for. */
  readonly ignored: readonly string[]
}

type Config = Readonly<Record<string, unknown>>

/** The options that have another name there and the same meaning. */
const SAME: Readonly<Record<string, keyof GenerationOptions>> = {
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

/** More than any model writes: a length in all is what counts then. */
const MOST_TOKENS = 1_000_000

/** What is one token there where it is a list here. */
const LISTS = new Set<keyof GenerationOptions>(['endTokenIds', 'forcedEosTokenIds'])

/** Settings that nothing here has, with the value at which they change nothing. */
const UNKNOWN: Readonly<Record<string, unknown>> = {
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

/** The value of an option, as it is here; nothing where it says nothing. */
function valueOf(option: keyof GenerationOptions, value: unknown): unknown {
  if (value === null || value === undefined) return undefined
  return LISTS.has(option) && !Array.isArray(value) ? [value] : value
}

/** Whether a setting says something that is not followed. */
const matters = (value: unknown, idle: unknown): boolean =>
  value !== undefined && value !== null && value !== idle && !(Array.isArray(value) && value.length === 0)

/** What drawing, or not, comes to: the library draws at temperature 1 among the 50 likeliest where the file says no more. */
function drawn(config: Config): Partial<Record<keyof GenerationOptions, unknown>> {
  const { num_beams: beams } = config
  if (config['do_sample'] !== true || (typeof beams === 'number' && beams > 1)) return {}
  return { temperature: config['temperature'] ?? 1, topK: config['top_k'] ?? 50 }
}

/**
 * The options that a `generation_config.json` asks for. Temperatures count where it says `do_sample`; a length in all gives way to
 * a number of new tokens.
 * @param where what to call the file in errors
 * @throws AttuneError `BAD_GENERATION_CONFIG` for a value that the option does not take
 */
export function generationDefaults(config: Config, where: string): GenerationDefaults {
  const early = config['early_stopping'] === 'never' ? ['early_stopping'] : []
  const said = Object.entries(SAME).flatMap(([name, option]) => {
    const value = early.includes(name) ? undefined : valueOf(option, config[name])
    return value === undefined ? [] : [[option, value] as const]
  })
  const { maximumLength, ...others } = { ...Object.fromEntries(said), ...drawn(config) } as Record<string, unknown>
  const counted = others['maximumNewTokens'] !== undefined || maximumLength === undefined
  const options = counted ? others : { ...others, maximumLength, maximumNewTokens: MOST_TOKENS }
  const refuse = (why: string): AttuneError =>
    new AttuneError(
      'BAD_GENERATION_CONFIG',
      `${where}: ${why}`,
      'Correct the file, or take it away: the model then writes with the defaults.',
    )
  const parsed = generationOptions.safeParse(options)
  const issue = parsed.error?.issues[0]
  if (issue !== undefined) throw refuse(`${issue.path.join('.')}: ${issue.message}`)
  const start = config['decoder_start_token_id']
  if (typeof start === 'number' && !(Number.isInteger(start) && start >= 0 && start <= LAST_TOKEN_ID))
    throw refuse(`decoder_start_token_id: expected the id of a token, got ${excerpt(start)}`)
  const unknown = Object.entries(UNKNOWN).filter(([name, idle]) => matters(config[name], idle))
  return {
    options: options as Partial<GenerationOptions>,
    ...(typeof start === 'number' ? { decoderStartTokenId: start } : {}),
    ignored: [...early, ...unknown.map(([name]) => name)],
  }
}

/**
 * Options that are given, over those of a model. Where two contradict each other the given one counts: beams for a temperature or
 * for guessing ahead, a number of new tokens for a length in all.
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
    ...(given.maximumLength === undefined ? {} : { maximumNewTokens: MOST_TOKENS }),
    ...given,
  }
}
