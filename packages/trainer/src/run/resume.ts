import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, isAttuneError } from '@attune/core'
import type { Lock } from '@attune/files'
import type { Order } from '../setup/begin.js'
import { listCheckpoints, loadCheckpoint } from '../files/checkpoint.js'
import { ALL_KEYS, type Plan, planOf } from '../plan/plan.js'
import { refuseChanges } from '../files/refuse-changes.js'
import { type OpenOptions, type OpenRun, chosenIn, openRun } from '../files/run-folder.js'
import { takeVersions } from '../files/plugin-versions.js'
import { type InputRecord, inputChanges, readInputs } from '../files/run-inputs.js'
import { linksIn, writtenOutside } from '../files/trust.js'

/** How a run is resumed. */
export interface ResumeOptions extends OpenOptions {
  /**
   * True if the run goes on though settings (an edited `config.json`) or inputs (data, start model, tokenizer, vectors) differ from
   * those recorded. The log keeps what was accepted. Default: false.
   */
  readonly acceptChanges?: boolean
  /**
   * True if the run goes on with other versions of plugins and core than those recorded. The log keeps what was accepted, and the
   * record holds the new versions from then on. Default: false, where another patch is a warning and anything else refused.
   */
  readonly acceptVersions?: boolean
}

/** @throws AttuneError `NOT_A_RUN` before anything is made in a folder that holds no run */
export function requireRun(directory: string): void {
  if (existsSync(join(directory, 'config.json'))) return
  throw new AttuneError(
    'NOT_A_RUN',
    `${directory} is not the folder of a run: it has no config.json`,
    'Name the `directory` of a run that was started with `attune train`. If a run ended there before it began, start it again with its configuration.',
  )
}

/** What differs from the run's record, and the inputs as they are now. */
async function compare(run: OpenRun, plan: Plan): Promise<{ changes: string[]; inputs: readonly InputRecord[] }> {
  const inputs = await readInputs(plan, run.inputs)
  const settings = run.changes.map((change) => `config.json: ${change}`)
  return { changes: [...settings, ...inputChanges(run.inputs, inputs)], inputs }
}

/** The plan of a recorded run, and what its versions mean. Options that another version refuses are the version's doing. */
async function planRecorded(run: OpenRun, directory: string, { acceptVersions = false }: ResumeOptions) {
  const taken = () => takeVersions(directory, run.versions(), acceptVersions)
  const plan = await planOf(run.config, ALL_KEYS, run.lookup).catch((error: unknown) => {
    if (isAttuneError(error) && error.code === 'BAD_CONFIG') taken()
    throw error
  })
  return { plan, versions: taken() }
}

/**
 * Reads the run in a folder, whose lock is held, and makes sure that it goes on with what it was started with.
 * @throws AttuneError `NOT_A_RUN`, `RUN_DAMAGED`, `RUN_CHANGED`, `VERSIONS_CHANGED`, `NOT_TRUSTED`, `BAD_CHECKPOINT`
 */
export async function orderToResume(directory: string, lock: Lock, options: ResumeOptions): Promise<Order> {
  const run = openRun(directory, options)
  const { plan, versions } = await planRecorded(run, directory, options)
  const outside = chosenIn(plan.config).flatMap((chosen) => writtenOutside(chosen, directory))
  await run.requireTrust([...linksIn(directory), ...outside])
  const { changes, inputs } = await compare(run, plan)
  if (changes.length > 0 && options.acceptChanges !== true) throw refuseChanges(directory, changes)
  const [latest] = await listCheckpoints(directory)
  const checkpoint = latest === undefined ? undefined : await loadCheckpoint(directory, latest, run.id)
  const trusted = run.trusted.map(({ what, path }) => `trusted ${what}: ${path}`)
  return {
    plan,
    kept: { id: run.id, lock },
    earlier: {
      learned: run.learned,
      inputs,
      checkpoint,
      device: run.device,
      accepts: options.acceptChanges === true,
      accepted: [...changes, ...versions.accepted, ...trusted],
      warnings: versions.warnings,
    },
  }
}
