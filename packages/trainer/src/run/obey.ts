import {
  AttuneError,
  type Command,
  type Engine,
  type HostTree,
  type Params,
  type Tree,
  isHostArray,
  leaves,
  treeOf,
} from '@attune/core'
import { encodeAll } from '../step/batches.js'
import { handle, record } from './commands.js'
import { findLabelled, loadCheckpoint, pruneCheckpoints, saveCheckpoint } from '../files/checkpoint.js'
import { evaluationParams } from '../setup/evaluation-params.js'
import type { TrainingState } from '../step/training-step.js'
import { requireLock } from '../files/run-lock.js'
import { type Scored, fieldsOfMetrics, score } from './score.js'
import type { Session } from '../setup/session.js'
import type { Split } from '../setup/splits.js'

/** Copies the trees of a checkpoint to host memory. */
const toHost = async (engine: Engine, tree: Tree): Promise<HostTree> => (await engine.read(tree)) as HostTree

/** Writes a checkpoint of the current state, and removes old ones. */
async function save(session: Session, labels: readonly string[], because: string): Promise<void> {
  const { plan, parts, bus, moving, keeping } = session
  const { directory } = plan
  const { step } = moving.progress
  if (directory === undefined || keeping === undefined) {
    if (!moving.warnedOfNoFolder)
      bus.emit({ type: 'run.warned', step, message: 'nothing is saved, because the configuration has no directory' })
    moving.warnedOfNoFolder = true
    return
  }
  moving.progress = { ...moving.progress, labels: [...labels], because }
  const { memory } = moving
  const prepared = session.constants.regularizers
  const state = await toHost(parts.engine, {
    ...moving.state,
    ...(memory === undefined ? {} : { memory }),
    ...(Object.keys(prepared).length === 0 ? {} : { prepared }),
  })
  await requireLock(directory, keeping.lock)
  const [run, history] = [keeping.id, keeping.log.history()]
  const saved = await saveCheckpoint(directory, { run, progress: moving.progress, state, history })
  bus.emit({ type: 'checkpoint.saved', step, ...saved, because })
  await pruneCheckpoints(directory)
}

/** Evaluates the given trainable parameters on a split. */
export async function evaluateOn(
  { parts, adapted, bus, inference, moving }: Session,
  { name: split, examples }: Split,
  trainable: Params,
): Promise<Scored> {
  const { step } = moving.progress
  bus.emit({ type: 'evaluation.started', step, split })
  const begun = performance.now()
  const { items } = encodeAll(examples(), (example) => parts.objective.encode(example), fieldsOfMetrics(parts.metrics))
  const params = { ...adapted.frozen, ...trainable }
  const generating = { ...parts, model: adapted.model }
  const scored = await score(inference, parts.objective, parts.metrics, params, items, generating)
  bus.emit({ type: 'evaluation.completed', step, split, ...scored, seconds: (performance.now() - begun) / 1000 })
  return scored
}

/** Evaluates the current weights on the validation split. */
export async function evaluate(session: Session): Promise<void> {
  const { splits, moving } = session
  const weights = evaluationParams(session, moving.state)
  const { scores } = await evaluateOn(session, splits.validation, weights.trainable)
  weights.release()
  moving.lastScores = scores
}

/** Executes one command, except `save`. */
async function obeyOne(session: Session, command: Command): Promise<void> {
  const { moving, bus } = session
  switch (command.type) {
    case 'stop':
      moving.progress = { ...moving.progress, ended: moving.progress.ended ?? command.because }
      return
    case 'scaleLearningRate':
      moving.progress = {
        ...moving.progress,
        learningRateScale: moving.progress.learningRateScale * command.factor,
      }
      return
    case 'evaluate':
      return evaluate(session)
    case 'restore':
      moving.restore = command.label
      return
    case 'save':
      return
    case 'record':
      return record(bus, command.event)
    default:
      return handle(bus.handlers, command, {
        step: moving.progress.step,
        trainable: moving.state.trainable,
        record: (event) => record(bus, event),
      })
  }
}

/**
 * Executes all pending commands. Checkpoints are written last, so that each contains the complete step. An interruption saves a
 * checkpoint.
 */
export async function obey(session: Session): Promise<void> {
  const { bus, moving } = session
  const saves: { labels: string[]; because: string }[] = []
  for (let command = bus.commands.shift(); command !== undefined; command = bus.commands.shift()) {
    bus.emit({ type: 'command.given', step: moving.progress.step, command })
    if (command.type === 'save')
      saves.push({ labels: command.label === undefined ? [] : [command.label], because: command.because })
    else await obeyOne(session, command)
  }
  if (bus.failure() !== undefined) throw bus.failure()
  if (moving.interrupted !== undefined) saves.push({ labels: [], because: moving.interrupted })
  if (moving.progress.ended !== undefined) saves.push({ labels: [], because: moving.progress.ended })
  const [first] = saves
  if (first === undefined) return
  await save(
    session,
    saves.flatMap(({ labels }) => labels),
    first.because,
  )
}

/** Weights of the final model: the last ones, or those of the checkpoint that a `restore` command requested. */
export async function finalTrainable(session: Session): Promise<Params> {
  const { plan, parts, moving, keeping } = session
  if (moving.restore === undefined || plan.directory === undefined || keeping === undefined)
    return evaluationParams(session, moving.state).trainable
  const step = await findLabelled(plan.directory, moving.restore)
  if (step === undefined)
    throw new AttuneError(
      'NO_SUCH_CHECKPOINT',
      `expected a checkpoint with the label "${moving.restore}", got none`,
      'Save under that label with callback-checkpoint, or do not use `restore`.',
    )
  const { state } = await loadCheckpoint(plan.directory, step, keeping.id)
  const wanted = session.optimizer.evaluationParams === undefined ? ['trainable/'] : ['trainable/', 'optimizer/']
  const part = leaves(state, isHostArray).filter(([path]) => wanted.some((prefix) => path.startsWith(prefix)))
  const restored = parts.engine.put(treeOf(part) as HostTree) as unknown as Partial<TrainingState>
  return evaluationParams(session, { trainable: restored.trainable!, optimizer: restored.optimizer ?? {} }).trainable
}
