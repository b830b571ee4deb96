import {
  AttuneError,
  type Example,
  type HostArray,
  type Params,
  SOURCE,
  type Source,
  definePlugin,
  fieldsRead,
  deriveKey,
  key,
} from '@attune/core'
import { EMPTY } from 'rxjs'
import { z } from 'zod'
import { createPredictionQueue } from '../inference/prediction-queue.js'
import { type RunOptions } from '../plan/lookup.js'
import { type Plan, planRun } from '../plan/plan.js'
import { type RunConfig, microBatchSizeOf } from '../plan/run-config.js'
import { createBus } from '../run/bus.js'
import { type SavedWeights, saveRunModel } from '../run/save-run-model.js'
import { score } from '../run/score.js'
import { scheduleStep } from '../run/step-inputs.js'
import { advance, beforeEpoch, rolloutOf } from '../run/train.js'
import { evaluationParams } from '../setup/evaluation-params.js'
import { notCacheable } from '../setup/input-rows.js'
import { closeSession, open } from '../setup/open.js'
import { regularizerFields } from '../setup/required-fields.js'
import { type Session, reasonForWholeBatches } from '../setup/session.js'
import { openSplit } from '../setup/splits.js'
import { cleaning } from '../data/clean.js'
import { cleanedSplit } from '../data/open-splits.js'
import { rowsOf } from '../data/rows.js'
import { collateRandom, encodeAll, collateBatch, rolloutRandom } from '../step/batches.js'
import { keepFields } from '../step/kept-fields.js'
import type { Learner } from './learner.js'
import { createTaskQueue } from './task-queue.js'

/** Configuration of a learner: a run configuration with optional data. */
export type LearnerConfig = Omit<RunConfig, 'data'> & Partial<Pick<RunConfig, 'data'>>

/** Options of {@link openLearner}. */
export interface LearnerOptions extends Omit<RunOptions, 'commands'> {
  /**
   * Examples on which the vocabulary and the labels are fitted; the model is not trained on them. Default: all of `data.train` in the
   * configuration.
   */
  readonly examples?: Iterable<Example>
}

/** Source of in-memory examples. */
const sourceOf = (examples: Iterable<Example>) =>
  definePlugin({
    kind: SOURCE,
    name: 'given-examples',
    summary: 'In-memory examples of the calling program',
    options: z.strictObject({}),
    create: (): Source => ({
      location: 'the examples of the learner',
      async *open() {
        for await (const example of examples) yield example
      },
    }),
  })

/** Plans a learner: without callbacks, trackers or a run folder. */
async function planLearner(config: LearnerConfig, { examples, ...options }: LearnerOptions): Promise<Plan> {
  if (examples === undefined && config.data === undefined)
    throw new AttuneError(
      'BAD_ARGUMENT',
      'openLearner: expected `data.train` in the configuration or `examples` among the options, got neither',
      'Pass examples for fitting the vocabulary and the labels: openLearner(config, { examples }).',
    )
  const data = examples === undefined ? config.data : { ...config.data, train: sourceOf(examples) }
  const scheduled = config.scheduler === undefined && options.scope === undefined ? { scheduler: 'constant' } : {}
  const plan = await planRun({ ...scheduled, ...config, data, callback: [], tracker: [] }, options)
  if (plan.config.training.cacheOutputs)
    throw notCacheable('a learner sees each example once, so that cached outputs would never be read')
  return { ...plan, directory: undefined }
}

/** Splits of a learner: all training examples, which also serve as the validation split. */
function splitsOf({ config }: Plan): Session['splits'] {
  const source = openSplit('train', config.data.train, undefined, { fields: fieldsRead(config.objective) })
  const train = cleanedSplit(source, config.cleaner, config.objective)
  return { train: { ...train, rows: () => rowsOf(train.examples()) }, validation: train }
}

/** Runs a task with the current evaluation weights, then releases them. */
async function withParams<T>(session: Session, task: (params: Params) => Promise<T>): Promise<T> {
  const { trainable, release } = evaluationParams(session, session.runState.state)
  try {
    return await task({ ...session.adapted.frozen, ...trainable })
  } finally {
    release()
  }
}

/** Runs a task with the trained weights and those of the base architecture, then releases them. */
const withWeights = <T>(session: Session, task: (weights: SavedWeights) => Promise<T>): Promise<T> =>
  withParams(session, async (params) => {
    const { engine } = session.components
    const { adapted } = session
    const part = (of: Params): Params => Object.fromEntries(Object.keys(of).map((name) => [name, params[name]!]))
    const baseOf = engine.compile(adapted.base)
    const trainable = part(adapted.trainable)
    const base = baseOf(trainable, adapted.frozen)
    try {
      return await task({ trainable, base })
    } finally {
      baseOf.dispose()
      const kept = new Set(Object.values(params))
      engine.release(Object.fromEntries(Object.entries(base).filter(([, tensor]) => !kept.has(tensor))))
    }
  })

type Clean = (example: Example) => Example

/** Takes one step on a batch. @throws AttuneError */
async function learnBatch(session: Session, clean: Clean, examples: readonly Example[]) {
  const { components, plan, runState } = session
  if (examples.length === 0)
    throw new AttuneError('BAD_ARGUMENT', 'learn: expected at least one example, got none', 'Pass a batch of examples.')
  const fields = regularizerFields(plan)
  const encoded = examples.map((example) => keepFields(components.objective.encode(clean(example)), example, fields))
  const epoch = deriveKey(key(plan.config.seed), 'epoch', 0) // a learner has a single epoch
  const { batches } = runState.progress
  const items = (await rolloutOf(session)?.(encoded, rolloutRandom(epoch, batches))) ?? encoded
  const isWhole = reasonForWholeBatches(components, session.optimizer) !== undefined
  const size = isWhole ? items.length : microBatchSizeOf({ ...plan.config.training, batchSize: items.length })
  const numbers = session.collationNumbers?.(scheduleStep(session, runState.progress.step + 1))
  const batch = collateBatch(components.objective, items, size, collateRandom(epoch, batches), numbers)
  const { loss, gradientNorm } = await advance(session, batch, 0)
  return { loss, gradientNorm }
}

async function* each(examples: Iterable<Example> | AsyncIterable<Example>): AsyncGenerator<Example, void> {
  yield* examples
}

/** Learns from batches until a step fails with a non-finite state. */
function learning(session: Session, clean: Clean) {
  let broken: unknown
  const requireUsable = (): void => {
    if (broken !== undefined) throw broken as Error
  }
  return {
    requireUsable,
    async learn(examples: readonly Example[]) {
      requireUsable()
      const before = session.runState.state
      try {
        return await learnBatch(session, clean, examples)
      } catch (error) {
        if (session.runState.state !== before) broken = error
        throw error
      }
    },
  }
}

/** Copies weights to the host: merged ones if the adapter can be merged, otherwise with its own tensors. */
const readWeights =
  ({ adapted, components }: Session) =>
  async ({ trainable, base }: SavedWeights) => {
    const all = adapted.merge === undefined ? { ...base, ...trainable } : base
    return (await components.engine.read(all)) as unknown as Record<string, HostArray>
  }

function learnerOf(session: Session): Learner {
  const { components, runState, inference } = session
  const { objective, metrics } = components
  const clean = cleaning(session.plan.config.cleaner, session.plan.config.objective)
  const [turn, { learn, requireUsable }] = [createTaskQueue(), learning(session, clean)]
  const queue = createPredictionQueue({
    batchSize: inference.batchSize,
    encode: (example: Example) => objective.encodeUnlabelled(clean(example)),
    predict: (items) => turn(() => withParams(session, (params) => inference.batch(params, items))),
  })
  const scored = (examples: Parameters<Learner['score']>[0]) =>
    withParams(session, (params) => {
      const { items } = encodeAll(each(examples), (example) => objective.encode(clean(example)))
      return score(inference, objective, metrics, params, items, { ...components, model: session.adapted.model })
    })
  const save = (directory: string) => {
    requireUsable()
    return withWeights(session, (weights) => saveRunModel(session, directory, weights, undefined))
  }
  return {
    get step() {
      return runState.progress.step
    },
    metrics,
    learn: (examples) => turn(() => learn(examples)),
    restartSchedule: () => turn(() => void (runState.scheduleStart = runState.progress.step)),
    predict: (examples, how) => queue.predict(examples, how),
    score: (examples) => turn(() => scored(examples)),
    reference: (example) => objective.reference(objective.encode(clean(example))),
    weights: () => turn(() => withWeights(session, readWeights(session))),
    save: (directory) => turn(() => save(directory)),
    async close() {
      await queue.close()
      await turn(() => closeSession(session))
    },
  }
}

/**
 * Opens a learner: the components of a run's configuration without its training loop. The vocabulary and the labels are fitted on
 * `data.train` or `options.examples`, or set as plugin options. The weights are randomly initialized, or loaded with
 * `model: { use, from: FOLDER }`.
 *
 * When to use it: online learning ({@link learnOnline}), active learning, custom curricula. For epochs over a file, use {@link run},
 * which saves checkpoints and resumes.
 *
 * Gotchas: the scheduler defaults to `constant`. Another scheduler follows the configuration's steps, then stays at its last value.
 * Callbacks, trackers and `directory` of the configuration are ignored.
 * @throws AttuneError the errors of a run's configuration; `BAD_ARGUMENT` without data
 *
 * @example
 * ```ts
 * import { openLearner } from '@attune/trainer/node'
 * const rows = [{ text: 'mail', label: 'x' }, { text: 'editor', label: 'y' }]
 * const learner = await openLearner(
 *   { tokenizer: { use: 'word', minimumFrequency: 1 }, model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
 *     objective: 'sequence-classification', engine: 'tfjs-cpu', training: { learningRate: 0.1 } },
 *   { examples: rows },
 * )
 * const { loss } = await learner.learn(rows)
 * console.log(learner.step, loss > 0) // 1 true
 * await learner.save('my-model')
 * await learner.close()
 * ```
 */
export async function openLearner(config: LearnerConfig, options: LearnerOptions = {}): Promise<Learner> {
  const plan = await planLearner(config, options)
  const connect = () => ({ bus: createBus({}), runFolder: undefined })
  const { session } = await open({ plan, parent: options.scope, splits: splitsOf(plan), events: EMPTY, connect })
  await beforeEpoch(session, 0)
  return learnerOf(session)
}
