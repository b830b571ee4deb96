import { AttuneError, type Command, type HostTree, type Params, isHostArray, leaves, treeOf } from '@attune/core'
import { encodeAll } from '../step/batches.js'
import { handle, record } from './commands.js'
import {
  findCheckpoint,
  loadCheckpoint,
  pruneCheckpoints,
  tensorSources,
  writeCheckpoint,
} from '../files/checkpoint.js'
import { type Evaluated, evaluatedIn, withEvaluated } from '../files/evaluated.js'
import { evaluationParams } from '../setup/evaluation-params.js'
import type { TrainingState } from '../step/training-step.js'
import { requireLock } from '../files/run-lock.js'
import { type Scored, fieldsOfMetrics, score } from './score.js'
import type { Session } from '../setup/session.js'
import type { Split } from '../setup/splits.js'

/** Writes a checkpoint of the current state, and removes old ones. */
async function save(session: Session, labels: readonly string[], because: string): Promise<void> {
  const { plan, components, bus, runState, runFolder } = session
  const { directory } = plan
  const { step } = runState.progress
  if (directory === undefined || runFolder === undefined) {
    if (!runState.hasWarnedOfNoFolder)
      bus.emit({ type: 'run.warned', step, message: 'nothing is saved, because the configuration has no directory' })
    runState.hasWarnedOfNoFolder = true
    return
  }
  runState.progress = withEvaluated({ ...runState.progress, labels: [...labels], because }, runState.evaluated)
  const { memory } = runState
  const prepared = session.constants.regularizers
  const { choice } = session.adapted
  const tensors = tensorSources(components.engine, {
    ...runState.state,
    ...(memory === undefined ? {} : { memory }),
    ...(Object.keys(prepared).length === 0 ? {} : { prepared }),
    ...(choice === undefined ? {} : { choice }),
  })
  await requireLock(directory, runFolder.lock)
  const [run, history] = [runFolder.id, runFolder.log.history()]
  const saved = await writeCheckpoint(directory, tensors, { run, progress: runState.progress, history })
  bus.emit({ type: 'checkpoint.saved', step, ...saved, because })
  await pruneCheckpoints(directory)
}

/** Evaluates the given trainable parameters on a split. @param step the step of these parameters; default: the current one */
export async function evaluateOn(
  { components, adapted, bus, inference, runState }: Session,
  { name: split, examples }: Split,
  trainable: Params,
  step = runState.progress.step,
): Promise<Scored> {
  bus.emit({ type: 'evaluation.started', step, split })
  const begun = performance.now()
  const { items } = encodeAll(
    examples(),
    (example) => components.objective.encode(example),
    fieldsOfMetrics(components.metrics),
  )
  const params = { ...adapted.frozen, ...trainable }
  const generating = { ...components, model: adapted.model }
  const scored = await score(inference, components.objective, components.metrics, params, items, generating)
  bus.emit({ type: 'evaluation.completed', step, split, ...scored, seconds: (performance.now() - begun) / 1000 })
  return scored
}

/** Evaluates the current weights on the validation split. */
export async function evaluate(session: Session): Promise<void> {
  const { splits, runState } = session
  const weights = evaluationParams(session, runState.state)
  const { scores } = await evaluateOn(session, splits.validation, weights.trainable)
  weights.release()
  runState.evaluated = { step: runState.progress.step, scores }
}

/** Executes one command, except `save`. */
async function executeCommand(session: Session, command: Command): Promise<void> {
  const { runState, bus } = session
  switch (command.type) {
    case 'stop':
      runState.progress = { ...runState.progress, ended: runState.progress.ended ?? command.because }
      return
    case 'scaleLearningRate':
      runState.progress = {
        ...runState.progress,
        learningRateScale: runState.progress.learningRateScale * command.factor,
      }
      return
    case 'evaluate':
      return evaluate(session)
    case 'restore':
      runState.restore = command.label
      return
    case 'save':
      return
    case 'record':
      return record(bus, command.event)
    default:
      return handle(bus.handlers, command, {
        step: runState.progress.step,
        trainable: runState.state.trainable,
        record: (event) => record(bus, event),
      })
  }
}

/**
 * Executes all pending commands. Checkpoints are written last, so that each contains the complete step. An interruption saves a
 * checkpoint.
 */
export async function executeCommands(session: Session): Promise<void> {
  const { bus, runState } = session
  const saves: { labels: string[]; because: string }[] = []
  for (let command = bus.commands.shift(); command !== undefined; command = bus.commands.shift()) {
    bus.emit({ type: 'command.given', step: runState.progress.step, command })
    if (command.type === 'save')
      saves.push({ labels: command.label === undefined ? [] : [command.label], because: command.because })
    else await executeCommand(session, command)
  }
  if (bus.failure() !== undefined) throw bus.failure()
  if (runState.interrupted !== undefined) saves.push({ labels: [], because: runState.interrupted })
  if (runState.progress.ended !== undefined) saves.push({ labels: [], because: runState.progress.ended })
  const [first] = saves
  if (first === undefined) return
  await save(
    session,
    saves.flatMap(({ labels }) => labels),
    first.because,
  )
}

/** Weights of the final model. */
export interface FinalWeights {
  readonly trainable: Params
  /** The step that they are from. */
  readonly step: number
  /** Validation scores of these weights; undefined if they were not evaluated. */
  readonly scores: Evaluated['scores'] | undefined
}

const scoresAt = (step: number, evaluated: Evaluated | undefined): FinalWeights['scores'] =>
  evaluated?.step === step ? evaluated.scores : undefined

/** Weights of the final model: the last ones, or those of the checkpoint that a `restore` command requested. */
export async function finalWeights(session: Session): Promise<FinalWeights> {
  const { plan, components, runState, runFolder } = session
  if (runState.restore === undefined || plan.directory === undefined || runFolder === undefined) {
    const { step } = runState.progress
    return { ...evaluationParams(session, runState.state), step, scores: scoresAt(step, runState.evaluated) }
  }
  const step = await findCheckpoint(plan.directory, runState.restore)
  if (step === undefined)
    throw new AttuneError(
      'NO_SUCH_CHECKPOINT',
      `expected a checkpoint with the label "${runState.restore}", got none`,
      'Save under that label with callback-checkpoint, or do not use `restore`.',
    )
  const { state, progress } = await loadCheckpoint(plan.directory, step, runFolder.id)
  const wanted = session.optimizer.evaluationParams === undefined ? ['trainable/'] : ['trainable/', 'optimizer/']
  const part = leaves(state, isHostArray).filter(([path]) => wanted.some((prefix) => path.startsWith(prefix)))
  const restored = components.engine.put(treeOf(part) as HostTree) as unknown as Partial<TrainingState>
  const { trainable } = evaluationParams(session, {
    trainable: restored.trainable!,
    optimizer: restored.optimizer ?? {},
  })
  return { trainable, step, scores: scoresAt(step, evaluatedIn(progress)) }
}
