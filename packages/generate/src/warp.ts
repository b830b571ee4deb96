import type { GenerationOptions } from './options.js'

/** `log Σ exp(x)`, without overflow. */
function logSumExp(logits: Float32Array): number {
  let greatest = -Infinity
  for (const x of logits) if (x > greatest) greatest = x
  if (greatest === -Infinity) return -Infinity
  let sum = 0
  for (const x of logits) sum += Math.exp(x - greatest)
  return greatest + Math.log(sum)
}

/** Logarithms of probabilities from logits `[vocabulary]`. */
export function logSoftmax(logits: Float32Array): Float32Array {
  const norm = logSumExp(logits)
  return logits.map((x) => x - norm)
}

/** The place of the greatest number; the first, where several are. */
export function argMax(values: Float32Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

/**
 * Makes tokens that stand in `read` or `written` less likely: their logits are divided by the repetition penalty where
 * positive and multiplied where negative, and those of written ones lowered by the presence penalty. Changes `logits`.
 * Source: Keskar et al., CTRL, 2019, section 4.1.
 */
export function penalise(
  logits: Float32Array,
  { read, written }: { readonly read: Iterable<number>; readonly written: readonly number[] },
  { repetitionPenalty, presencePenalty }: Pick<GenerationOptions, 'repetitionPenalty' | 'presencePenalty'>,
): void {
  if (repetitionPenalty !== 1)
    for (const id of new Set([...read, ...written])) {
      const x = logits[id]!
      logits[id] = x < 0 ? x * repetitionPenalty : x / repetitionPenalty
    }
  if (presencePenalty !== 0) for (const id of new Set(written)) logits[id]! -= presencePenalty
}

/** The `count`-th greatest number, by selection in expected linear time; changes the order of `values`. */
function nthGreatest(values: Float32Array, count: number): number {
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

/** Leaves the `count` greatest logits, and what equals the last of them; the others become −∞. Changes `logits`. */
export function keepTopK(logits: Float32Array, count: number): void {
  if (count === 0 || count >= logits.length) return
  const least = nthGreatest(logits.slice(), count)
  for (let i = 0; i < logits.length; i++) if (logits[i]! < least) logits[i] = -Infinity
}

/**
 * Leaves the fewest tokens whose probabilities reach `share` together, the likeliest at least. Changes `logits`.
 * Source: Holtzman et al., The Curious Case of Neural Text Degeneration, 2020, section 3.1.
 */
export function keepTopP(logits: Float32Array, share: number): void {
  if (share >= 1) return
  const norm = logSumExp(logits)
  const alive = Array.from(logits.keys()).filter((id) => logits[id]! > -Infinity)
  alive.sort((a, b) => logits[b]! - logits[a]!)
  let sum = 0
  for (const id of alive) {
    if (sum >= share) logits[id] = -Infinity
    else sum += Math.exp(logits[id]! - norm)
  }
}

/**
 * Leaves tokens at least `least` times as likely as the likeliest. Changes `logits`.
 * Source: Nguyen et al., Turning Up the Heat: Min-p Sampling, 2024, section 3.
 */
export function keepMinP(logits: Float32Array, least: number): void {
  if (least === 0) return
  const bound = logits[argMax(logits)]! + Math.log(least)
  for (let i = 0; i < logits.length; i++) if (logits[i]! < bound) logits[i] = -Infinity
}

/** Divides by the temperature and leaves the tokens that may be drawn: first topK, then topP, then minP. Changes `logits`. */
export function warp(
  logits: Float32Array,
  { temperature, topK, topP, minP }: Pick<GenerationOptions, 'temperature' | 'topK' | 'topP' | 'minP'>,
): void {
  if (temperature !== 1) for (let i = 0; i < logits.length; i++) logits[i]! /= temperature
  keepTopK(logits, topK)
  keepTopP(logits, topP)
  keepMinP(logits, minP)
}

/** Draws a token by the softmax of `logits`; `random` is uniform in [0, 1). */
export function draw(logits: Float32Array, random: number): number {
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
