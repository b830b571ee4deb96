import { type Choice, type Distribution, key, stream } from '@attune/core'
import { describeTuner } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { random } from './random.js'

const SAMPLES = 20_000

/** Values of one hyperparameter over many trials. */
function samples(distribution: Distribution): Choice[string][] {
  const next = stream(key(5))
  const tuner = random()
  return Array.from({ length: SAMPLES }, () => {
    const move = tuner.suggest({ x: distribution }, [], next, [])
    return (move as { choice: Choice }).choice['x']!
  })
}

/** Pearson's statistic of counts against the probabilities of the values. */
function chiSquare(values: readonly Choice[string][], probabilities: ReadonlyMap<Choice[string], number>): number {
  expect(values.filter((value) => !probabilities.has(value))).toEqual([])
  return [...probabilities].reduce((sum, [value, probability]) => {
    const [seen, expected] = [values.filter((each) => each === value).length, probability * SAMPLES]
    return sum + (seen - expected) ** 2 / expected
  }, 0)
}

/** The largest difference between the samples' distribution function and the uniform one: Kolmogorov and Smirnov's statistic. */
const distance = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b).reduce((most, u, i) => Math.max(most, Math.abs(u - (i + 0.5) / SAMPLES)), 0)

describeTuner(random)

describe('random', () => {
  it('samples choices with the same probability', () =>
    expect(
      chiSquare(samples({ choices: ['a', 'b', 3, true] }), new Map(['a', 'b', 3, true].map((c) => [c, 1 / 4]))),
    ).toBeLessThan(
      16.3, // the 99.9th percentile for 3 degrees of freedom
    ))

  it('samples integers of a linear interval with the same probability, both ends included', () => {
    const values = samples({ from: -2, to: 3, scale: 'linear', integer: true })
    expect(chiSquare(values, new Map([-2, -1, 0, 1, 2, 3].map((i) => [i, 1 / 6])))).toBeLessThan(20.5) // 5 degrees of freedom
  })

  it('samples integers of a log interval with the log-uniform probability of the interval widened by ½ at both ends', () => {
    const values = samples({ from: 1, to: 8, scale: 'log', integer: true })
    const probabilities = [1, 2, 3, 4, 5, 6, 7, 8].map((i): [number, number] => [
      i,
      Math.log((i + 0.5) / (i - 0.5)) / Math.log(17),
    ])
    expect(chiSquare(values, new Map(probabilities))).toBeLessThan(24.3) // 7 degrees of freedom
  })

  it('samples numbers uniformly over their interval, or over its logarithm', () => {
    const bound = 1.95 / Math.sqrt(SAMPLES) // the 99.9th percentile of Kolmogorov's distribution
    const linear = samples({ from: -1, to: 3, scale: 'linear' }).map((x) => (Number(x) + 1) / 4)
    const log = samples({ from: 1e-5, to: 1e-1, scale: 'log' }).map((x) => (Math.log10(Number(x)) + 5) / 4)
    expect([distance(linear) < bound, distance(log) < bound]).toEqual([true, true])
  })

  it('chooses the same value whether or not an earlier condition holds', () => {
    const space = {
      use: { choices: ['sgd', 'adamw'] },
      momentum: { from: 0, to: 1, scale: 'linear', when: { use: 'sgd' } },
      rate: { from: 0, to: 1, scale: 'linear' },
    } as const
    const moves = [0.1, 0.9].map((first) => {
      const numbers = [first, 0.3, 0.4]
      return random().suggest(space, [], () => numbers.shift()!, [])
    })
    expect(moves).toEqual([
      { choice: { use: 'sgd', momentum: 0.3, rate: 0.4 } },
      { choice: { use: 'adamw', rate: 0.4 } },
    ])
  })
})
