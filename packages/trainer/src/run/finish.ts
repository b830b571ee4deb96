import { join } from 'node:path'
import type { Params } from '@attune/core'
import { outlivesTraining } from './commands.js'
import { type FinalWeights, evaluateOn, executeCommands, finalWeights } from './execute-commands.js'
import { requireLock } from '../files/run-lock.js'
import { ADAPTER_FOLDER, requireSaveable, saveAdapter } from '../files/saved-adapter.js'
import { saveRunModel } from './save-run-model.js'
import type { Session } from '../setup/session.js'

/** Executes commands after the last step. Commands that control training are dropped; another save would be redundant. */
async function executeLastCommands(session: Session): Promise<void> {
  const { bus, runState } = session
  const last = bus.commands.splice(0).filter(outlivesTraining)
  bus.commands.push(...last)
  const { ended, ...progress } = runState.progress
  runState.progress = progress
  await executeCommands(session)
  runState.progress = { ...runState.progress, ended: ended as string }
}

/** Saves the trained adapter separately. */
const saveTrained = ({ components, adapted, plan }: Session, directory: string, trainable: Params): Promise<void> =>
  saveAdapter(components.engine, requireSaveable(adapted, plan.config.adapter.plugin.name), trainable, {
    folder: join(directory, ADAPTER_FOLDER),
    base: plan.from?.path,
  })

/** Validation scores of the final weights, evaluated now if the latest scores of the run are those of other weights. */
async function finalScores(session: Session, { trainable, step, scores }: FinalWeights) {
  if (scores !== undefined || session.runState.evaluated === undefined) return scores
  return (await evaluateOn(session, session.splits.validation, trainable, step)).scores
}

/**
 * Saves the model after training, and reports the end of the run. A run ends with its last step, a `stop` command, or an interruption,
 * which does not save a model. If the fold has a test split, the final weights are evaluated on it before they are saved.
 * @param begun start time of the run in milliseconds
 */
export async function finish(session: Session, begun: number): Promise<void> {
  const { bus, runState, plan, adapted, components, runFolder } = session
  const { step, ended } = runState.progress
  const seconds = (performance.now() - begun) / 1000
  if (ended === undefined)
    return bus.emit({ type: 'run.completed', step, seconds, because: runState.interrupted ?? 'interrupted' })
  bus.emit({ type: 'training.completed', step, because: ended })
  session.step.dispose() // frees its memory for the final evaluation and the files
  await executeLastCommands(session)
  if (plan.directory === undefined) return bus.emit({ type: 'run.completed', step, seconds, because: ended })
  const baseOf = components.engine.compile(adapted.base)
  const final = await finalWeights(session)
  const { trainable } = final
  const scores = await finalScores(session, final)
  if (session.splits.test !== undefined) await evaluateOn(session, session.splits.test, trainable)
  const base = baseOf(trainable, adapted.frozen)
  baseOf.dispose()
  if (runFolder !== undefined) await requireLock(plan.directory, runFolder.lock)
  if (plan.config.saveAdapter) await saveTrained(session, plan.directory, trainable)
  const model = await saveRunModel(session, join(plan.directory, 'model'), { trainable, base }, scores)
  const restored = final.step === step ? {} : { restored: { step: final.step, scores: scores ?? {} } }
  bus.emit({ type: 'run.completed', step, seconds, because: ended, model, ...restored })
}
