import { expect, it } from '@jest/globals'
import { deriveKey, key, stream } from '@attune/core'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { jit } from './index.js'

/**
 * Seed of the trials. A trial depends only on it, the operation and the trial's index, so that failures are
 * reproducible.
 */
const SEED = 20260101
const TRIALS = 12

/** A TF.js operation. */
export type Op = (...x: Tensor[]) => Tensor | Tensor[]
/** An operation with sampled arguments. Its gradient is compared if requested. */
export type Trial = readonly [op: Op, inputs: readonly Tensor[], gradient?: 'gradient' | undefined]

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/**
 * Samplers of a trial. A quarter of the trials has a dimension of size 0 if the shape has any dimension, another
 * quarter one of size 1.
 */
function samplers(name: string, trial: number) {
  const random = stream(deriveKey(key(SEED), name, trial))
  const below = (n: number): number => Math.floor(random() * n)
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!
  const flag = (): boolean => below(2) === 1
  const shape = (minimum = 0, maximum = 5): number[] => {
    const sizes = Array.from({ length: minimum + below(maximum - minimum + 1) }, () => pick([1, 2, 2, 3, 3, 4, 5]))
    if (sizes.length > 0 && trial % 4 < 2) sizes[below(sizes.length)] = trial % 4
    return sizes
  }
  const filled = (of: readonly number[], dtype: 'float32' | 'int32' | 'bool', next: () => number): Tensor =>
    tf.tensor(Array.from({ length: sizeOf(of) }, next), [...of], dtype)
  const real = (of: readonly number[], f: (x: number) => number = (x) => x): Tensor =>
    filled(of, 'float32', () => f(random() * 4 - 2))
  const whole = (of: readonly number[], from = -8, to = 9): Tensor => filled(of, 'int32', () => from + below(to - from))
  const truth = (of: readonly number[]): Tensor => filled(of, 'bool', () => below(2))
  return {
    below,
    pick,
    flag,
    shape,
    real,
    whole,
    truth,
    /** Float, integer or boolean. */
    any: (of: readonly number[]): Tensor => pick([real, whole, truth])(of),
    /** An axis, possibly negative. */
    axis: (of: readonly number[]): number => below(of.length) - (flag() ? of.length : 0),
    /** No, some or all axes. */
    axes: (of: readonly number[]): number[] | undefined =>
      of.length === 0 || below(4) === 0 ? undefined : [...of.keys()].filter(() => flag()),
    /** Two shapes that broadcast to one. */
    pair: (): [number[], number[]] => {
      const whole = shape(0, 4)
      const some = (): number[] =>
        whole.slice(below(3) === 0 ? below(whole.length + 1) : 0).map((n) => (below(3) === 0 ? 1 : n))
      return [some(), some()]
    },
  }
}
/** Samplers of a trial. */
export type Samplers = ReturnType<typeof samplers>

/** Outputs, and the gradients of the sum of squares of the first one. */
const valuesOf =
  ([op, , gradient]: Trial) =>
  (...x: Tensor[]): Record<string, Tensor> => {
    const named = Object.fromEntries([op(...x)].flat().map((tensor, i) => [`value ${i}`, tensor]))
    if (gradient === undefined) return named
    const grads = tf.grads((...y: Tensor[]) => tf.sum(tf.square([op(...y)].flat()[0]!)))([...x])
    return { ...named, ...Object.fromEntries(grads.map((tensor, i) => [`gradient ${i}`, tensor])) }
  }

function difference(found: Tensor | undefined, wanted: Tensor): string | undefined {
  if (found === undefined) return 'missing'
  const typeOf = ({ dtype, shape }: Tensor): string => `${dtype}[${shape.join()}]`
  if (typeOf(found) !== typeOf(wanted)) return `expected ${typeOf(wanted)}, got ${typeOf(found)}`
  const [a, b] = [found.dataSync(), wanted.dataSync()]
  const at = b.findIndex((n, i) => !Object.is(n, a[i]) && !(Math.abs(n - a[i]!) <= 2e-4 * Math.max(1, Math.abs(n))))
  return at < 0 ? undefined : `expected ${b[at]} at ${at}, got ${a[at]}`
}

/** Differences in a trial; undefined if TF.js itself rejects it. */
function differences(trial: Trial): string[] | undefined {
  const [, inputs] = trial
  let wanted: Record<string, Tensor>
  try {
    wanted = valuesOf(trial)(...inputs)
  } catch {
    return undefined
  }
  const compiled = jit(valuesOf(trial), { threads: 1 })
  try {
    const found = compiled(...inputs) as Record<string, Tensor>
    return Object.entries(wanted).flatMap(([name, tensor]) => {
      const text = difference(found[name], tensor)
      return text === undefined ? [] : [`${name}: ${text}`]
    })
  } catch (error) {
    return [(error as Error).message]
  } finally {
    compiled.dispose()
  }
}

/** Tests each operation with seeded random trials. */
export function testSampled(operations: Readonly<Record<string, (draw: Samplers) => Trial>>): void {
  it.each(Object.entries(operations))('%s', (name, draw) => {
    let compared = 0
    const failures = Array.from({ length: TRIALS }, (_, i) => {
      const trial = draw(samplers(name, i))
      const found = differences(trial)
      if (found !== undefined) compared++
      const inputs = trial[1].map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join(' ')
      return (found ?? []).map((text) => `seed ${SEED}, ${name}, trial ${i}, ${inputs}: ${text}`)
    })
    expect(failures.flat()).toEqual([])
    expect(compared).toBeGreaterThanOrEqual(TRIALS / 4) // TF.js rejects the others
  })
}
