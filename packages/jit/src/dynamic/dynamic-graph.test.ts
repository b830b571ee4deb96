import '@tensorflow/tfjs'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { builder } from '../builder.js'
import { type Dimension, type NamedFunction, dynamicGraph } from './dynamic-graph.js'
import { saveDynamicGraph } from './save-dynamic-graph.js'

const folder = mkdtempSync(join(tmpdir(), 'attune-dynamic-'))
beforeAll(() => tf.setBackend('cpu'))
afterAll(() => rmSync(folder, { recursive: true }))

type Inputs = Readonly<Record<string, readonly [type: 'int64' | 'float32', dimensions: readonly Dimension[]]>>

let count = 0

/** Saves a function with dynamic axes; returns it as a function of tensors. */
async function saved(fn: NamedFunction, inputs: Inputs, params: Readonly<Record<string, Tensor>> = {}) {
  const graph = dynamicGraph()
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, [type, dimensions]]) => [name, graph.input(name, type, dimensions)]),
  )
  const file = join(folder, `${count++}.onnx`)
  const outputs = graph.trace(fn, params, values)
  graph.save(file, outputs)
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 })
  return async (given: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, OrtTensor>>> => {
    const feeds = Object.entries(given).flatMap(([name, tensor]) => {
      if (!session.inputNames.includes(name)) return []
      const numbers = Array.from(tensor.dataSync())
      const data = tensor.dtype === 'int32' ? BigInt64Array.from(numbers, BigInt) : Float32Array.from(numbers)
      return [[name, new OrtTensor(inputs[name]![0], data as Float32Array, tensor.shape)] as const]
    })
    return session.run(Object.fromEntries(feeds))
  }
}

/** Expects the exported function to return what the function returns, for inputs of these sizes. */
async function expectSame(fn: NamedFunction, inputs: Inputs, sizes: readonly Readonly<Record<string, number>>[]) {
  const run = await saved(fn, inputs)
  for (const each of sizes) {
    const given = Object.fromEntries(
      Object.entries(inputs).map(([name, [type, dimensions]]) => {
        const shape = dimensions.map((d) => (typeof d === 'number' ? d : each[d]!))
        const numbers = tf.randomUniform(shape, 0, 5, 'float32', 7)
        return [name, type === 'int64' ? tf.cast(numbers, 'int32') : numbers]
      }),
    )
    const results = await run(given)
    for (const [name, expected] of Object.entries(fn({}, given))) {
      expect([name, each, [...results[name]!.dims]]).toEqual([name, each, expected.shape])
      const apart = Array.from(expected.dataSync(), (x, i) => Math.abs(x - Number(results[name]!.data[i])))
      expect([name, each, Math.max(0, ...apart) < 1e-5]).toEqual([name, each, true])
    }
  }
}

const SIZES = [
  { batch: 1, length: 1 },
  { batch: 1, length: 7 },
  { batch: 3, length: 1 },
  { batch: 2, length: 300 },
]

describe('dynamicGraph', () => {
  it('computes shapes, ends of slices, sequences and filled constants from the sizes', async () => {
    const ids: Inputs = { ids: ['int64', ['batch', 'length']] }
    await expectSame(
      (_, { ids: x }) => {
        const [batch, length] = x!.shape as [number, number]
        const rows = tf.reshape(tf.range(0, batch * length, length, 'int32'), [batch, 1])
        return {
          flat: tf.reshape(tf.cast(x!, 'float32'), [-1]),
          positions: tf.add(tf.cast(x!, 'float32'), tf.range(0, length)),
          backwards: tf.add(x!, tf.range(length, 0, -1, 'int32')),
          offsets: tf.add(x!, rows),
          last: tf.slice(x!, [0, length - 1], [-1, 1]),
          count: tf.mul(tf.cast(x!, 'float32'), tf.scalar(length)),
          filled: tf.concat([tf.fill([batch, 2], 3, 'int32'), x!], 1),
          zeros: tf.maximum(x!, tf.zeros([batch, length], 'int32')),
        }
      },
      ids,
      SIZES,
    )
  })

  it('splits and merges heads, and multiplies batches of matrices', async () => {
    await expectSame(
      (_, { x }) => {
        const [batch, length] = x!.shape as [number, number]
        const split = tf.transpose(tf.reshape(x!, [batch, length, 2, 3]), [0, 2, 1, 3])
        const scores = tf.softmax(tf.matMul(split, split, false, true))
        const mixed = tf.transpose(tf.matMul(scores, split), [0, 2, 1, 3])
        return { y: tf.reshape(mixed, [batch, length, 6]), mean: tf.mean(x!, 1) }
      },
      { x: ['float32', ['batch', 'length', 6]] },
      SIZES,
    )
  })

  it('accepts axes of size 0 and inputs whose size is a sum of axes', async () => {
    const inputs: Inputs = {
      past: ['float32', ['batch', 'past', 2]],
      x: ['float32', ['batch', 'length', 2]],
      mask: ['float32', ['batch', 'past + length']],
    }
    const fn: NamedFunction = (_, { past, x, mask }) => {
      const all = tf.concat([past!, x!], 1)
      return { y: tf.mul(all, tf.expandDims(mask!, 2)) }
    }
    const run = await saved(fn, inputs)
    for (const past of [0, 3]) {
      const given = { past: tf.ones([2, past, 2]), x: tf.ones([2, 1, 2]), mask: tf.ones([2, past + 1]) }
      const { y } = await run(given)
      expect([...y!.dims]).toEqual([2, past + 1, 2])
      expect([...(y!.data as Float32Array)].every((n) => n === 1)).toBe(true)
    }
  })

  it('declares names and dimensions, and leaves out inputs that no output needs', async () => {
    const graph = dynamicGraph()
    const [x, unused] = [graph.input('x', 'float32', ['batch', 4]), graph.input('unused', 'int64', ['batch'])]
    const outputs = graph.trace((_, { x: a }) => ({ y: tf.reshape(a!, [-1, 2]), same: a! }), {}, { x, unused })
    expect(outputs['y']!.dimensions).toEqual(['2 * batch', 2])
    expect(graph.inputsOf(outputs)).toEqual(['x'])
    const file = join(folder, 'named.onnx')
    expect(graph.save(file, outputs)).toEqual([file])
    const session = await InferenceSession.create(file)
    expect([session.inputNames, [...session.outputNames].sort()]).toEqual([['x'], ['same', 'y']])
    const given = new OrtTensor('float32', Float32Array.of(1, 2, 3, 4), [1, 4])
    const { y, same } = await session.run({ x: given })
    expect([[...y!.dims], [...(same!.data as Float32Array)]]).toEqual([
      [2, 2],
      [1, 2, 3, 4],
    ])
  })

  it('runs only the chosen branch', async () => {
    const graph = dynamicGraph()
    const [x, held] = [graph.input('x', 'float32', ['rows', 2]), graph.input('held', 'float32', ['held_rows', 2])]
    const w = tf.tensor2d([
      [1, 0],
      [0, 2],
    ])
    const made = graph.trace((p, { x: a }) => ({ y: tf.matMul(tf.reshape(a!, [-1, 2]), p['w']!) }), { w }, { x })
    const chosen = graph.choose(graph.input('use', 'bool', [1]), { y: held }, made)
    const outputs = graph.trace((_, { y }) => ({ z: tf.add(y!, 1) }), {}, chosen)
    const file = join(folder, 'branch.onnx')
    graph.save(file, outputs)
    const session = await InferenceSession.create(file)
    const run = async (use: boolean) => {
      const { z } = await session.run({
        use: new OrtTensor('bool', [use], [1]),
        x: new OrtTensor('float32', Float32Array.of(3, 4), [1, 2]),
        held: new OrtTensor('float32', Float32Array.of(5, 6, 7, 8), [2, 2]),
      })
      return [...(z!.data as Float32Array)]
    }
    expect([await run(false), await run(true)]).toEqual([
      [4, 9],
      [6, 7, 8, 9],
    ])
  })

  it('writes large constants to a file of their own', async () => {
    const b = builder()
    const x = b.input({ dtype: 'float32', shape: [5] })
    const values = Float32Array.from({ length: 300_000 }, (_, i) => i)
    const table = b.array('float32', values, [300_000])
    const index = b.node('Cast', [x], { dtype: 'int64', shape: [5] }, { attributes: { to: { int: 7 } } })
    const y = b.node('Gather', [table, index], { dtype: 'float32', shape: [5] })
    const file = join(folder, 'large.onnx')
    const port = { name: 'x', value: x, dimensions: ['n'] }
    const files = saveDynamicGraph(b, [port], [{ name: 'y', value: y, dimensions: ['n'] }], file, 1_000_000)
    expect(files).toEqual([file, `${file}_data`])
    expect(statSync(file).size).toBeLessThan(1000)
    const session = await InferenceSession.create(file)
    const given = new OrtTensor('float32', Float32Array.of(299_999, 7), [2])
    expect([...((await session.run({ x: given }))['y']!.data as Float32Array)]).toEqual([299_999, 7])
  })

  it('rejects functions that depend on the sizes otherwise, and random numbers', () => {
    const refused = (fn: (x: Tensor) => Tensor, why: RegExp): void => {
      const graph = dynamicGraph()
      const x = graph.input('x', 'float32', ['length', 2])
      const trace = (): unknown => graph.trace((_, given) => ({ y: fn(given['x']!) }), {}, { x })
      expect(trace).toThrow(expect.objectContaining({ code: 'CANNOT_EXPORT', problem: expect.stringMatching(why) }))
    }
    const length = (x: Tensor): number => x.shape[0] as number
    refused((x) => tf.split(x, length(x), 0).reduce((a, b) => tf.mul(a, b)), /its operations depend on length/)
    refused((x) => tf.mul(x, 1 / length(x)), /other values for other sizes/)
    refused((x) => tf.reshape(tf.mul(x, tf.linspace(0, 1, length(x) * 2).reshape([-1, 2])), [-1]), /other values/)
    refused((x) => tf.matMul(tf.reshape(x, [-1, 1]), tf.reshape(x, [1, -1])).reshape([-1]), /a dimension is/)
  })
})
