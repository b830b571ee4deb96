import { deriveKey, key, stream } from '@attune/core'
import type { Ending, GenerationEvent } from './events.js'
import { type PartialSequence, type Task, largestRoom, decoderPrompt, restrict, roomFor } from './task.js'
import { type TextStreamer, textStreamer } from './text-streamer.js'
import { argMax, sampleToken, warp } from './warp.js'

/** A sequence of a batch while it is generated. */
export interface GeneratedSequence extends PartialSequence {
  readonly generated: number[]
  state: number
  readonly room: number
  readonly random: () => number
  readonly text: TextStreamer
  ended: Ending | undefined
}

const newSequence = (task: Task, prompt: readonly number[], row: number): GeneratedSequence => ({
  prompt,
  generated: [],
  state: 0,
  room: roomFor(task, prompt),
  random: stream(deriveKey(key(task.options.seed), row)),
  text: textStreamer(task.tokenizer, decoderPrompt(task, prompt), task.options.stop),
  ended: undefined,
})

/** Chooses the next token of a sequence: argmax at temperature 0, else a sample. */
export function choose(task: Task, row: GeneratedSequence, logits: Float32Array): number {
  const scores = logits.slice()
  restrict(task, scores, row)
  if (task.options.temperature === 0) return argMax(scores)
  warp(scores, task.options)
  return sampleToken(scores, row.random())
}

/** Appends a token to a sequence and yields the resulting events. */
export function* appendToken(
  task: Task,
  at: number,
  row: GeneratedSequence,
  id: number,
): Generator<GenerationEvent, void> {
  if (task.ends.has(id)) row.ended = 'end'
  else {
    row.generated.push(id)
    row.state = task.constraint?.next(row.state, id) ?? 0
    const { text, stopped } = row.text.add(row.generated)
    yield { type: 'token', row: at, id, text }
    if (stopped) row.ended = 'stop'
    else if (row.generated.length >= row.room) row.ended = 'length'
  }
  if (row.ended === undefined) return
  const { text, fullText } = row.text.finish(row.generated)
  if (text !== '') yield { type: 'token', row: at, id, text }
  yield { type: 'finished', row: at, ids: row.generated, text: fullText, because: row.ended }
}

/** Empty sequences for the prompts of a task. */
export const newSequences = (task: Task): GeneratedSequence[] =>
  task.prompts.map((prompt, at) => newSequence(task, prompt, at))

/**
 * Generates token by token for all prompts at once, greedily or by sampling. Each sequence has its own random stream, so the
 * output does not depend on the other prompts of the batch.
 */
export async function* sample(task: Task): AsyncGenerator<GenerationEvent, void> {
  const rows = newSequences(task)
  const { first, decoding } = await task.decoder.prefill(task.prompts, largestRoom(task))
  try {
    let { logits } = first
    while (!task.stopped()) {
      const next = rows.map((row, at) => (row.ended === undefined ? choose(task, row, logits[at]!) : 0))
      for (const [at, row] of rows.entries()) if (row.ended === undefined) yield* appendToken(task, at, row, next[at]!)
      if (rows.every(({ ended }) => ended !== undefined)) return
      logits = (await decoding.read(next)).logits
    }
  } finally {
    decoding.close()
  }
}
