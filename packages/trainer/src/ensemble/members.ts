import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { AttuneError } from '@attune/core'
import { type OpenOptions, openRun } from '../files/run-folder.js'
import { requireModel } from '../files/require-model.js'

/** Files of a run folder that prediction and evaluation read. */
const FILES = ['config.json', 'learned.json', 'run.json', 'model', 'adapter']

/** Copies what prediction needs of a run folder; links in it are not followed. */
export function copyRun(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const name of FILES)
    if (existsSync(join(from, name))) cpSync(join(from, name), join(to, name), { recursive: true })
}

/** @throws AttuneError `FILE_EXISTS` unless the folder is new */
export function requireNewOutput(folder: string): void {
  if (!existsSync(folder)) return
  throw new AttuneError(
    'FILE_EXISTS',
    `expected a new folder for the ensemble, but ${folder} already exists`,
    'Choose another folder with --output, or move the existing one.',
  )
}

/** Makes a folder under a temporary name, and renames it once it is complete; removes it after an error. */
export async function makingFolder<T>(folder: string, work: (temporary: string) => Promise<T>): Promise<T> {
  requireNewOutput(folder)
  const temporary = `${resolve(folder)}.partial`
  rmSync(temporary, { recursive: true, force: true })
  mkdirSync(dirname(temporary), { recursive: true })
  try {
    const result = await work(temporary)
    renameSync(temporary, resolve(folder))
    return result
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw error
  }
}

/**
 * Requires finished runs.
 * @throws AttuneError `BAD_ARGUMENT` for fewer than two; `RUN_UNFINISHED`
 */
export function requireRuns(runs: readonly string[]): readonly string[] {
  const folders = requireDifferent(runs)
  for (const folder of folders) requireModel(folder)
  return folders
}

/** Requires two or more different folders, and resolves them. @throws AttuneError `BAD_ARGUMENT` */
export function requireDifferent(runs: readonly string[]): readonly string[] {
  const folders = runs.map((run) => resolve(run))
  const twice = folders.find((folder, i) => folders.indexOf(folder) !== i)
  if (folders.length < 2 || twice !== undefined)
    throw new AttuneError(
      'BAD_ARGUMENT',
      twice === undefined
        ? `an ensemble has at least two members, got ${folders.length}`
        : `an ensemble has every member once, got ${twice} twice`,
      'Name the folders of different runs.',
    )
  return folders
}

/** The settings of a run that determine its validation split, as text. */
export function validationOf(folder: string, options: OpenOptions): string {
  const { data, protocol, seed, fold, filter } = openRun(folder, options).config
  return JSON.stringify([data, data.validation === undefined ? [protocol, seed, fold, filter] : []])
}

/**
 * Requires that the runs have the same validation split, so that no member was trained on it.
 * @throws AttuneError `BAD_ARGUMENT`
 */
export function requireSharedValidation(folders: readonly string[], options: OpenOptions): void {
  const splits = folders.map((folder) => validationOf(folder, options))
  const other = splits.findIndex((split) => split !== splits[0])
  if (other < 0) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    `expected runs with the same validation split, but that of ${folders[other]} differs from that of ${folders[0]}: it may contain training data of another member`,
    'Pass labelled rows that no run was trained on: --data FILE. Or train the runs with one seed and protocol, or with data.validation.',
  )
}
