import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { type Params, key } from '@attune/core'
import { gradients, halfRows, halfTable, halfTableProduct, normal, readsHalfTables, wholeHalfTable } from '@attune/nn'
import { expectClose, referenceEngine } from '@attune/testkit'
import { type Tensor, mul, square, sum, tensor1d } from '@tensorflow/tfjs-core'
import { onnxruntime } from './onnxruntime.js'

const [ours, reference] = [onnxruntime({}), referenceEngine()]
beforeAll(async () => {
  await ours.start()
  await reference.start()
})
afterAll(() => Promise.all([ours.close(), reference.close()]))

it('reads tables in float16 only on engines with the kernel', async () => {
  await ours.start()
  expect(readsHalfTables()).toBe(true)
  await reference.start()
  expect(readsHalfTables()).toBe(false)
})

const [entries, width] = [70, 6]
const most = 32 * width // two whole parts and a smaller one

/** Multiples of 1/64 of different sizes, which float16 represents. */
const table = (): Record<string, unknown> =>
  halfTable('words', {
    shape: [entries, width],
    dtype: 'float32',
    values: Float32Array.from({ length: entries * width }, (_, i) => (((i * 37) % 1001) - 500) * 2 ** ((i % 40) - 30)),
  })!

it.each([[[]], [[0]]])('reads rows and products of tables in float16, with constant arguments %p', async (constant) => {
  const results = []
  for (const engine of [reference, ours]) {
    await engine.start()
    const params = engine.put(table() as never) as Params
    const run = engine.compile(
      (frozen: Params, x: Tensor, ids: Tensor) => {
        const y = (states: Tensor): Tensor => halfTableProduct(states, frozen, 'words', most)
        const { grads } = gradients(() => sum(mul(square(y(x)), 0.5)), { x })
        return { y: y(x), rows: halfRows(frozen, 'words', ids), whole: wholeHalfTable(frozen, 'words'), ...grads }
      },
      { constant },
    )
    results.push(await engine.read(run(params, normal(key(2), [3, width], 1), tensor1d([69, 7], 'int32'))))
  }
  const [expected, found] = results as { rows: unknown; whole: unknown }[]
  expect([found!.rows, found!.whole]).toEqual([expected!.rows, expected!.whole])
  expectClose(found, expected, 1e-3)
})
