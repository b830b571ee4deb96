import { createReadStream, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseEvent } from '@attune/core'
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

/** Validation scores in a run's log up to and including a step, by step. */
export async function evaluationsOf(directory: string, upTo: number): Promise<ReadonlyMap<number, Values>> {
  const path = join(directory, 'events.jsonl')
  const found = new Map<number, Values>()
  if (!existsSync(path)) return found
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (!line.includes('"evaluation.completed"')) continue
    try {
      const event = parseEvent(line)
      if (event.type !== 'evaluation.completed' || event.split !== 'validation' || event.step > upTo) continue
      found.set(event.step, valuesOf(event.scores))
    } catch {
      continue // an incomplete line of a killed process
    }
  }
  return new Map([...found].sort(([a], [b]) => a - b))
}
