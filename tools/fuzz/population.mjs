// @ts-check
/** The most costly inputs so far, by order of magnitude of their size and by type of cost. */
import { sizeOf } from './input.mjs'
import { pick } from './random.mjs'

/** @import { Input } from './input.mjs' */
/** @import { Random } from './random.mjs' */
/** @import { Cost } from './measure.mjs' */

/** Inputs kept per size and type of cost. */
const KEPT = 3

/** Growth of the process in bytes that is considered noise. */
const COMMON_GROWTH = 2e6

/**
 * An empty population. Costs per byte are compared only among inputs of one order of magnitude: large inputs show that the cost grows
 * faster than the size, and small ones show where.
 */
export function population() {
  /** @type {Map<string, { input: Input, fitness: number }[]>} */
  const niches = new Map()
  let leastSeconds = Infinity
  /** Costs of an input per byte, by type, without the constant cost of every input. @param {Cost} cost */
  const perByte = ({ seconds, memory, steps, bytes }) => {
    leastSeconds = Math.min(leastSeconds, seconds)
    return {
      seconds: (seconds - leastSeconds) / (bytes + 50),
      memory: Math.max(0, memory - COMMON_GROWTH) / (bytes + 50),
      steps: steps / (bytes + 50),
    }
  }
  return {
    /** True if an input with this cost would be kept. @param {Input} input @param {Cost} cost */
    wants: (input, cost) =>
      Object.entries(perByte(cost)).some(([kind, fitness]) => {
        const niche = niches.get(`${kind} ${Math.floor(Math.log10(sizeOf(input) + 1))}`) ?? []
        return fitness > (niche.length < KEPT ? 0 : /** @type {number} */ (niche.at(-1)?.fitness))
      }),
    /** Keeps an input if it costs more per byte than others of its size. @param {Input} input @param {Cost} cost */
    offer(input, cost) {
      for (const [kind, fitness] of Object.entries(perByte(cost))) {
        if (fitness <= 0) continue
        const name = `${kind} ${Math.floor(Math.log10(sizeOf(input) + 1))}`
        const niche = [...(niches.get(name) ?? []), { input, fitness }].sort((a, b) => b.fitness - a.fitness)
        niches.set(name, niche.slice(0, KEPT))
      }
    },
    /** A random input up to a size, uniform over orders of magnitude and types of cost. @param {number} most @param {Random} random @returns {Input | undefined} */
    sample(most, random) {
      const fitting = [...niches.values()]
        .map((niche) => niche.filter(({ input }) => sizeOf(input) <= most))
        .filter((niche) => niche.length > 0)
      return fitting.length === 0 ? undefined : pick(pick(fitting, random), random).input
    },
  }
}
