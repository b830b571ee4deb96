import { expect, it } from '@jest/globals'
import { deriveKey, key, stream } from '@attune/core'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { jit } from './index.js'

/** Trials of an operation are drawn from this and their number alone, so that one that fails can be repeated. */
const SEED = 20260101
const TRIALS = 12

/** An operation of TF.js. */
export type Op = (...x: Tensor[]) => Tensor | Tensor[]
/** An operation with arguments that were drawn for it. The gradient is compared where TF.js has one. */
export type Trial = readonly [op: Op, inputs: readonly Tensor[], gradient?: 'gradient' | undefined]

/** How many numbers a shape has. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** What trials draw. Every fourth has a dimension of 0 if its shape has any, every fourth one of 1. */
function drawing(name: string, trial: number) {
  const random = stream(deriveKey(key(SEED), name, trial))
  const below = (n: number): number => Math.floor(random() * n)
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!
  const flag = (): boolean => below(2) === 1
  const shape = (least = 0, most = 5): number[] => {
    const sizes = Array.from({ length: least + below(most - least + 1) }, () => pick([1, 2, 2, 3, 3, 4, 5]))
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
    /** Real, whole or boolean. */
    any: (of: readonly number[]): Tensor => pick([real, whole, truth])(of),
    /** A dimension, counted from either end. */
    axis: (of: readonly number[]): number => below(of.length) - (flag() ? of.length : 0),
    /** None, some or all dimensions. */
    axes: (of: readonly number[]): number[] | undefined =>
      of.length === 0 || below(4) === 0 ? undefined : [...of.keys()].filter(() => flag()),
    /** Two shapes that are broadcast to one. */
    pair: (): [number[], number[]] => {
      const whole = shape(0, 4)
      const some = (): number[] =>
        whole.slice(below(3) === 0 ? below(whole.length + 1) : 0).map((n) => (below(3) === 0 ? 1 : n))
      return [some(), some()]
    },
  }
}
/** What trials draw with. */
export type Draw = ReturnType<typeof drawing>

/** The outputs, and the gradients of the sum of the first one's squares. */
const valuesOf =
  ([op, , gradient]: Trial) =>
  (...x: Tensor[]): Record<string, Tensor> => {
    const named = Object.fromEntries([op(...x)].flat().map((tensor, i) => [`value ${i}`, tensor]))
    if (gradient === undefined) return named
    const grads = tf.grads((...y: Tensor[]) => tf.sum(tf.square([op(...y)].flat()[0]!)))([...x])
    return { ...named, ...Object.fromEntries(grads.map((tensor, i) => [`gradient ${i}`, tensor])) }
  }

function unlike(found: Tensor | undefined, wanted: Tensor): string | undefined {
  if (found === undefined) return 'missing'
  const said = ({ dtype, shape }: Tensor): string => `${dtype}[${shape.join()}]`
  if (said(found) !== said(wanted)) return `${said(found)} instead of ${said(wanted)}`
  const [a, b] = [found.dataSync(), wanted.dataSync()]
  const at = b.findIndex((n, i) => !Object.is(n, a[i]) && !(Math.abs(n - a[i]!) <= 2e-4 * Math.max(1, Math.abs(n))))
  return at < 0 ? undefined : `${a[at]} instead of ${b[at]} at ${at}`
}

/** What differs in a trial; nothing where TF.js itself refuses it. */
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
      const difference = unlike(found[name], tensor)
      return difference === undefined ? [] : [`${name}: ${difference}`]
    })
  } catch (error) {
    return [(error as Error).message]
  } finally {
    compiled.dispose()
  }
}

/** Tests each operation with trials of its own. */
export function testDrawn(operations: Readonly<Record<string, (draw: Draw) => Trial>>): void {
  it.each(Object.entries(operations))('%s', (name, draw) => {
    let compared = 0
    const failures = Array.from({ length: TRIALS }, (_, i) => {
      const trial = draw(drawing(name, i))
      const found = differences(trial)
      if (found !== undefined) compared++
      const inputs = trial[1].map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join(' ')
      return (found ?? []).map((text) => `seed ${SEED}, ${name}, trial ${i}, ${inputs}: ${text}`)
    })
    expect(failures.flat()).toEqual([])
    expect(compared).toBeGreaterThanOrEqual(TRIALS / 4) // the others TF.js refuses
  })
}
