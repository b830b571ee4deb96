import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type Choice, type Trial, parseJson } from '@attune/core'
import { withLock, writeFileAtomically } from '@attune/files'
import { checkpointsOf } from './past-run.js'
import { withChoice } from './with-choice.js'

/** The folder of a trial's run. */
export const trialFolder = (directory: string, id: number): string => join(directory, 'trials', String(id))

/** Removes the models and checkpoints of trials that ended, except those of `kept`. */
export function removeModels(directory: string, trials: readonly Trial[], kept: readonly number[]): void {
  const over = trials.filter(({ id, state }) => !['running', 'paused'].includes(state) && !kept.includes(id))
  for (const { id } of over)
    for (const part of ['model', 'checkpoints'])
      rmSync(join(trialFolder(directory, id), part), { recursive: true, force: true })
}

const WAIT_MILLISECONDS = 60_000

/** Waits until a process that was left over from before has ended and given the folder free. */
async function waitForOrphan(folder: string): Promise<void> {
  if (!existsSync(join(folder, 'run.lock'))) return
  const signal = AbortSignal.timeout(WAIT_MILLISECONDS)
  await withLock(join(folder, 'run.lock'), () => Promise.resolve(), { signal, onWait: () => undefined })
}

/**
 * Readies the folder of a trial that was interrupted.
 * @returns the step of its checkpoint, or 0 if it must be run again: then the folder is gone
 */
export async function readyToResume(folder: string): Promise<number> {
  await waitForOrphan(folder)
  const [step] = checkpointsOf(folder)
  if (step !== undefined && existsSync(join(folder, 'config.json'))) return step
  rmSync(folder, { recursive: true, force: true })
  return 0
}

/**
 * Makes the folder of a trial that starts from the checkpoint of another: a copy, with the new choice in its configuration.
 * @throws AttuneError `NO_SUCH_CHECKPOINT`
 */
export async function branchFrom(directory: string, from: number, id: number, choice: Choice): Promise<void> {
  const [source, target] = [trialFolder(directory, from), trialFolder(directory, id)]
  if (checkpointsOf(source).length === 0)
    throw new AttuneError(
      'NO_SUCH_CHECKPOINT',
      `trial ${id} is to start from the checkpoint of trial ${from}, which has none`,
      'Keep the checkpoints of all trials: `study.keepAll: true`.',
    )
  rmSync(target, { recursive: true, force: true })
  const left = [join(source, 'model'), join(source, 'run.lock')]
  cpSync(source, target, { recursive: true, filter: (path) => !left.includes(path) })
  const config = parseJson(readFileSync(join(target, 'config.json'), 'utf8')) as object
  await writeFileAtomically(join(target, 'config.json'), JSON.stringify(withChoice(config, choice), null, 2))
}
