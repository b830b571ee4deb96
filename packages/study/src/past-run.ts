import { createReadStream, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseEvent } from '@attune/core'
import { readJsonObject } from '@attune/files'

const MAXIMUM_BYTES = 10_000_000

/** The steps of the checkpoints in a run's folder, the latest first. */
export function checkpointsOf(directory: string): readonly number[] {
  const folder = join(directory, 'checkpoints')
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => /^\d+$/.test(name))
  return names.map(Number).sort((a, b) => b - a)
}

/** The step of the checkpoint that has a label; undefined if none has. */
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

/** The scores by name, without their parts. */
export const valuesOf = (scores: Readonly<Record<string, { readonly value: number }>>): Values =>
  Object.fromEntries(Object.entries(scores).map(([name, { value }]) => [name, value]))

/** The evaluations of the validation split that a run's log holds up to a step, by step. */
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
      continue // half a line, left by a process that was killed
    }
  }
  return new Map([...found].sort(([a], [b]) => a - b))
}
