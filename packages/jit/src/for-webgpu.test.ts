import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { type Graph, type Values, nodesOf, sizeOf } from './graph.js'
import { jit } from './index.js'
import { forWebgpu } from './for-webgpu.js'
import { type Feed, openSession } from './session.js'

beforeAll(() => tf.enableProdMode())

/** Graph of a function for arguments of these shapes. */
function graphOf(fn: (...x: Tensor[]) => Record<string, Tensor>, ...shapes: readonly number[][]): Graph {
  const f = jit(fn)
  f(...shapes.map((shape) => tf.zeros(shape)))
  const [program] = f.graphs.values()
  return program!.graph
}

const operations = ({ outputs }: Graph): string[] => nodesOf(outputs).map(({ op }) => op)

/** Outputs on the CPU; each input is a different sine. */
function run(graph: Graph): readonly Values[] {
  const session = openSession(graph, { threads: 1 })
  const feeds = graph.inputs.map((input, i): Feed => {
    return [input, Float32Array.from({ length: sizeOf(input.shape) }, (_, j) => Math.sin(3 * i + j))]
  })
  const fetches = graph.outputs.map((output): Feed => [output, new Float32Array(sizeOf(output.shape))])
  session.run(feeds, fetches)
  session.dispose()
  return fetches.map(([, values]) => values)
}

describe('a graph for WebGPU', () => {
  it('matches the traced graph, without operations that WebGPU lacks', () => {
    const traced = graphOf(
      (a, b, x) => ({
        flat: tf.square(tf.matMul(a!, b!, true)),
        turned: tf.matMul(a!, b!, false, true),
        deep: tf.matMul(tf.tanh(tf.matMul(x!, x!, true)), x!, true, true),
        again: tf.matMul(x!, x!, false, true),
      }),
      [3, 3],
      [3, 3],
      [2, 5, 5],
    )
    const rewritten = forWebgpu(traced)
    expect(operations(traced)).toContain('FusedMatMul')
    expect(operations(rewritten)).not.toContain('FusedMatMul')
    expect(operations(rewritten)).toEqual(expect.arrayContaining(['Gemm', 'Transpose', 'MatMul', 'Tanh']))
    const [expected, found] = [run(traced), run(rewritten)]
    for (const [i, values] of found.entries())
      for (const [j, value] of values.entries()) expect(Number(value)).toBeCloseTo(Number(expected[i]![j]), 5)
  })

  it('transposes a shared operand of several products once', () => {
    const graph = forWebgpu(
      graphOf((x) => ({ a: tf.matMul(x!, x!, true), b: tf.matMul(x!, tf.neg(x!), true) }), [2, 4, 4]),
    )
    expect(operations(graph).filter((op) => op === 'Transpose')).toHaveLength(1)
  })

  it('keeps the names of outputs', () => {
    const traced = graphOf((x) => ({ a: tf.matMul(x!, x!, true) }), [2, 4, 4])
    expect(forWebgpu(traced).outputs.map(({ id }) => id)).toEqual(traced.outputs.map(({ id }) => id))
  })
})
