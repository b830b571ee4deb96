import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError } from '@attune/core'

/** Latest step with a checkpoint in a run folder, if any. */
function latestCheckpoint(directory: string): number | undefined {
  const folder = join(directory, 'checkpoints')
  const steps = (existsSync(folder) ? readdirSync(folder) : []).filter((name) => /^\d+$/.test(name)).map(Number)
  return steps.length === 0 ? undefined : Math.max(...steps)
}

/**
 * Requires that a run has saved its model, which it does when training ends.
 * @throws AttuneError `RUN_UNFINISHED`
 */
export function requireModel(directory: string): void {
  if (existsSync(join(directory, 'model'))) return
  const step = latestCheckpoint(directory)
  const state = step === undefined ? 'and has no checkpoint' : `and its latest checkpoint is of step ${step}`
  throw new AttuneError(
    'RUN_UNFINISHED',
    `the run in ${directory} has no model yet: it stopped before training ended, ${state}`,
    `Finish it: npx attune train --resume ${directory}`,
  )
}
