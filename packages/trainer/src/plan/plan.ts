import { type ChosenIn, type Use, choosePlugins, foundAt, isFound, parseConfig } from '@attune/core'
import { type SearchPaths, identify } from '@attune/resolve'
import { AUTO, chooseEngine } from './choose-engine.js'
import { withScope } from './from-scope.js'
import { type Lookup, type RunOptions, userLookup } from './lookup.js'
import { withSentenceFiles } from '../files/sentence-files.js'
import { type EncoderStart, type PretrainedStart, readAuxiliaryModels, readModelStart } from './model-start.js'
import { type ParsedConfig, runSchema } from './run-config.js'

/** A configuration, or some of its keys, with every plugin resolved and every option validated. */
export interface PlanOf<K extends keyof ParsedConfig> {
  readonly config: Pick<ChosenIn<ParsedConfig>, K>
  /** Absolute path of the run folder; undefined if the run is not saved. */
  readonly directory: string | undefined
  /** Saved model to start from. */
  readonly from: PretrainedStart | undefined
  readonly encoder: EncoderStart | undefined
  /** Folders of the auxiliary models' weights, by name. */
  readonly auxiliary: Readonly<Record<string, string>>
  /** File of static vectors that initialize the word embeddings. */
  readonly vectors: string | undefined
  /** Options of the model that the configuration does not set, and that the tokenizer determines: `vocabSize` and `eosTokenId`. */
  readonly fromTokenizer: readonly string[]
  /** Reason for the engine's selection, if the configuration uses `auto`. */
  readonly engineBecause: string | undefined
}

/** A complete configuration with every plugin resolved and every option validated. */
export type Plan = PlanOf<keyof ParsedConfig>

/** Configuration keys that inference needs. */
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

/** Adds to the objective's options what the saved model to start from says about them; written options take precedence. */
async function objectiveStart(named: Use, from: PretrainedStart | undefined, lookup: Lookup): Promise<Use> {
  if (from === undefined || lookup.complete) return named
  const found = await foundAt(named, lookup.find)
  return { ...named, plugin: found, options: withSentenceFiles(found.plugin, named.options, from.path) }
}

/**
 * Resolves the plugins under some keys of a configuration, including `model` and `engine`; other keys are not resolved. If the engine is
 * `auto`, engines are started to find one that works.
 * @throws AttuneError with all mistakes
 */
export async function planOf<K extends keyof ParsedConfig>(
  parsed: ParsedConfig,
  keys: readonly K[],
  lookup: Lookup,
): Promise<PlanOf<K>> {
  const { model, ...start } = await readModelStart(parsed.model, lookup)
  const { models, auxiliary } = await readAuxiliaryModels(keys.includes('models' as K) ? parsed.models : {}, lookup)
  const choice = parsed.engine.plugin === AUTO ? await chooseEngine(lookup.searchPaths) : undefined
  const engine = choice === undefined ? parsed.engine : { ...parsed.engine, plugin: choice.engine }
  const objective = keys.includes('objective' as K)
    ? await objectiveStart(parsed.objective, start.from, lookup)
    : parsed.objective
  const complete: ParsedConfig = { ...parsed, model, engine, models, objective }
  const wanted = Object.fromEntries(keys.map((key) => [key, complete[key]])) as unknown as Pick<ParsedConfig, K>
  return {
    config: (await choosePlugins(wanted, lookup)) as unknown as Pick<ChosenIn<ParsedConfig>, K>,
    directory: parsed.directory === undefined ? undefined : lookup.resolvePath(parsed.directory),
    ...start,
    auxiliary,
    fromTokenizer:
      start.from === undefined ? ['vocabSize', 'eosTokenId'].filter((name) => !(name in parsed.model.options)) : [],
    engineBecause: choice?.because,
  }
}

/** All configuration keys. */
export const ALL_KEYS = Object.keys(runSchema.shape) as readonly (keyof ParsedConfig)[]

/**
 * Validates a user's configuration and resolves its plugins. Nothing is computed or written.
 * @throws AttuneError with all mistakes
 *
 * @example
 * ```ts
 * import { planRun } from '@attune/trainer/node'
 * const { config } = await planRun({
 *   data: { train: { use: 'jsonl', path: 'train.jsonl' } },
 *   tokenizer: 'word', model: 'lstm', objective: 'sequence-classification', engine: 'tfjs-cpu',
 * })
 * console.log(config.optimizer.map(({ plugin }) => plugin.name), config.training.epochs) // [ 'adamw' ] 3
 * ```
 */
export async function planRun(config: unknown, options: RunOptions = {}): Promise<Plan> {
  const lookup = userLookup(options)
  const plan = await planOf(parseConfig(runSchema, withScope(config, options.scope), options.locate), ALL_KEYS, lookup)
  const { encoder } = plan
  return {
    ...plan,
    config: await identifyAll(plan.config, lookup.searchPaths),
    encoder: encoder && { ...encoder, model: await identify(encoder.model, lookup.searchPaths) },
  }
}

/** Adds the package to plugins passed as objects, if they belong to an installed package. */
async function identifyAll<T>(node: T, searchPaths: SearchPaths): Promise<T> {
  if (isFound(node)) return identify(node, searchPaths)
  if (Array.isArray(node)) return (await Promise.all(node.map((each) => identifyAll(each, searchPaths)))) as T
  if (typeof node !== 'object' || node === null) return node
  const entries = Object.entries(node).map(
    async ([key, child]) => [key, await identifyAll(child, searchPaths)] as const,
  )
  return Object.fromEntries(await Promise.all(entries)) as T
}
