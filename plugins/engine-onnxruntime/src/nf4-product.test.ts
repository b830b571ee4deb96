import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type HostArray, type Params, key } from '@attune/core'
import { gradients, nf4Product, nf4Rows, nf4Table, nf4TableProduct, nf4Tensors, normal } from '@attune/nn'
import { expectClose, referenceEngine } from '@attune/testkit'
import { type Tensor, mul, square, sum, tensor1d } from '@tensorflow/tfjs-core'
import { onnxruntime } from './onnxruntime.js'

const [ours, reference] = [onnxruntime({}), referenceEngine()]
beforeAll(async () => {
  await ours.start()
  await reference.start()
})
afterAll(() => Promise.all([ours.close(), reference.close()]))

describe.each([true, false])('products with NF4 weights, double quantization %s', (isDouble) => {
  // Whole blocks, a partial last block, and several groups of scales with a partial one.
  it.each([
    [8, 64],
    [6, 40],
    [260, 96],
  ])('match those of the reference engine, with their gradients, for a weight of %i × %i', async (outputs, inputs) => {
    const results = []
    for (const engine of [reference, ours]) {
      await engine.start()
      const { weight } = (await engine.read({ weight: normal(key(1), [outputs, inputs], 1) })) as Record<
        string,
        HostArray
      >
      const params = engine.put(nf4Tensors('layer', weight!.values as Float32Array, isDouble)) as Params
      const run = engine.compile((frozen: Params, x: Tensor) => {
        const y = (input: Tensor): Tensor =>
          nf4Product(input, { layer: 'layer', params: frozen, shape: [outputs, inputs] })
        const { grads } = gradients(() => sum(mul(square(y(x)), 0.5)), { x })
        return { y: y(x), ...grads }
      })
      const x = normal(key(2), [3, inputs], 1)
      results.push(await engine.read(run(params, x)), await engine.read(run(params, normal(key(3), [3, inputs], 1))))
    }
    expect(Object.keys(results[2] as object)).toEqual(['y', 'x'])
    expectClose(results[2], results[0], 1e-4)
    expectClose(results[3], results[1], 1e-4)
  })
})

it.each([true, false])(
  'products with tables in several parts match those of the reference engine, double quantization %s',
  async (isDouble) => {
    const [entries, width] = [70, 64]
    const most = 32 * 64 // two whole parts and a smaller one
    const values = Float32Array.from({ length: entries * width }, (_, i) => Math.sin(i))
    const results = []
    for (const engine of [reference, ours]) {
      await engine.start()
      const params = engine.put(
        nf4Table('words', { shape: [entries, width], dtype: 'float32', values }, isDouble),
      ) as Params
      const run = engine.compile((frozen: Params, x: Tensor, ids: Tensor) => {
        const y = (states: Tensor): Tensor => nf4TableProduct(states, frozen, 'words', most)
        const { grads } = gradients(() => sum(mul(square(y(x)), 0.5)), { x })
        return { y: y(x), rows: nf4Rows(frozen, 'words', ids), ...grads }
      })
      results.push(await engine.read(run(params, normal(key(2), [3, width], 1), tensor1d([69, 7], 'int32'))))
    }
    expectClose(results[1], results[0], 1e-3)
  },
)
