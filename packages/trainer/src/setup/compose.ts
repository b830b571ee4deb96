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
import { refined } from './common-options.js'
import { type ModelMaking, scheduledModel } from './scheduled.js'
import { fitProgress } from './fit-progress.js'
import { objectiveScope } from './objective-scope.js'
import { isFromScope } from '../plan/from-scope.js'
import type { INFERENCE_KEYS, Plan, PlanOf } from '../plan/plan.js'
import type { Learned } from '../files/run-folder.js'

/** The kinds whose plugins may learn options from the training examples, in the order in which they do. */
const LEARNERS = ['tokenizer', 'objective', 'model', 'adapter'] as const

/** Lets the plugins learn what they must from the training examples: a vocabulary, the labels. */
export async function learn(
  { config }: Plan,
  examples: () => AsyncIterable<Example>,
  emit: (event: UntimedEvent) => void = () => undefined,
): Promise<Learned['options']> {
  const learned: Learned['options'] = {}
  const tokenizer = (): Tokenizer => config.tokenizer.plugin(learned.tokenizer ?? config.tokenizer.options) as Tokenizer
  for (const kind of LEARNERS) {
    const { plugin, options } = config[kind]
    if (plugin.fit === undefined) continue
    const report = fitProgress(titleOf(plugin), emit)
    learned[kind] = await plugin.fit(options, examples, kind === 'tokenizer' ? undefined : tokenizer, report)
  }
  return learned
}

/** A plugin with the options that it learned, if it did. */
const completed = (chosen: Chosen, learned: Learned['options']): Chosen => ({
  ...chosen,
  options: learned[chosen.plugin.kind.name] ?? chosen.options,
})

/** A plan in which plugins have the options that they learned. */
export const withLearned = (plan: Plan, learned: Learned['options']): Plan => ({
  ...plan,
  config: {
    ...plan.config,
    ...Object.fromEntries(LEARNERS.map((kind) => [kind, completed(plan.config[kind], learned)])),
  },
})

function provideChosen(scope: Scope, chosen: Chosen): void {
  const { plugin, options, common = {} } = chosen
  if (isFromScope(chosen)) return // the parent provides it
  provide(scope, plugin, options, (instance) => refined(plugin.kind.name, instance, common))
}

/** The links of a chain: those that the configuration names, or else those that the parent provides. */
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
      `metric ${unfit.name} compares "${unfit.compares}", and the objective offers ${objective.views.join(', ')}`,
      'Choose a metric that compares one of these.',
    )
}

function checkVocabulary(model: Model, tokenizer: Tokenizer): void {
  const size = model.vocabularySize
  if (size === undefined || size >= tokenizer.vocabularySize) return
  throw new AttuneError(
    'VOCABULARY_MISMATCH',
    `the tokenizer has ${tokenizer.vocabularySize} tokens, and the model's vocabulary only ${size}`,
    'Use the tokenizer that was saved with the model, or leave vocabSize out. For tokens that you added, let the saved embeddings grow: `model: { from: …, resizeEmbeddings: true }`.',
  )
}

/** Whether a model's vocabulary must grow to hold the tokenizer's. */
const isSmaller = ({ options }: Chosen, { vocabularySize }: Tokenizer): boolean =>
  Number(options['vocabSize']) < vocabularySize

/** What composing a scope may be given. */
interface Surroundings {
  /** The application's scope. */
  readonly parent?: Scope | undefined
  readonly events?: Observable<RunEvent>
  /** Changes the model as it is made; `how` tells of what. */
  readonly refineModel?: (model: Model, how: () => ModelMaking) => Model
  /** The adapter of a run that trains, which stands between the model and the objective. */
  readonly adapter?: Chosen
}

type InferencePlan = PlanOf<(typeof INFERENCE_KEYS)[number]>

/**
 * Makes a scope with what inference needs of a plan: engine, tokenizer, model, objective and the given metrics. Learned options
 * replace configured ones; a model whose vocabulary size was not given takes the tokenizer's.
 */
export function composeInference(
  plan: InferencePlan,
  learned: Learned['options'],
  metrics: readonly Chosen[],
  { parent, events = EMPTY, refineModel = (model) => model, adapter }: Surroundings = {},
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
  const open = !plan.vocabularyGiven || (plan.from?.resizeEmbeddings === true && isSmaller(model, tokenizer))
  const sized = open && 'vocabSize' in model.plugin.options.shape
  const options = sized ? { ...model.options, vocabSize: tokenizer.vocabularySize } : model.options
  provide(scope, model.plugin, options, (instance) =>
    refineModel(instance as Model, () => ({ scope, plugin: model.plugin, options })),
  )
  checkVocabulary(get(scope, MODEL), tokenizer)
  for (const loss of config.loss) provideChosen(scope, loss)
  if (adapter !== undefined) provideChosen(scope, adapter)
  const within = adapter === undefined ? scope : objectiveScope(scope)
  provideChosen(within, completed(config.objective, learned))
  if (within !== scope) provideInstance(scope, OBJECTIVE, get(within, OBJECTIVE))
  for (const metric of metrics) provideChosen(scope, metric)
  checkMetrics(getAll(scope, METRIC), get(scope, OBJECTIVE))
  return scope
}

/** Makes a scope with a plan's plugins, the stream of the run's events and its key. */
export function compose(plan: Plan, learned: Learned['options'], surroundings?: Surroundings): Scope {
  const { config } = plan
  const refineModel = (model: Model, how: () => ModelMaking): Model => scheduledModel(plan, how, model)
  const adapter = completed(config.adapter, learned)
  const scope = composeInference(plan, learned, config.metric, { ...surroundings, refineModel, adapter })
  provideChosen(scope, config.scheduler)
  const { regularizer, optimizer, callback, tracker } = config
  for (const chosen of [...regularizer, ...optimizer, ...callback, ...tracker]) provideChosen(scope, chosen)
  return scope
}

/** What a scope holds for inference, typed. */
export const inferencePartsOf = (scope: Scope) => ({
  engine: get(scope, ENGINE),
  tokenizer: get(scope, TOKENIZER),
  model: get(scope, MODEL),
  objective: get(scope, OBJECTIVE),
  metrics: getAll(scope, METRIC),
})

/** What a scope holds for training, typed. */
export const componentsOf = (scope: Scope) => ({
  ...inferencePartsOf(scope),
  adapter: get(scope, ADAPTER),
  scheduler: get(scope, SCHEDULER),
  optimizers: chainOf(scope, OPTIMIZER),
  regularizers: chainOf(scope, REGULARIZER),
  callbacks: getAll(scope, CALLBACK),
  trackers: getAll(scope, TRACKER),
})

/** What a scope holds for training, typed. */
export type Components = ReturnType<typeof componentsOf>

/** The engine of a scope, ready. */
export async function startEngine(scope: Scope): Promise<Engine> {
  const engine = get(scope, ENGINE)
  await engine.start()
  return engine
}
