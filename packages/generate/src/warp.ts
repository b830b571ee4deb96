import type { GenerationOptions } from './options.js'

/** Numerically stable `log Σ exp(x)`. */
function logSumExp(logits: Float32Array): number {
  let max = -Infinity
  for (const x of logits) if (x > max) max = x
  if (max === -Infinity) return -Infinity
  let sum = 0
  for (const x of logits) sum += Math.exp(x - max)
  return max + Math.log(sum)
}

/** Log probabilities of logits `[vocabulary]`. */
export function logSoftmax(logits: Float32Array): Float32Array {
  const norm = logSumExp(logits)
  return logits.map((x) => x - norm)
}

/** Index of the largest value; the first of equal ones. */
export function argMax(values: Float32Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

/**
 * Applies the repetition and presence penalties in place. Repetition penalty: logits of tokens in `prompt` or `generated` are
 * divided by it if positive, multiplied if negative. Presence penalty: subtracted from logits of tokens in `generated`.
 * Source: Keskar et al., CTRL, 2019, section 4.1.
 */
export function applyPenalties(
  logits: Float32Array,
  { prompt, generated }: { readonly prompt: Iterable<number>; readonly generated: readonly number[] },
  { repetitionPenalty, presencePenalty }: Pick<GenerationOptions, 'repetitionPenalty' | 'presencePenalty'>,
): void {
  if (repetitionPenalty !== 1)
    for (const id of new Set([...prompt, ...generated])) {
      const x = logits[id]!
      logits[id] = x < 0 ? x * repetitionPenalty : x / repetitionPenalty
    }
  if (presencePenalty !== 0) for (const id of new Set(generated)) logits[id]! -= presencePenalty
}

/** The `count`-th largest value by quickselect, in expected linear time; reorders `values`. */
function nthLargest(values: Float32Array, count: number): number {
  let [low, high] = [0, values.length - 1]
  const target = count - 1
  while (low < high) {
    const pivot = values[(low + high) >> 1]!
    let [i, j] = [low, high]
    while (i <= j) {
      while (values[i]! > pivot) i++
      while (values[j]! < pivot) j--
      if (i <= j) {
        const x = values[i]!
        values[i++] = values[j]!
        values[j--] = x
      }
    }
    if (target <= j) high = j
    else if (target >= i) low = i
    else break
  }
  return values[target]!
}

/** Top-k filtering: keeps the `count` largest logits and ties with the last of them; sets the others to −∞ in place. */
export function keepTopK(logits: Float32Array, count: number): void {
  if (count === 0 || count >= logits.length) return
  const cutoff = nthLargest(logits.slice(), count)
  for (let i = 0; i < logits.length; i++) if (logits[i]! < cutoff) logits[i] = -Infinity
}

/**
 * Nucleus (top-p) filtering: keeps the smallest set of most probable tokens whose cumulative probability reaches `threshold`,
 * at least one token; sets the others to −∞ in place.
 * Source: Holtzman et al., The Curious Case of Neural Text Degeneration, 2020, section 3.1.
 */
export function keepTopP(logits: Float32Array, threshold: number): void {
  if (threshold >= 1) return
  const norm = logSumExp(logits)
  const alive = Array.from(logits.keys()).filter((id) => logits[id]! > -Infinity)
  alive.sort((a, b) => logits[b]! - logits[a]!)
  let sum = 0
  for (const id of alive) {
    if (sum >= threshold) logits[id] = -Infinity
    else sum += Math.exp(logits[id]! - norm)
  }
}

/**
 * Min-p filtering: keeps tokens whose probability is at least `ratio` times that of the most probable one; sets the others to
 * −∞ in place.
 * Source: Nguyen et al., Turning Up the Heat: Min-p Sampling, 2024, section 3.
 */
export function keepMinP(logits: Float32Array, ratio: number): void {
  if (ratio === 0) return
  const bound = logits[argMax(logits)]! + Math.log(ratio)
  for (let i = 0; i < logits.length; i++) if (logits[i]! < bound) logits[i] = -Infinity
}

/** Divides logits by the temperature, then applies top-k, top-p and min-p filtering, in this order, in place. */
export function warp(
  logits: Float32Array,
  { temperature, topK, topP, minP }: Pick<GenerationOptions, 'temperature' | 'topK' | 'topP' | 'minP'>,
): void {
  if (temperature !== 1) for (let i = 0; i < logits.length; i++) logits[i]! /= temperature
  keepTopK(logits, topK)
  keepTopP(logits, topP)
  keepMinP(logits, minP)
}

/** Samples a token from the softmax of `logits`; `random` is uniform in [0, 1). */
export function sampleToken(logits: Float32Array, random: number): number {
  const norm = logSumExp(logits)
  let [left, last] = [random, -1]
  for (let id = 0; id < logits.length; id++) {
    if (logits[id] === -Infinity) continue
    last = id
    left -= Math.exp(logits[id]! - norm)
    if (left < 0) return id
  }
  return last
}
