import {
  type Adapted,
  AttuneError,
  type DataPass,
  type Engine,
  type Objective,
  type Optimizer,
  type Params,
  type Regularizer,
  type RunEvents,
  type Scope,
  type Tree,
} from '@attune/core'
import type { Lock } from '@attune/files'
import { chain, clipByGlobalNorm } from '@attune/nn'
import type { Bus } from '../run/bus.js'
import type { Checkpoint, Progress } from '../files/checkpoint.js'
import { type CompiledStep, compileStep } from '../step/compiled-step.js'
import { type TextGenerator, textGenerator } from '../step/text-generator.js'
import type { Splits } from '../data/open-splits.js'
import { countBatches, encodeRows } from '../step/batches.js'
import type { StepConstants } from '../step/loss-function.js'
import { auxiliaryModels } from './auxiliary-models.js'
import { type Components, componentsOf, withLearned } from './compose.js'
import { rebuilder, scheduleOf } from './scheduled.js'
import { type Inference, inference } from '../inference/infer.js'
import { adaptFirst } from './adapt.js'
import { passOver } from './pass-over.js'
import { loadEncoder } from './frozen-encoder.js'
import { warningsOf } from './load-report.js'
import type { Plan } from '../plan/plan.js'
import { type TrainingSettings, microBatchSizeOf } from '../plan/run-config.js'
import type { LastScores } from '../files/save-model.js'
import type { Learned } from '../files/run-folder.js'
import type { InputRecord } from '../files/run-inputs.js'
import type { RunLog } from '../files/run-log.js'
import { type NamedVectors, placeVectors } from './static-vectors.js'
import type { TrainingState } from '../step/training-step.js'
import { countParameters, firstParameters } from './weights.js'

/** What changes while a run goes on. */
export interface RunState {
  state: TrainingState
  /** What the objective's `beforeEpoch` returned for this epoch. */
  memory: Tree | undefined
  progress: Progress
  /** Commands from outside that ask for an interruption; the first one's reason. */
  interrupted: string | undefined
  /** The label of the checkpoint whose weights the final model is to have. */
  restore: string | undefined
  lastScores: LastScores
  warnedOfNoFolder: boolean
}

/** The folder of a run as this process holds it. */
export interface Keeping {
  /** The run's id. */
  readonly id: string
  readonly log: RunLog
  readonly lock: Lock
  /** Digests of what the run reads. */
  readonly inputs: readonly InputRecord[]
}

/** Everything of a run that is under way. */
export interface Session {
  readonly plan: Plan
  /** Undefined for a run without a folder. */
  readonly keeping: Keeping | undefined
  readonly learned: Learned
  readonly scope: Scope
  readonly parts: Components
  readonly adapted: Adapted
  /** Trees that stay the same from step to step. */
  readonly constants: StepConstants
  /** The chain, clipping included. */
  readonly optimizer: Optimizer
  readonly step: CompiledStep
  /** The values of scheduled options at a step, by path. */
  schedule(step: number, steps: number): Readonly<Record<string, number>>
  readonly inference: Inference
  /** Generates text with the current weights. */
  readonly generator: TextGenerator
  readonly splits: Splits
  readonly bus: Bus
  readonly stepsPerEpoch: number
  readonly steps: number
  readonly moving: RunState
}

const START: Progress = { step: 0, epoch: 0, batches: 0, learningRateScale: 1, labels: [], because: 'start' }

/** What nothing has been said of yet. */
const AT_REST = { interrupted: undefined, restore: undefined, lastScores: undefined, warnedOfNoFolder: false }

/** The trees of a checkpoint, apart from empty ones, which a file does not hold. */
interface SavedTrees {
  readonly trainable: Params
  readonly optimizer?: Tree
  readonly memory?: Tree
  readonly prepared?: Readonly<Record<string, Tree>>
}

/** The state of a run that begins, or the one that a checkpoint holds, on the device. */
function firstState(engine: Engine, adapted: Adapted, init: (params: Params) => Tree, from: Checkpoint | undefined) {
  if (from === undefined) {
    const optimizer = engine.compile(() => init(adapted.trainable))()
    return { state: { trainable: adapted.trainable, optimizer }, memory: undefined, prepared: undefined }
  }
  const saved = engine.put(from.state) as unknown as SavedTrees
  const [expected, found] = [Object.keys(adapted.trainable).sort(), Object.keys(saved.trainable).sort()]
  if (String(expected) !== String(found))
    throw new AttuneError(
      'BAD_CHECKPOINT',
      `the checkpoint of step ${from.progress.step} has other parameters than the configuration asks for`,
      'Resume with the configuration that the run was started with.',
    )
  engine.release(adapted.trainable)
  const state = { trainable: saved.trainable, optimizer: saved.optimizer ?? ({} as Tree) }
  return { state, memory: saved.memory, prepared: saved.prepared ?? {} }
}

/** Constants that regularizers compute once before training, by their position. */
async function prepare(regularizers: readonly Regularizer[], pass: DataPass, trainable: Params) {
  const prepared: Record<string, Tree> = {}
  for (const [i, regularizer] of regularizers.entries())
    if (regularizer.prepare !== undefined) prepared[i] = await regularizer.prepare(pass, trainable)
  return prepared
}

/** The parameters a run begins with, and what is to be told of them. */
function begin(parts: Components, plan: Plan, named: NamedVectors | undefined) {
  const first = firstParameters(parts, plan.config.seed, plan.from)
  const { report } = first
  const inside = plan.encoder?.path
  const params = inside === undefined ? first.params : loadEncoder(parts, first.params, inside)
  const warnings = report === undefined ? [] : warningsOf(report)
  if (named === undefined) return { params, warnings, placed: undefined }
  const { params: started, ...counts } = placeVectors(parts, params, named)
  return { params: started, warnings, placed: { path: named.path, ...counts } }
}

/**
 * A loss that compares the examples of a batch is not the sum of those of its parts, and a closure evaluates one part only.
 * @throws AttuneError `BATCH_IN_PARTS`
 */
function requireWholeBatches(
  { comparesExamples = false }: Objective,
  { needsClosure }: Pick<Optimizer, 'needsClosure'>,
  training: TrainingSettings,
): void {
  const { batchSize } = training
  const microBatchSize = microBatchSizeOf(training)
  if ((!comparesExamples && needsClosure !== true) || microBatchSize >= batchSize) return
  throw new AttuneError(
    'BATCH_IN_PARTS',
    comparesExamples
      ? `the objective compares all ${batchSize} examples of a batch with one another, and microBatchSize would part them into ${microBatchSize} at a time`
      : `the optimizer evaluates the loss of a batch of ${batchSize} examples again, and microBatchSize would part them into ${microBatchSize} at a time`,
    'Leave out training.microBatchSize; training.gradientCheckpointing and a smaller batchSize save memory too.',
  )
}

/** Steps that are left of all epochs. Where the data changed and that was accepted, an epoch may be shorter than what is done of it. */
function stepsLeft({ epoch, batches }: Progress, stepsPerEpoch: number, epochs: number): number {
  if (epoch >= epochs) return 0
  return Math.max(0, stepsPerEpoch - batches) + (epochs - epoch - 1) * stepsPerEpoch
}

/** The steps of an epoch: the batches of its examples, in the order of the sampler where there is one. */
const countSteps = (
  { splits: { train }, learned, plan }: Pick<Session, 'splits' | 'learned' | 'plan'>,
  objective: Objective,
): Promise<number> =>
  countBatches(
    () => encodeRows(train.rows(train.sampled && 0), (example) => objective.encode(example)).items,
    train.sampled?.count ?? learned.examples,
    plan.config.training.batchSize,
  )

type Given = Pick<Session, 'plan' | 'learned' | 'scope' | 'splits' | 'bus' | 'keeping'>

/** The optimizer's chain, clipping included, and a function that rebuilds it and other parts with scheduled options. */
function chainedOptimizer({ plan, scope, learned }: Given, parts: Components) {
  const { clipNorm } = plan.config.training
  const chained = (links: readonly Optimizer[]): Optimizer =>
    chain(...(clipNorm === null ? [] : [clipByGlobalNorm(clipNorm)]), ...links)
  const optimizer = chained(parts.optimizers)
  requireWholeBatches(parts.objective, optimizer, plan.config.training)
  const complete = withLearned(plan, learned.options)
  return { optimizer, complete, rebuild: rebuilder(complete, scope, chained) }
}

/** The state that training begins with or goes on from, and the trees that stay the same from step to step. */
async function startingState(
  given: Given,
  parts: Components,
  { adapted, optimizer, own }: Pick<Session, 'adapted' | 'optimizer'> & { readonly own: StepConstants['models'] },
  checkpoint: Checkpoint | undefined,
): Promise<Pick<Session, 'moving' | 'constants'>> {
  const { state, memory, prepared } = firstState(parts.engine, adapted, optimizer.init, checkpoint)
  const pass = passOver(given, { ...parts, model: adapted.model }, state.trainable, adapted.frozen)
  const regularizers = prepared ?? (await prepare(parts.regularizers, pass, state.trainable))
  return {
    constants: { models: own, regularizers, masks: adapted.masks ?? {} },
    moving: { ...AT_REST, state, memory, progress: checkpoint?.progress ?? START },
  }
}

/** Makes a session of a composed scope whose engine is up. */
export async function openSession(
  given: Given,
  { checkpoint, vectors }: { readonly checkpoint?: Checkpoint | undefined; readonly vectors: NamedVectors | undefined },
): Promise<{
  readonly session: Session
  readonly facts: { parameters: number; trainableParameters: number }
  readonly warnings: readonly string[]
  readonly placed: RunEvents['vectors.loaded'] | undefined
}> {
  const { plan, scope } = given
  const parts = componentsOf(given.scope)
  const { engine, objective, regularizers } = parts
  const { optimizer, complete, rebuild } = chainedOptimizer(given, parts)
  const { params, ...told } = begin(parts, plan, vectors)
  const { adapted, first, release } = await adaptFirst(given, parts, params)
  const { model } = adapted
  const { models, own } = await auxiliaryModels(complete, scope, parts, first, adapted)
  release()
  const stepsPerEpoch = await countSteps(given, objective)
  const trainableParameters = countParameters(adapted.trainable)
  const facts = { parameters: trainableParameters + countParameters(adapted.frozen), trainableParameters }
  const { moving, constants } = await startingState(given, parts, { adapted, optimizer, own }, checkpoint)
  const { epochs, gradientCheckpointing } = plan.config.training
  const compiled = { model, objective, optimizer, regularizers, models, gradientCheckpointing }
  const session: Session = {
    ...given,
    parts,
    adapted,
    constants,
    optimizer,
    step: compileStep(engine, { ...compiled, ...(rebuild === undefined ? {} : { rebuild }) }),
    schedule: scheduleOf(plan),
    inference: inference(engine, model, objective, { batchSize: microBatchSizeOf(plan.config.training) }),
    stepsPerEpoch,
    steps: moving.progress.step + stepsLeft(moving.progress, stepsPerEpoch, epochs),
    moving,
    generator: textGenerator({ ...parts, model, params: () => ({ ...adapted.frozen, ...moving.state.trainable }) }),
  }
  return { session, facts, ...told }
}
