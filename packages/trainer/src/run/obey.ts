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
import { findLabelled, loadCheckpoint, pruneCheckpoints, saveCheckpoint } from '../files/checkpoint.js'
import { requireLock } from '../files/run-lock.js'
import { score } from './score.js'
import type { Session } from '../setup/session.js'

/** Copies what a checkpoint holds to the host. */
const toHost = async (engine: Engine, tree: Tree): Promise<HostTree> => (await engine.read(tree)) as HostTree

/** Writes a checkpoint of where the run stands, and removes those that are no longer needed. */
async function save(session: Session, labels: readonly string[], because: string): Promise<void> {
  const { plan, parts, bus, moving, keeping } = session
  const { directory } = plan
  const { step } = moving.progress
  if (directory === undefined || keeping === undefined) {
    if (!moving.warnedOfNoFolder)
      bus.emit({ type: 'run.warned', step, message: 'nothing is saved: the configuration names no directory' })
    moving.warnedOfNoFolder = true
    return
  }
  moving.progress = { ...moving.progress, labels: [...labels], because }
  const state = await toHost(parts.engine, moving.state)
  await requireLock(directory, keeping.lock)
  const [run, history] = [keeping.id, keeping.log.history()]
  const saved = await saveCheckpoint(directory, { run, progress: moving.progress, state, history })
  bus.emit({ type: 'checkpoint.saved', step, ...saved, because })
  await pruneCheckpoints(directory)
}

/** Scores the validation split. */
export async function evaluate({ parts, adapted, splits, bus, inference, moving }: Session): Promise<void> {
  const { step } = moving.progress
  const split = splits.validation.name
  bus.emit({ type: 'evaluation.started', step, split })
  const begun = performance.now()
  const { items } = encodeAll(splits.validation.examples(), (example) => parts.objective.encode(example))
  const params = { ...adapted.frozen, ...moving.state.trainable }
  const scored = await score(inference, parts.objective, parts.metrics, params, items)
  moving.lastScores = scored.scores
  bus.emit({ type: 'evaluation.completed', step, split, ...scored, seconds: (performance.now() - begun) / 1000 })
}

/** Does what one command says, except saving; returns the label to save under, if it asks for that. */
async function obeyOne(session: Session, command: Command): Promise<void> {
  const { moving } = session
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
  }
}

/**
 * Obeys every command given so far. Checkpoints are written last, when all else of this step is done, so that each holds
 * the step whole. An interruption is a save.
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

/** The weights that the final model is to have: the last ones, or those of the checkpoint that a command asked for. */
export async function finalTrainable({ plan, parts, moving, keeping }: Session): Promise<Params> {
  if (moving.restore === undefined || plan.directory === undefined || keeping === undefined)
    return moving.state.trainable
  const step = await findLabelled(plan.directory, moving.restore)
  if (step === undefined)
    throw new AttuneError(
      'NO_SUCH_CHECKPOINT',
      `no checkpoint has the label "${moving.restore}"`,
      'Let callback-checkpoint save under that label, or do without `restore`.',
    )
  const { state } = await loadCheckpoint(plan.directory, step, keeping.id)
  const trainable = leaves(state, isHostArray).filter(([path]) => path.startsWith('trainable/'))
  return parts.engine.put((treeOf(trainable) as { trainable: HostTree }).trainable) as Params
}
