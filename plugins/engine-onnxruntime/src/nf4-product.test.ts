import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type HostArray, type Params, key } from '@attune/core'
import { gradients, nf4Product, nf4Tensors, normal } from '@attune/nn'
import { expectClose, referenceEngine } from '@attune/testkit'
import { type Tensor, mul, square, sum } from '@tensorflow/tfjs-core'
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
