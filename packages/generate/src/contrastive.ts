import type { GenerationEvent } from './events.js'
import { beginRows, take } from './sample.js'
import { type Task, mostRoom, restrict } from './task.js'
import { logSoftmax } from './warp.js'

/** A vector of length 1 in the direction of another. */
function unit(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector) || 1
  return vector.map((x) => x / norm)
}

/** The greatest cosine of a unit vector with any of others. */
function likeness(candidate: Float32Array, others: readonly Float32Array[]): number {
  let greatest = -Infinity
  for (const other of others) {
    let product = 0
    for (let i = 0; i < candidate.length; i++) product += candidate[i]! * other[i]!
    greatest = Math.max(greatest, product)
  }
  return greatest
}

/** The likeliest tokens in falling order, and their probabilities. */
function topOf(logits: Float32Array, count: number): { readonly id: number; readonly probability: number }[] {
  const logarithms = logSoftmax(logits)
  return Array.from(logarithms, (value, id) => ({ id, probability: Math.exp(value) }))
    .sort((a, b) => b.probability - a.probability || a.id - b.id)
    .slice(0, count)
}

/**
 * Contrastive search: of the topK likeliest tokens the one with the greatest
 *
 *     (1 − α) · p(token) − α · max cos(state of the token, states before it)
 *
 * which says something new and still likely. Each step reads all candidates. Source: Su et al., A Contrastive Framework for
 * Neural Text Generation, 2022, equation 5.
 */
export async function* contrastive(task: Task): AsyncGenerator<GenerationEvent, void> {
  const { topK, degenerationPenalty: alpha } = task.options
  const rows = beginRows(task)
  const { first, decoding } = await task.writer.begin(task.prompts, mostRoom(task), true)
  try {
    const before = rows.map(({ prompt }, at) => first.states[at]!.slice(-prompt.length).map(unit))
    let chosen = rows.map((_, at) => at) // where each row stands in what was read last
    let { logits } = first
    while (!task.stopped()) {
      const candidates = rows.map((row, at) => {
        if (row.ended !== undefined) return Array.from({ length: topK }, () => ({ id: 0, probability: 0 }))
        const scores = logits[chosen[at]!]!.slice()
        restrict(task, scores, row)
        return topOf(scores, topK)
      })
      const from = rows.flatMap((_, at) => candidates[at]!.map(() => chosen[at]!))
      const read = await decoding.read(
        candidates.flatMap((each) => each.map(({ id }) => id)),
        from,
      )
      const width = candidates[0]!.length
      chosen = candidates.map((each, at) => {
        const states = each.map((_, i) => unit(read.states[at * width + i]!.at(-1)!))
        const scores = each.map(
          ({ probability }, i) => (1 - alpha) * probability - alpha * likeness(states[i]!, before[at]!),
        )
        const best = scores.indexOf(Math.max(...scores))
        before[at]!.push(states[best]!)
        return at * width + best
      })
      for (const [at, row] of rows.entries())
        if (row.ended === undefined) yield* take(task, at, row, candidates[at]![chosen[at]! - at * width]!.id)
      if (rows.every(({ ended }) => ended !== undefined)) return
      ;({ logits } = read)
    }
  } finally {
    decoding.close()
  }
}
