import { share } from './xoshiro.js'

/**
 * Draws places by weight, in constant time: each place keeps a share of itself and gives the rest to one other.
 * Source: Walker, An Efficient Method for Generating Discrete Random Variables with General Distributions, 1977, as built
 * by Vose, A Linear Algorithm for Generating Random Numbers with a Given Distribution, 1991.
 * @param weights at least one, all positive
 */
export function aliasTable(weights: Float64Array): (draw: () => number) => number {
  const count = weights.length
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const kept = weights.map((weight) => (weight / total) * count)
  const other = Int32Array.from({ length: count }, (_, i) => i)
  const poor: number[] = []
  const rich: number[] = []
  for (const [i, weight] of kept.entries()) (weight < 1 ? poor : rich).push(i)
  while (poor.length > 0 && rich.length > 0) {
    const [from, to] = [rich.pop()!, poor.pop()!]
    other[to] = from
    kept[from]! -= 1 - kept[to]!
    ;(kept[from]! < 1 ? poor : rich).push(from)
  }
  // What rounding left over keeps all of itself.
  for (const i of [...poor, ...rich]) kept[i] = 1
  return (draw) => {
    const place = Math.floor(share(draw) * count)
    return share(draw) < kept[place]! ? place : other[place]!
  }
}
