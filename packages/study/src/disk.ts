import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type Choice, type Trial, parseJson } from '@attune/core'
import { withLock, writeFileAtomically } from '@attune/files'
import { checkpointsOf } from './past-run.js'
import { withChoice } from './with-choice.js'

/** The run folder of a trial. */
export const trialFolder = (directory: string, id: number): string => join(directory, 'trials', String(id))

/** Removes the models and checkpoints of finished trials, except those in `kept`. */
export function removeModels(directory: string, trials: readonly Trial[], kept: readonly number[]): void {
  const over = trials.filter(({ id, state }) => !['running', 'paused'].includes(state) && !kept.includes(id))
  for (const { id } of over)
    for (const part of ['model', 'checkpoints'])
      rmSync(join(trialFolder(directory, id), part), { recursive: true, force: true })
}

const WAIT_MILLISECONDS = 60_000

/** Waits until an orphaned process of an earlier session has exited and released the run's lock. */
async function waitForOrphan(folder: string): Promise<void> {
  if (!existsSync(join(folder, 'run.lock'))) return
  const signal = AbortSignal.timeout(WAIT_MILLISECONDS)
  await withLock(join(folder, 'run.lock'), () => Promise.resolve(), { signal, onWait: () => undefined })
}

/**
 * Prepares the folder of an interrupted trial for resuming.
 * @returns the step of its latest checkpoint, or 0 if there is none; the folder is then removed and the trial restarts
 */
export async function readyToResume(folder: string): Promise<number> {
  await waitForOrphan(folder)
  const [step] = checkpointsOf(folder)
  if (step !== undefined && existsSync(join(folder, 'config.json'))) return step
  rmSync(folder, { recursive: true, force: true })
  return 0
}

/**
 * Creates the folder of a trial that starts from another trial's checkpoint: a copy with the new choice in its configuration.
 * @throws AttuneError `NO_SUCH_CHECKPOINT`
 */
export async function branchFrom(directory: string, from: number, id: number, choice: Choice): Promise<void> {
  const [source, target] = [trialFolder(directory, from), trialFolder(directory, id)]
  if (checkpointsOf(source).length === 0)
    throw new AttuneError(
      'NO_SUCH_CHECKPOINT',
      `trial ${id}: expected a checkpoint of trial ${from} to start from, got none`,
      'Keep the checkpoints of all trials: `study.keepAll: true`.',
    )
  rmSync(target, { recursive: true, force: true })
  const left = [join(source, 'model'), join(source, 'run.lock')]
  cpSync(source, target, { recursive: true, filter: (path) => !left.includes(path) })
  const config = parseJson(readFileSync(join(target, 'config.json'), 'utf8')) as object
  await writeFileAtomically(join(target, 'config.json'), JSON.stringify(withChoice(config, choice), null, 2))
}
