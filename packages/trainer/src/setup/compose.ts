import {
  ADAPTER,
  AttuneError,
  CALLBACK,
  type Chosen,
  ENCODER,
  ENGINE,
  EVENTS,
  type Engine,
  type Example,
  type Kind,
  METRIC,
  MODEL,
  type Metric,
  type Model,
  OBJECTIVE,
  type Objective,
  SCHEDULER,
  type Scope,
  TOKENIZER,
  TRACKER,
  type Tokenizer,
  OPTIMIZER,
  RANDOMNESS,
  REGULARIZER,
  type RunEvent,
  type UntimedEvent,
  createScope,
  get,
  getAll,
  key,
  provide,
  provideInstance,
  titleOf,
} from '@attune/core'
import { EMPTY, type Observable } from 'rxjs'
import { requireFieldsIn } from '../data/require-fields.js'
import { withCommonOptions } from './common-options.js'
import { type ModelInputs, scheduledModel } from './scheduled.js'
import { fitProgress } from './fit-progress.js'
import { objectiveScope } from './objective-scope.js'
import { isFromScope } from '../plan/from-scope.js'
import type { INFERENCE_KEYS, Plan, PlanOf } from '../plan/plan.js'
import type { Learned } from '../files/run-folder.js'

/** Kinds whose plugins may fit options on the training examples, in fitting order. */
const FITTED_KINDS = ['tokenizer', 'objective', 'model', 'adapter'] as const

/**
 * Fits plugins on the training examples: vocabulary, labels.
 * @throws AttuneError `MISSING_FIELD` for a field in the options of a plugin that no example has
 */
export async function fitPlugins(
  { config }: Plan,
  examples: () => AsyncIterable<Example>,
  emit: (event: UntimedEvent) => void = () => undefined,
): Promise<Learned['options']> {
  const learned: Learned['options'] = {}
  const tokenizer = (): Tokenizer => config.tokenizer.plugin(learned.tokenizer ?? config.tokenizer.options) as Tokenizer
  for (const kind of FITTED_KINDS) {
    const { plugin, options } = config[kind]
    if (plugin.fit === undefined) continue
    const report = fitProgress(titleOf(plugin), emit)
    const read = () => requireFieldsIn(examples(), config[kind], (example) => example)
    learned[kind] = await plugin.fit(options, read, kind === 'tokenizer' ? undefined : tokenizer, report)
  }
  return learned
}

/** A plugin with its fitted options, if it has any. */
export const completed = (chosen: Chosen, learned: Learned['options']): Chosen => ({
  ...chosen,
  options: learned[chosen.plugin.kind.name] ?? chosen.options,
})

/** Returns a plan with the fitted options of its plugins. */
export const withFittedOptions = (plan: Plan, learned: Learned['options']): Plan => ({
  ...plan,
  config: {
    ...plan.config,
    ...Object.fromEntries(FITTED_KINDS.map((kind) => [kind, completed(plan.config[kind], learned)])),
  },
})

function provideChosen(scope: Scope, chosen: Chosen): void {
  const { plugin, options, common = {} } = chosen
  if (isFromScope(chosen)) return // the parent provides it
  provide(scope, plugin, options, (instance) => withCommonOptions(plugin.kind.name, instance, common))
}

/** Links of a chain: those in the configuration, otherwise those of the parent scope. */
const chainOf = <T>(scope: Scope, kind: Kind<T>): readonly T[] =>
  scope.isRegistered(kind.token) ? scope.resolveAll<T>(kind.token) : getAll(scope, kind)

function checkMetrics(metrics: readonly Metric[], objective: Objective): void {
  const twice = metrics.find((metric, i) => metrics.findIndex(({ name }) => name === metric.name) !== i)
  if (twice !== undefined)
    throw new AttuneError('DUPLICATE_METRIC', `two metrics are called "${twice.name}"`, 'Name each metric once.')
  const unfit = metrics.find((metric) => !objective.views.includes(metric.compares))
  if (unfit !== undefined)
    throw new AttuneError(
      'METRIC_MISMATCH',
      `metric ${unfit.name}: expected a view of the objective (${objective.views.join(', ')}), got "${unfit.compares}"`,
      'Choose a metric that compares one of these views.',
    )
}

function checkVocabulary(model: Model, tokenizer: Tokenizer): void {
  const size = model.vocabularySize
  if (size === undefined || size >= tokenizer.vocabularySize) return
  throw new AttuneError(
    'VOCABULARY_MISMATCH',
    `expected a model with a vocabulary of at least ${tokenizer.vocabularySize} tokens for this tokenizer, got ${size}`,
    'Use the tokenizer saved with the model, or remove vocabSize. For added tokens, resize the saved embeddings: `model: { from: …, resizeEmbeddings: true }`.',
  )
}

/**
 * Options of a model that its tokenizer determines: the vocabulary size and, where the family has a default that is the id of another
 * vocabulary, the end token of the texts that it generates.
 */
function ofTokenizer(
  { fromTokenizer, from }: Pick<Plan, 'fromTokenizer' | 'from'>,
  { plugin, options }: Chosen,
  tokenizer: Tokenizer,
) {
  const isOpen = (name: string): boolean => name in plugin.options.shape && fromTokenizer.includes(name)
  const isResized = from?.resizeEmbeddings === true && Number(options['vocabSize']) < tokenizer.vocabularySize
  const { end } = (tokenizer.target ?? tokenizer).special
  return {
    ...((isOpen('vocabSize') || isResized) && { vocabSize: tokenizer.vocabularySize }),
    ...(isOpen('eosTokenId') && options['eosTokenId'] !== undefined && end !== undefined && { eosTokenId: end }),
  }
}

/** Optional inputs for composing a scope. */
interface Surroundings {
  /** The application's scope. */
  readonly parent?: Scope | undefined
  readonly events?: Observable<RunEvent>
  /** Wraps the model when it is created; `how` returns its inputs. */
  readonly refineModel?: (model: Model, how: () => ModelInputs) => Model
  /** The adapter of a training run or of a saved model, which describes the model to the objective. */
  readonly adapter?: Chosen | undefined
  /** Folder of its saved state. Default: none. */
  readonly savedAdapter?: string | undefined
}

type InferencePlan = PlanOf<(typeof INFERENCE_KEYS)[number]>

/**
 * Creates a scope with the components that inference needs: engine, tokenizer, model, objective and the given metrics. Fitted options
 * replace configured ones; a model without a configured vocabulary size or end token uses the tokenizer's.
 */
export function composeInference(
  plan: InferencePlan,
  learned: Learned['options'],
  metrics: readonly Chosen[],
  { parent, events = EMPTY, refineModel = (model) => model, adapter, savedAdapter }: Surroundings = {},
): Scope {
  const scope = createScope(parent)
  const { config } = plan
  provideInstance(scope, EVENTS, events)
  provideInstance(scope, RANDOMNESS, key(config.seed))
  provideChosen(scope, config.engine)
  provideChosen(scope, completed(config.tokenizer, learned))
  const tokenizer = get(scope, TOKENIZER)
  const { encoder } = plan
  if (encoder !== undefined) provideInstance(scope, ENCODER, encoder.model.plugin(encoder.model.options) as Model)
  const model = completed(config.model, learned)
  const options = { ...model.options, ...ofTokenizer(plan, model, tokenizer) }
  provide(scope, model.plugin, options, (instance) =>
    refineModel(instance as Model, () => ({ scope, plugin: model.plugin, options })),
  )
  checkVocabulary(get(scope, MODEL), tokenizer)
  for (const loss of config.loss) provideChosen(scope, loss)
  if (adapter !== undefined) provideChosen(scope, adapter)
  const within = adapter === undefined ? scope : objectiveScope(scope, savedAdapter)
  provideChosen(within, completed(config.objective, learned))
  if (within !== scope) provideInstance(scope, OBJECTIVE, get(within, OBJECTIVE))
  for (const metric of metrics) provideChosen(scope, metric)
  checkMetrics(getAll(scope, METRIC), get(scope, OBJECTIVE))
  return scope
}

/** Creates a scope with a plan's plugins, the run's event stream and its random key. */
export function compose(plan: Plan, learned: Learned['options'], surroundings?: Surroundings): Scope {
  const { config } = plan
  const refineModel = (model: Model, how: () => ModelInputs): Model => scheduledModel(plan, how, model)
  const adapter = completed(config.adapter, learned)
  const savedAdapter = adapter.common?.['from'] as string | undefined
  const adapting = { ...surroundings, refineModel, adapter, savedAdapter }
  const scope = composeInference(plan, learned, config.metric, adapting)
  provideChosen(scope, config.scheduler)
  const { regularizer, optimizer, callback, tracker } = config
  for (const chosen of [...regularizer, ...optimizer, ...callback, ...tracker]) provideChosen(scope, chosen)
  return scope
}

/** Typed inference components of a scope. */
export const inferenceComponentsOf = (scope: Scope) => ({
  engine: get(scope, ENGINE),
  tokenizer: get(scope, TOKENIZER),
  model: get(scope, MODEL),
  objective: get(scope, OBJECTIVE),
  metrics: getAll(scope, METRIC),
})

/** Typed training components of a scope. */
export const componentsOf = (scope: Scope) => ({
  ...inferenceComponentsOf(scope),
  adapter: get(scope, ADAPTER),
  scheduler: get(scope, SCHEDULER),
  optimizers: chainOf(scope, OPTIMIZER),
  regularizers: chainOf(scope, REGULARIZER),
  callbacks: getAll(scope, CALLBACK),
  trackers: getAll(scope, TRACKER),
})

/** Typed training components of a scope. */
export type Components = ReturnType<typeof componentsOf>

/** Starts and returns the engine of a scope. */
export async function startEngine(scope: Scope): Promise<Engine> {
  const engine = get(scope, ENGINE)
  await engine.start()
  return engine
}
