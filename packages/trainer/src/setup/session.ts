import {
  AttuneError,
  type DataPass,
  type Engine,
  type HostTree,
  type Optimizer,
  type Params,
  type Regularizer,
  type RunEvents,
  type ScheduledNumbers,
  type Scope,
  type Tree,
} from '@attune/core'
import type { Lock } from '@attune/files'
import { chain, clipByGlobalNorm } from '@attune/nn'
import type { Bus } from '../run/bus.js'
import type { Checkpoint, Progress } from '../files/checkpoint.js'
import type { CompiledStep } from '../step/compiled-step.js'
import { type TextGenerator, textGenerator } from '../step/text-generator.js'
import type { Splits } from '../data/open-splits.js'
import type { StepConstants } from '../step/loss-function.js'
import { auxiliaryModels } from './auxiliary-models.js'
import { type Components, componentsOf, withFittedOptions } from './compose.js'
import { countSteps } from './count-steps.js'
import { collationNumbers, rebuilder, scheduleOf } from './scheduled.js'
import type { Inference } from '../inference/infer.js'
import { type AdaptedModel, adaptModel } from './adapt.js'
import { trainingPass } from './pass-over.js'
import { areLabelsGiven } from './learned-labels.js'
import { openCache } from './open-cache.js'
import type { OutputCache } from './output-cache.js'
import { programsOf } from './programs.js'
import { loadEncoder } from './frozen-encoder.js'
import { lengthWarnings } from './length-warnings.js'
import { warningsOf } from './load-report.js'
import type { Plan } from '../plan/plan.js'
import { type TrainingSettings, microBatchSizeOf } from '../plan/run-config.js'
import { evaluatedIn } from '../files/evaluated.js'
import { adapterOf } from '../files/saved-adapter.js'
import type { Learned } from '../files/run-folder.js'
import type { InputRecord } from '../files/run-inputs.js'
import type { RunLog } from '../files/run-log.js'
import { type NamedVectors, applyVectors } from './static-vectors.js'
import { INITIAL, type RunState, START } from './run-state.js'
import { requireUpdates } from './require-updates.js'
import { type TrainingMap, countTraining, mapTraining } from './training-map.js'
import { countParameters, firstParameters } from './weights.js'

/** An open run folder, locked by this process. */
export interface RunFolder {
  /** The run's id. */
  readonly id: string
  readonly log: RunLog
  readonly lock: Lock
  /** Digests of the run's inputs. */
  readonly inputs: readonly InputRecord[]
}

/** A running session: components, data and state. */
export interface Session {
  readonly plan: Plan
  /** Undefined for a run without a folder. */
  readonly runFolder: RunFolder | undefined
  readonly learned: Learned
  readonly scope: Scope
  readonly components: Components
  readonly adapted: AdaptedModel
  /** Trees that are constant across steps. */
  readonly constants: StepConstants
  /** The optimizer chain, including gradient clipping. */
  readonly optimizer: Optimizer
  readonly step: CompiledStep
  /** Values of scheduled options at a step, by path. */
  schedule(step: number, steps: number): Readonly<Record<string, number>>
  /** Scheduled options of collation at a step of the schedules; undefined if there are none. */
  readonly collationNumbers: ((step: number) => ScheduledNumbers) | undefined
  readonly inference: Inference
  /** Cached outputs of a frozen model, with `training.cacheOutputs`. */
  readonly cache: OutputCache | undefined
  /** Generates text with the current weights. */
  readonly generator: TextGenerator
  readonly splits: Splits
  readonly bus: Bus
  readonly stepsPerEpoch: number
  readonly steps: number
  readonly runState: RunState
}

/** Trees of a checkpoint; empty trees are not stored. */
interface SavedTrees {
  readonly trainable: Params
  readonly optimizer?: Tree
  readonly memory?: Tree
  readonly prepared?: Readonly<Record<string, Tree>>
}

/** Initializes the training state, or loads a checkpoint's state onto the device. */
function firstState(
  engine: Engine,
  adapted: AdaptedModel,
  init: (params: Params) => Tree,
  from: Checkpoint | undefined,
) {
  if (from === undefined) {
    const optimizer = engine.compile(() => init(adapted.trainable))()
    return { state: { trainable: adapted.trainable, optimizer }, memory: undefined, prepared: undefined }
  }
  const { choice: _, ...rest } = from.state as Readonly<Record<string, HostTree>>
  const saved = engine.put(rest) as unknown as SavedTrees
  const [expected, found] = [Object.keys(adapted.trainable).sort(), Object.keys(saved.trainable).sort()]
  if (String(expected) !== String(found))
    throw new AttuneError(
      'BAD_CHECKPOINT',
      `the checkpoint of step ${from.progress.step} has different parameters than the configuration`,
      'Resume with the original configuration.',
    )
  engine.release(adapted.trainable)
  const state = { trainable: saved.trainable, optimizer: saved.optimizer ?? ({} as Tree) }
  return { state, memory: saved.memory, prepared: saved.prepared ?? {} }
}

/** Constants that regularizers compute once before training, by index. */
async function prepare(regularizers: readonly Regularizer[], pass: DataPass, trainable: Params) {
  const prepared: Record<string, Tree> = {}
  for (const [i, regularizer] of regularizers.entries())
    if (regularizer.prepare !== undefined) prepared[i] = await regularizer.prepare(pass, trainable)
  return prepared
}

/** A warning if the model to start from is the base of a saved adapter, which is not part of its weights. */
function adapterWarnings({ from, config }: Plan): readonly string[] {
  const beside = from && adapterOf(from.path)
  if (beside === undefined || config.adapter.common?.['from'] !== undefined) return []
  return [
    `the model starts from the base weights in ${from!.path}, without the adapter in ${beside}: to continue its training, set \`adapter: { use: ${config.adapter.plugin.name}, from: ${beside} }\``,
  ]
}

/** Creates the initial parameters of a run, with warnings and facts to report. */
function createParameters(components: Components, plan: Plan, named: NamedVectors | undefined) {
  const first = firstParameters(components, plan.config.seed, plan.from, areLabelsGiven(plan))
  const { report } = first
  const inside = plan.encoder?.path
  const params = inside === undefined ? first.params : loadEncoder(components, first.params, inside)
  const warnings = [
    ...lengthWarnings(components, plan.config.objective),
    ...(report === undefined ? [] : [...(plan.from?.notes ?? []), ...warningsOf(report)]),
    ...adapterWarnings(plan),
  ]
  const added = report?.savedRows === undefined ? undefined : { names: report.grown, saved: report.savedRows }
  if (named === undefined) return { params, warnings, added, vectorsLoaded: undefined }
  const { params: started, ...counts } = applyVectors(components, params, named)
  return { params: started, warnings, added, vectorsLoaded: { path: named.path, ...counts } }
}

/**
 * Returns the reason why batches must not be split into micro-batches, if any: the loss of an example depends on the others of its batch, so
 * that it is not a sum over micro-batches, or the optimizer needs a closure, which evaluates a single micro-batch.
 */
export function reasonForWholeBatches(
  { objective, regularizers }: Pick<Components, 'objective' | 'regularizers'>,
  { needsClosure }: Pick<Optimizer, 'needsClosure'>,
): string | undefined {
  const dependent = 'the loss of an example depends on the others of its batch'
  if (objective.comparesExamples === true) return `objective: ${dependent}`
  if (regularizers.some(({ comparesExamples }) => comparesExamples)) return `regularizer: ${dependent}`
  return needsClosure === true ? 'the optimizer re-evaluates the loss of the whole batch' : undefined
}

/** Rejects micro-batches if batches must not be split. @throws AttuneError `BATCH_IN_PARTS` */
function requireWholeBatches(components: Components, optimizer: Optimizer, training: TrainingSettings): void {
  const reason = reasonForWholeBatches(components, optimizer)
  const { batchSize } = training
  const microBatchSize = microBatchSizeOf(training)
  if (reason === undefined || microBatchSize >= batchSize) return
  throw new AttuneError(
    'BATCH_IN_PARTS',
    `${reason}: expected microBatchSize equal to batchSize (${batchSize}), got ${microBatchSize}`,
    'Remove training.microBatchSize. To save memory, use training.gradientCheckpointing or a smaller batchSize.',
  )
}

/** Number of remaining steps. After an accepted change of the data, an epoch may be shorter than the batches already done. */
function stepsLeft({ epoch, batches }: Progress, stepsPerEpoch: number, epochs: number): number {
  if (epoch >= epochs) return 0
  return Math.max(0, stepsPerEpoch - batches) + (epochs - epoch - 1) * stepsPerEpoch
}

type SessionInputs = Pick<Session, 'plan' | 'learned' | 'scope' | 'splits' | 'bus' | 'runFolder'>

/** Creates the optimizer chain with gradient clipping, wrapped by the adapter, and a function that rebuilds scheduled components. */
function chainedOptimizer({ plan, scope, learned }: SessionInputs, components: Components, adapted: AdaptedModel) {
  const { clipNorm } = plan.config.training
  const chained = (links: readonly Optimizer[]): Optimizer => {
    const whole = chain(...(clipNorm === null ? [] : [clipByGlobalNorm(clipNorm)]), ...links)
    return adapted.wrapOptimizer?.(whole) ?? whole
  }
  const optimizer = chained(components.optimizers)
  requireWholeBatches(components, optimizer, plan.config.training)
  const complete = withFittedOptions(plan, learned.options)
  return { optimizer, complete, rebuild: rebuilder(complete, scope, chained) }
}

/** Creates the initial or resumed state, and the trees that are constant across steps. */
async function startingState(
  given: SessionInputs,
  components: Components,
  { adapted, optimizer, own }: Pick<Session, 'adapted' | 'optimizer'> & { readonly own: StepConstants['models'] },
  checkpoint: Checkpoint | undefined,
): Promise<Pick<Session, 'runState' | 'constants'>> {
  const { state, memory, prepared } = firstState(components.engine, adapted, optimizer.init, checkpoint)
  requireUpdates(Object.keys(state.trainable), given.plan.config.optimizer, components.optimizers)
  const pass = trainingPass(given, { ...components, model: adapted.model }, state.trainable, adapted.frozen)
  const regularizers = prepared ?? (await prepare(components.regularizers, pass, state.trainable))
  return {
    constants: { models: own, regularizers, masks: adapted.masks ?? {} },
    runState: {
      ...INITIAL,
      state,
      memory,
      progress: checkpoint?.progress ?? START,
      evaluated: checkpoint && evaluatedIn(checkpoint.progress),
    },
  }
}

/** A new session with the facts and warnings to report at its start. */
interface OpenedSession {
  readonly session: Session
  readonly facts: { parameters: number; trainableParameters: number }
  /** Numbers of values that train, by layer group and kind of parameter. */
  readonly trains: TrainingMap
  readonly warnings: readonly string[]
  readonly vectorsLoaded: RunEvents['vectors.loaded'] | undefined
}

/** Creates a session from a composed scope with a started engine. */
export async function openSession(
  given: SessionInputs,
  { checkpoint, vectors }: { readonly checkpoint?: Checkpoint | undefined; readonly vectors: NamedVectors | undefined },
): Promise<OpenedSession> {
  const { plan, scope } = given
  const components = componentsOf(given.scope)
  const { params, added, warnings, vectorsLoaded } = createParameters(components, plan, vectors)
  const { adapted, first, sizes, release, ...rest } = await adaptModel(given, components, params, { added, checkpoint })
  const { optimizer, complete, rebuild } = chainedOptimizer(given, components, adapted)
  const { model } = adapted
  const { models, own } = await auxiliaryModels(complete, scope, components, first, adapted)
  release()
  const stepsPerEpoch = await countSteps(given, components.objective)
  const trains = await mapTraining(components, adapted, sizes)
  const parameters = countParameters(adapted.trainable) + countParameters(adapted.frozen)
  const facts = { parameters, trainableParameters: countTraining(trains) }
  const { runState, constants } = await startingState(given, components, { adapted, optimizer, own }, checkpoint)
  const cache = await openCache(given, components, { ...adapted, trainable: runState.state.trainable })
  const steps = runState.progress.step + stepsLeft(runState.progress, stepsPerEpoch, plan.config.training.epochs)
  const session: Session = {
    ...given,
    components,
    adapted,
    constants,
    optimizer,
    ...programsOf(components, cache, { model, optimizer, models, own, rebuild, training: plan.config.training }),
    schedule: scheduleOf(plan),
    cache,
    stepsPerEpoch,
    steps,
    collationNumbers: collationNumbers(plan, steps),
    runState,
    generator: textGenerator({
      ...components,
      model,
      params: () => ({ ...adapted.frozen, ...runState.state.trainable }),
    }),
  }
  return { session, facts, trains, warnings: [...warnings, ...rest.warnings], vectorsLoaded }
}
