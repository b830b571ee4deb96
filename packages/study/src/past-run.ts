import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readJsonObject } from '@attune/files'

const MAXIMUM_BYTES = 10_000_000

/** Steps of the checkpoints in a run folder, latest first. */
export function checkpointsOf(directory: string): readonly number[] {
  const folder = join(directory, 'checkpoints')
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => /^\d+$/.test(name))
  return names.map(Number).sort((a, b) => b - a)
}

/** Step of the checkpoint with a label; undefined if there is none. */
export function labelledStep(directory: string, label: string): number | undefined {
  return checkpointsOf(directory).find((step) => {
    const path = join(directory, 'checkpoints', String(step), 'progress.json')
    const record = readJsonObject(path, MAXIMUM_BYTES, (why) => new Error(`${path}: ${why}`))
    const labels = (record?.['progress'] as { readonly labels?: unknown } | undefined)?.labels
    return Array.isArray(labels) && labels.includes(label)
  })
}

/** Scores of an evaluation by name. */
export type Values = Readonly<Record<string, number>>

/** Score values by name, without their details. */
export const valuesOf = (scores: Readonly<Record<string, { readonly value: number }>>): Values =>
  Object.fromEntries(Object.entries(scores).map(([name, { value }]) => [name, value]))
