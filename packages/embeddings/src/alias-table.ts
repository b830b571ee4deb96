import { uniform } from './xoshiro.js'

/**
 * Alias method: samples indices by weight in constant time. Each index keeps a fraction of its slot; the rest goes to one alias.
 * Source: Walker, An Efficient Method for Generating Discrete Random Variables with General Distributions, 1977, constructed as
 * in Vose, A Linear Algorithm for Generating Random Numbers with a Given Distribution, 1991.
 * @param weights at least one, all positive
 */
export function aliasTable(weights: Float64Array): (random: () => number) => number {
  const count = weights.length
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const kept = weights.map((weight) => (weight / total) * count)
  const alias = Int32Array.from({ length: count }, (_, i) => i)
  const small: number[] = []
  const large: number[] = []
  for (const [i, weight] of kept.entries()) (weight < 1 ? small : large).push(i)
  while (small.length > 0 && large.length > 0) {
    const [from, to] = [large.pop()!, small.pop()!]
    alias[to] = from
    kept[from]! -= 1 - kept[to]!
    ;(kept[from]! < 1 ? small : large).push(from)
  }
  // Indices left over by rounding keep their whole slot.
  for (const i of [...small, ...large]) kept[i] = 1
  return (random) => {
    const index = Math.floor(uniform(random) * count)
    return uniform(random) < kept[index]! ? index : alias[index]!
  }
}
