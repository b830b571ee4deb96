import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { SCAN, type ScanStep, type ScanTensors, gradients, noise, scan } from '@attune/nn'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { nodesOf } from './graph.js'
import { jit, registerScanKernel } from './index.js'

beforeAll(async () => {
  tf.enableProdMode()
  await tf.setBackend('cpu')
  registerScanKernel(SCAN)
})

type Leaves = Readonly<Record<string, Tensor>>

const random = (seed: number, ...shape: number[]): Tensor => tf.randomUniform(shape, -1, 1, 'float32', seed)
const listed = (made: readonly Tensor[], name: string): Leaves =>
  Object.fromEntries(made.map((tensor, i) => [`${name}${i}`, tensor]))

/** An Elman network whose carry also counts the steps, and which outputs its state, a constant and an argument. */
const recurrent: ScanStep = ([state, steps], [x], [weight, bias]) => {
  const next = tf.tanh(tf.add(tf.add(tf.matMul(state!, weight!), x!), bias!))
  return {
    carry: [next, tf.add(steps!, tf.scalar(1, 'int32'))],
    outputs: [tf.mul(next, x!), bias!, bias!, tf.ones([2])],
  }
}
const tensorsAt = (length: number): Leaves => ({
  state: random(1, 2, 3),
  x: random(2, length, 2, 3),
  weight: random(3, 3, 3),
  bias: random(4, 3),
})
const overSteps = ({ state, x, weight, bias }: Leaves, reverse = false): ScanTensors => ({
  carry: [state!, tf.scalar(0, 'int32')],
  inputs: [x!],
  constants: [weight!, bias!],
  reverse,
})
const all = (given: Leaves, reverse = false): Leaves => {
  const { carry, outputs } = scan(overSteps(given, reverse), recurrent)
  return { ...listed(carry, 'carry'), ...listed(outputs, 'output') }
}
const loss = (given: Leaves, reverse = false): Tensor => {
  const { carry0, output0, output1 } = all(given, reverse)
  return tf.add(tf.sum(tf.square(carry0!)), tf.add(tf.sum(tf.mul(output0!, output0!)), tf.mean(output1!)))
}

function expectClose(found: Leaves, expected: Leaves, tolerance: number): void {
  expect(Object.keys(found)).toEqual(Object.keys(expected))
  for (const [name, tensor] of Object.entries(found)) {
    expect([name, tensor.dtype, tensor.shape]).toEqual([name, expected[name]!.dtype, expected[name]!.shape])
    const values = expected[name]!.dataSync()
    const differences = Array.from(tensor.dataSync(), (value, i) => Math.abs(value - values[i]!))
    expect(Math.max(...differences)).toBeLessThan(tolerance)
  }
}

describe.each([false, true])('a compiled scan, with reverse: %s,', (reverse) => {
  it('returns the carries and outputs of the steps one after another', () =>
    expectClose(jit((given: Leaves) => all(given, reverse))(tensorsAt(5)), all(tensorsAt(5), reverse), 1e-6))

  it('has the gradients of the steps one after another, which finite differences confirm', () => {
    const gradient = (given: Leaves): Leaves => gradients(() => loss(given, reverse), given).grads
    const found = jit(gradient)(tensorsAt(5))
    expectClose(found, gradient(tensorsAt(5)), 2e-6)
    for (const name of Object.keys(found)) {
      const at = (by: number): number => {
        const given = tensorsAt(5)
        const moved = tf.buffer(given[name]!.shape, 'float32', Float32Array.from(given[name]!.dataSync()))
        moved.values[1]! += by
        return loss({ ...given, [name]: moved.toTensor() }, reverse).dataSync()[0]!
      }
      expect(found[name]!.dataSync()[1]).toBeCloseTo((at(1e-2) - at(-1e-2)) / 2e-2, 2)
    }
  })

  it('has the second derivatives of the steps one after another', () => {
    const norm = (given: Leaves): Tensor => {
      const { grads } = gradients(() => loss(given, reverse), given)
      return tf.addN(Object.values(grads).map((grad) => tf.sum(tf.square(grad))))
    }
    const second = (given: Leaves): Leaves => gradients(() => norm(given), given).grads
    expectClose(jit(second)(tensorsAt(3)), second(tensorsAt(3)), 1e-4)
  })
})

it('a scan within a step of another one is compiled', () => {
  const rows = (given: Leaves): Leaves => {
    const outer: ScanStep = ([total], [row], [weight]) => {
      const inner = scan({ carry: [total!], inputs: [row!], constants: [weight!] }, ([sum], [x], [w]) => {
        const next = tf.add(tf.mul(sum!, w!), x!)
        return { carry: [next], outputs: [] }
      })
      return { carry: inner.carry, outputs: inner.carry }
    }
    return listed(scan({ carry: [tf.scalar(0)], inputs: [given['x']!], constants: [given['w']!] }, outer).outputs, 'o')
  }
  const given = { x: random(1, 3, 4), w: tf.scalar(0.5) }
  expectClose(jit(rows)(given), rows(given), 1e-6)
})

describe('the graph of a scan', () => {
  it('has as many nodes at any length, and one session for all', () => {
    const gradient = (given: Leaves): Leaves => gradients(() => loss(given), given).grads
    const f = jit(gradient)
    const graphs = [4, 64].map((length) => {
      f(tensorsAt(length))
      return [...f.graphs.values()].at(-1)!.graph
    })
    const [short, long] = graphs.map(({ outputs }) => nodesOf(outputs).map(({ op }) => op))
    expect(long).toEqual(short)
    expect(short!.filter((op) => op === 'Scan')).toHaveLength(2)
    expect(f.sessions.open).toBe(1)
    for (const length of [9, 4]) expectClose(f(tensorsAt(length)), gradient(tensorsAt(length)), 1e-5)
  })

  it('does not compute the carries of each step without a gradient', () => {
    const f = jit((given: Leaves) => all(given))
    f(tensorsAt(4))
    const [program] = f.graphs.values()
    const [loop] = nodesOf(program!.graph.outputs).filter(({ op }) => op === 'Scan')
    expect(loop!.outputs).toHaveLength(2 + 4)
  })
})

describe('a scan is refused', () => {
  it('if its step reads a symbolic tensor that is not an argument', () => {
    const f = jit((x: Tensor) => scan({ carry: [], inputs: [x] }, () => ({ carry: [], outputs: [x] })).outputs[0]!)
    expect(() => f(tf.ones([2, 1]))).toThrow(
      expect.objectContaining({ code: 'ESCAPED_TENSOR', remedy: expect.stringContaining('`constants`') }),
    )
  })

  it.each([[[]], [[tf.zeros([0, 2])]], [[tf.zeros([3]), tf.zeros([2])]]])('for inputs of unclear length', (inputs) => {
    const step: ScanStep = () => ({ carry: [], outputs: [] })
    expect(() => scan({ carry: [], inputs }, step)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })
})

it('a step that samples random values is refused', async () => {
  const { registerHostKernel } = await import('./index.js')
  registerHostKernel({ kernelName: 'AttuneNoise', compute: (_attributes, into) => void into.fill(1) })
  const f = jit((seed: Tensor, x: Tensor) => {
    const step: ScanStep = (_carry, [row], [own]) => ({
      carry: [],
      outputs: [tf.add(row!, noise({ seed: own!, stream: 1 }, [2], 'normal'))],
    })
    return scan({ carry: [], inputs: [x], constants: [seed] }, step).outputs[0]!
  })
  expect(() => f(tf.tensor1d([1, 2], 'int32'), tf.ones([3, 2]))).toThrow(
    expect.objectContaining({ code: 'FROZEN_RANDOMNESS' }),
  )
})
