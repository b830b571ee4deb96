import { deriveKey, key, stream } from '@attune/core'
import type { Ending, GenerationEvent } from './events.js'
import { type Row, type Task, mostRoom, readBefore, restrict, roomFor } from './task.js'
import { type GrowingText, growingText } from './text-of.js'
import { argMax, draw, warp } from './warp.js'

/** A row of a batch while it is written. */
export interface GeneratedSequence extends Row {
  readonly written: number[]
  state: number
  readonly room: number
  readonly random: () => number
  readonly text: GrowingText
  ended: Ending | undefined
}

const beginRow = (task: Task, prompt: readonly number[], row: number): GeneratedSequence => ({
  prompt,
  written: [],
  state: 0,
  room: roomFor(task, prompt),
  random: stream(deriveKey(key(task.options.seed), row)),
  text: growingText(task.tokenizer, readBefore(task, prompt), task.options.stop),
  ended: undefined,
})

/** The next token of a row: the likeliest, or a draw. */
export function choose(task: Task, row: GeneratedSequence, logits: Float32Array): number {
  const scores = logits.slice()
  restrict(task, scores, row)
  if (task.options.temperature === 0) return argMax(scores)
  warp(scores, task.options)
  return draw(scores, row.random())
}

/** Takes a token into a row, and tells what came of it. */
export function* take(task: Task, at: number, row: GeneratedSequence, id: number): Generator<GenerationEvent, void> {
  if (task.ends.has(id)) row.ended = 'end'
  else {
    row.written.push(id)
    row.state = task.constraint?.next(row.state, id) ?? 0
    const { text, stopped } = row.text.add(row.written)
    yield { type: 'token', row: at, id, text }
    if (stopped) row.ended = 'stop'
    else if (row.written.length >= row.room) row.ended = 'length'
  }
  if (row.ended === undefined) return
  const { text, whole } = row.text.finish(row.written)
  if (text !== '') yield { type: 'token', row: at, id, text }
  yield { type: 'finished', row: at, ids: row.written, text: whole, because: row.ended }
}

/** The rows of a task, nothing written yet. */
export const beginRows = (task: Task): GeneratedSequence[] =>
  task.prompts.map((prompt, at) => beginRow(task, prompt, at))

/**
 * Writes one token after another for all prompts at once: the likeliest, or one that is drawn. Each row has randomness of
 * its own, so that a text does not depend on what is written beside it.
 */
export async function* sample(task: Task): AsyncGenerator<GenerationEvent, void> {
  const rows = beginRows(task)
  const { first, decoding } = await task.writer.begin(task.prompts, mostRoom(task))
  try {
    let { logits } = first
    while (!task.stopped()) {
      const next = rows.map((row, at) => (row.ended === undefined ? choose(task, row, logits[at]!) : 0))
      for (const [at, row] of rows.entries()) if (row.ended === undefined) yield* take(task, at, row, next[at]!)
      if (rows.every(({ ended }) => ended !== undefined)) return
      logits = (await decoding.read(next)).logits
    }
  } finally {
    decoding.close()
  }
}
