import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, isAttuneError } from '@attune/core'
import type { Lock } from '@attune/files'
import type { RunRequest } from '../setup/begin.js'
import { listCheckpoints, loadCheckpoint } from '../files/checkpoint.js'
import { ALL_KEYS, type Plan, planOf } from '../plan/plan.js'
import { refuseChanges } from '../files/refuse-changes.js'
import { type OpenOptions, type OpenRun, chosenIn, openRun } from '../files/run-folder.js'
import { handleVersions } from '../files/plugin-versions.js'
import { type InputRecord, inputChanges, readInputs } from '../files/run-inputs.js'
import { readLearnedOptions } from '../setup/learned-options.js'
import { linksIn, writtenOutside } from '../files/trust.js'

/** Options for resuming a run. */
export interface ResumeOptions extends Omit<OpenOptions, 'change'> {
  /**
   * True to resume even if settings (an edited `config.json`) or inputs (data, pretrained model, tokenizer, vectors) differ from the
   * recorded ones. The log records the accepted changes. Default: false.
   */
  readonly acceptChanges?: boolean
  /**
   * True to resume with other versions of plugins and core than the recorded ones. The log records the accepted versions, and the record
   * is updated. Default: false; a different patch version is then a warning, and any other difference an error.
   */
  readonly acceptVersions?: boolean
}

/** @throws AttuneError `NOT_A_RUN` without creating anything, if the folder does not contain a run */
export function requireRun(directory: string): void {
  if (existsSync(join(directory, 'config.json'))) return
  throw new AttuneError(
    'NOT_A_RUN',
    `${directory} is not a run folder: expected config.json, got none`,
    'Use the `directory` of a run started with `npx attune train`. If that run ended before training started, start it again with its configuration.',
  )
}

/** Compares settings and inputs with the run's record, and returns the changes and the current inputs. */
async function compare(run: OpenRun, plan: Plan): Promise<{ changes: string[]; inputs: readonly InputRecord[] }> {
  const inputs = await readInputs(plan, run.inputs)
  const settings = run.changes.map((change) => `config.json: ${change}`)
  return { changes: [...settings, ...inputChanges(run.inputs, inputs)], inputs }
}

/** Plans a recorded run and handles version differences, which also explain options that a plugin now rejects. */
async function planRecorded(run: OpenRun, directory: string, { acceptVersions = false }: ResumeOptions) {
  const taken = () => handleVersions(directory, run.versions(), acceptVersions)
  const plan = await planOf(run.config, ALL_KEYS, run.lookup).catch((error: unknown) => {
    if (isAttuneError(error) && error.code === 'BAD_CONFIG') taken()
    throw error
  })
  return { plan, versions: taken() }
}

/**
 * Reads the run in a locked folder, and verifies that its inputs, settings and versions are unchanged.
 * @throws AttuneError `NOT_A_RUN`, `RUN_DAMAGED`, `RUN_CHANGED`, `VERSIONS_CHANGED`, `NOT_TRUSTED`, `BAD_CHECKPOINT`
 */
export async function requestToResume(directory: string, lock: Lock, options: ResumeOptions): Promise<RunRequest> {
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
    previous: {
      learned: { ...run.learned, options: await readLearnedOptions(run.learned.options, plan.config, run.lookup) },
      inputs,
      checkpoint,
      device: run.device,
      accepts: options.acceptChanges === true,
      accepted: [...changes, ...versions.accepted, ...trusted],
      warnings: versions.warnings,
    },
  }
}
