import { existsSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { AttuneError, type Example, type Source, nearest } from '@attune/core'
import { pluginsOfModel } from '@attune/trainer/node'
import { folderOf } from '../../hub-models.js'
import { searchPathsFrom } from '../../search-paths.js'
import { sourceOf } from '../evaluate.js'
import type { Start } from './config-text.js'
import { fieldsFor } from './recognize-rows.js'
import { type Fields, TASKS } from './tasks.js'

/** Rows that are read to recognize the layout. */
const SAMPLE = 200

/** The first rows of a data file. */
export async function firstRows(file: string): Promise<Example[]> {
  const { use, ...options } = await sourceOf(file)
  const source = use.plugin(options) as Source
  const rows: Example[] = []
  for await (const row of source.open()) if (rows.push(row) >= SAMPLE) break
  return rows
}

/** @throws AttuneError `UNKNOWN_TASK` */
export function requireTask(name: string): string {
  const names = Object.keys(TASKS)
  if (names.includes(name)) return name
  const near = nearest(name, names)
  throw new AttuneError(
    'UNKNOWN_TASK',
    `expected a task, got "${name}"`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Tasks: ${names.join(', ')}.`,
  )
}

/** @throws AttuneError `BAD_USAGE` for a task that needs a teacher */
export function requireNoTeacher(name: string): void {
  if (TASKS[name]!.hasTeacher !== true) return
  throw new AttuneError(
    'BAD_USAGE',
    `task ${name}: expected a trained model to learn from, got none`,
    `Name its folder: npx attune init ${name} --from FOLDER`,
  )
}

/** @throws AttuneError `NO_FIELDS` */
export function requireFields(name: string, rows: readonly Example[], file: string): Fields {
  const task = TASKS[name]!
  const fields = fieldsFor(name, task, rows)
  if (fields !== undefined) return fields
  const wanted = Object.entries(task.fields).map(([option, names]) => `${option} (named ${names.join(', ')})`)
  throw new AttuneError(
    'NO_FIELDS',
    `${file}: expected fields for ${wanted.join(' and ')}, got ${Object.keys(rows[0] ?? {}).join(', ') || 'no rows'}`,
    'Fill these fields in every row, or name another task: npx attune init --help lists them.',
  )
}

/** The saved model of `--from`, as a configuration at `output` names it. */
export async function startOf(reference: string, output: string): Promise<Start> {
  const folder = await folderOf(reference)
  const named = existsSync(reference) ? relative(dirname(resolve(output)), folder) || '.' : reference
  return { reference: named, ...(await pluginsOfModel(folder, searchPathsFrom())) }
}
