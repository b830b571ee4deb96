import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Score, parseEvent } from '@attune/core'
import { logPath } from './run-log.js'

/** Scores of an evaluation by name. */
export type Scores = Readonly<Record<string, Score>>

/**
 * Validation scores in the log of a run, by step in ascending order. An evaluation that a resumed run repeated replaces the earlier one.
 * @param upTo the last step; default: all
 */
export async function evaluationsOf(directory: string, upTo = Infinity): Promise<ReadonlyMap<number, Scores>> {
  const path = logPath(directory)
  const found = new Map<number, Scores>()
  if (!existsSync(path)) return found
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (!line.includes('"evaluation.completed"')) continue
    try {
      const event = parseEvent(line)
      if (event.type !== 'evaluation.completed' || event.split !== 'validation' || event.step > upTo) continue
      found.set(event.step, event.scores)
    } catch {
      continue // an incomplete line of a killed process
    }
  }
  return new Map([...found].sort(([a], [b]) => a - b))
}
