import type { GenerationEvent } from './events.js'
import { newSequences, appendToken } from './sample.js'
import { type Task, largestRoom, restrict } from './task.js'
import { logSoftmax } from './warp.js'

/** Normalizes a vector to length 1. */
function unit(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector) || 1
  return vector.map((x) => x / norm)
}

/** Maximum cosine similarity of a unit vector with other unit vectors. */
function maxSimilarity(candidate: Float32Array, others: readonly Float32Array[]): number {
  let max = -Infinity
  for (const other of others) {
    let product = 0
    for (let i = 0; i < candidate.length; i++) product += candidate[i]! * other[i]!
    max = Math.max(max, product)
  }
  return max
}

/** The `count` most probable tokens in descending order, with their probabilities. */
function topTokens(logits: Float32Array, count: number): { readonly id: number; readonly probability: number }[] {
  const logProbabilities = logSoftmax(logits)
  return Array.from(logProbabilities, (value, id) => ({ id, probability: Math.exp(value) }))
    .sort((a, b) => b.probability - a.probability || a.id - b.id)
    .slice(0, count)
}

/**
 * Contrastive search: of the topK most probable tokens, takes the one that maximizes
 *
 *     (1 − α) · p(token) − α · max cos(hidden state of the token, hidden states before it)
 *
 * which discourages repetition. Each step reads all candidates. Source: Su et al., A Contrastive Framework for Neural Text
 * Generation, 2022, equation 5.
 */
export async function* contrastive(task: Task): AsyncGenerator<GenerationEvent, void> {
  const { topK, degenerationPenalty: alpha } = task.options
  const rows = newSequences(task)
  const { first, decoding } = await task.decoder.prefill(task.prompts, largestRoom(task), true)
  try {
    const before = rows.map(({ prompt }, at) => first.states[at]!.slice(-prompt.length).map(unit))
    let chosen = rows.map((_, at) => at) // index of each sequence among the rows read last
    let { logits } = first
    while (!task.stopped()) {
      const candidates = rows.map((row, at) => {
        if (row.ended !== undefined) return Array.from({ length: topK }, () => ({ id: 0, probability: 0 }))
        const scores = logits[chosen[at]!]!.slice()
        restrict(task, scores, row)
        return topTokens(scores, topK)
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
          ({ probability }, i) => (1 - alpha) * probability - alpha * maxSimilarity(states[i]!, before[at]!),
        )
        const best = scores.indexOf(Math.max(...scores))
        before[at]!.push(states[best]!)
        return at * width + best
      })
      for (const [at, row] of rows.entries())
        if (row.ended === undefined) yield* appendToken(task, at, row, candidates[at]![chosen[at]! - at * width]!.id)
      if (rows.every(({ ended }) => ended !== undefined)) return
      ;({ logits } = read)
    }
  } finally {
    decoding.close()
  }
}
