import { type ChosenIn, choosePlugins, isFound, parseConfig } from '@attune/core'
import { type SearchPlaces, identify } from '@attune/resolve'
import { AUTO, chooseEngine } from './choose-engine.js'
import { withScope } from './from-scope.js'
import { type Lookup, type RunOptions, userLookup } from './lookup.js'
import { type Inside, type Start, readAuxiliaryModels, readModelStart } from './model-start.js'
import { type ParsedConfig, runSchema } from './run-config.js'

/** A configuration, or some of its keys, with every plugin found and every option checked. */
export interface PlanOf<K extends keyof ParsedConfig> {
  readonly config: Pick<ChosenIn<ParsedConfig>, K>
  /** The run's folder, absolute; undefined when the run is not kept. */
  readonly directory: string | undefined
  /** The saved model to start from. */
  readonly from: Start | undefined
  readonly encoder: Inside | undefined
  /** The folders that the models beside the one that trains start from, by name. */
  readonly auxiliary: Readonly<Record<string, string>>
  /** The file of word vectors that the word embeddings start from. */
  readonly vectors: string | undefined
  /** True if the user said how large the vocabulary is; otherwise the tokenizer says. */
  readonly vocabularyGiven: boolean
  /** The reason for the choice of the engine, where the configuration left it open. */
  readonly engineBecause: string | undefined
}

/** A whole configuration with every plugin found and every option checked. */
export type Plan = PlanOf<keyof ParsedConfig>

/** The keys of a configuration that inference needs. */
export const INFERENCE_KEYS = [
  'seed',
  'cleaner',
  'tokenizer',
  'model',
  'objective',
  'loss',
  'engine',
  'training',
] as const

/**
 * Finds the plugins under some keys of a configuration, `model` and `engine` among them; those under other keys are not looked up.
 * Where the engine is `auto`, engines are started to see which works.
 * @throws AttuneError with all that is wrong.
 */
export async function planOf<K extends keyof ParsedConfig>(
  parsed: ParsedConfig,
  keys: readonly K[],
  lookup: Lookup,
): Promise<PlanOf<K>> {
  const { model, ...start } = await readModelStart(parsed.model, lookup)
  const { models, auxiliary } = await readAuxiliaryModels(keys.includes('models' as K) ? parsed.models : {}, lookup)
  const choice = parsed.engine.plugin === AUTO ? await chooseEngine(lookup.places) : undefined
  const engine = choice === undefined ? parsed.engine : { ...parsed.engine, plugin: choice.engine }
  const complete: ParsedConfig = { ...parsed, model, engine, models }
  const wanted = Object.fromEntries(keys.map((key) => [key, complete[key]])) as unknown as Pick<ParsedConfig, K>
  return {
    config: (await choosePlugins(wanted, lookup)) as unknown as Pick<ChosenIn<ParsedConfig>, K>,
    directory: parsed.directory === undefined ? undefined : lookup.resolvePath(parsed.directory),
    ...start,
    auxiliary,
    vocabularyGiven: start.from !== undefined || 'vocabSize' in parsed.model.options,
    engineBecause: choice?.because,
  }
}

/** All keys of a configuration. */
export const ALL_KEYS = Object.keys(runSchema.shape) as readonly (keyof ParsedConfig)[]

/**
 * Checks a configuration that the user wrote and finds its plugins. Nothing is computed and nothing is written.
 * @throws AttuneError with all that is wrong.
 */
export async function planRun(config: unknown, options: RunOptions = {}): Promise<Plan> {
  const lookup = userLookup(options)
  const plan = await planOf(parseConfig(runSchema, withScope(config, options.scope), options.locate), ALL_KEYS, lookup)
  const { encoder } = plan
  return {
    ...plan,
    config: await identifyAll(plan.config, lookup.places),
    encoder: encoder && { ...encoder, model: await identify(encoder.model, lookup.places) },
  }
}

/** A parsed configuration in which plugins that came as values have the package that they are of, if they are of an installed one. */
async function identifyAll<T>(node: T, places: SearchPlaces): Promise<T> {
  if (isFound(node)) return identify(node, places)
  if (Array.isArray(node)) return (await Promise.all(node.map((each) => identifyAll(each, places)))) as T
  if (typeof node !== 'object' || node === null) return node
  const entries = Object.entries(node).map(async ([key, child]) => [key, await identifyAll(child, places)] as const)
  return Object.fromEntries(await Promise.all(entries)) as T
}
