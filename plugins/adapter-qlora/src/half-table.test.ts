import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Head, type HostArray, type Model, type Params, key } from '@attune/core'
import {
  HALF_ROWS,
  embedding,
  halfTable,
  halfTableProduct,
  linear,
  normal,
  parameter,
  tokenLogits,
  wholeHalfTable,
  withHook,
} from '@attune/nn'
import { expectClose, gradientsOf, referenceEngine, textInputs, tinyModel } from '@attune/testkit'
import {
  type Scalar,
  type Tensor,
  gather,
  matMul,
  registerKernel,
  square,
  sum,
  tensor,
  tensor2d,
  unregisterKernel,
} from '@tensorflow/tfjs-core'
import { qlora } from './qlora.js'

const engine = referenceEngine()
beforeAll(() => engine.start())
afterAll(() => engine.close())

const CODES = 'words.weight.float16'
const SCALES = 'words.weight.row_scales'
const tableOf = (width: number, values: Iterable<number>): HostArray => {
  const array = Float32Array.from(values)
  return { shape: [array.length / width, width], dtype: 'float32', values: array }
}
const bitsOf = (values: HostArray['values']): number[] => [
  ...new Uint32Array(values.buffer, values.byteOffset, values.length),
]

/** Numbers as those of a bfloat16 checkpoint: the lower half of a float32 is zero. */
function bfloat16(values: Float32Array): Float32Array {
  const bits = Uint32Array.from(bitsOf(values), (each) => each & 0xffff0000)
  return new Float32Array(bits.buffer)
}

/** bfloat16 rows of normal numbers, of very different sizes, with zeros of both signs. */
async function randomTable(entries: number, width: number): Promise<HostArray> {
  const { values } = (await engine.read(normal(key(1), [entries, width], 1))) as HostArray
  const scaled = values.map((x, i) => x * 10 ** (((Math.floor(i / width) * 7) % 61) - 30))
  const found = bfloat16(Float32Array.from(scaled))
  found.set([0, -0], width - 2)
  return { shape: [entries, width], dtype: 'float32', values: found }
}

/** A table as it is read back. */
async function restored(table: HostArray): Promise<HostArray['values']> {
  const params = engine.put(halfTable('words', table)!) as Params
  return ((await engine.read(wholeHalfTable(params, 'words'))) as HostArray).values
}

describe('a table in float16', () => {
  it('keeps the bits of bfloat16 numbers', async () => {
    const table = await randomTable(70, 6)
    expect(bitsOf(await restored(table))).toEqual(bitsOf(table.values))
  })

  it('keeps the bits of float16 numbers', async () => {
    const table = tableOf(2, [1 + 1023 / 1024, 65504, -2047, 0.5])
    expect(bitsOf(await restored(table))).toEqual(bitsOf(table.values))
  })

  it('consists of IEEE 754 numbers and a power of two for each row', () => {
    const { [CODES]: codes, [SCALES]: scales } = halfTable('words', tableOf(2, [1, 0.5, -3, 0]))!
    // The largest exponent of float16 is 2¹⁵: 1 and 0.5 are stored as 2¹⁵ and 2¹⁴, −3 as −1.5 · 2¹⁵.
    expect([...codes!.values].map((code) => code >>> 0)).toEqual([0x7400_7800, 0x0000_fa00])
    expect([...scales!.values]).toEqual([2 ** -15, 2 ** -14])
    expect([codes!.shape, scales!.shape]).toEqual([[2, 1], [2]]) // prettier-ignore
  })

  it('replaces values below 2⁻²⁹ of the largest in their row by 0', async () => {
    const values = [1, 2 ** -29, -(2 ** -29), 1.5 * 2 ** -30, 2 ** -100, 2 ** -140]
    expect([...(await restored(tableOf(6, values)))]).toEqual([1, 2 ** -29, -(2 ** -29), 0, 0, 0])
  })

  it.each([
    ['a value that would be rounded', [1, 1 + 2 ** -11]],
    ['infinity', [1, Infinity]],
    ['NaN', [1, NaN]],
  ])('does not exist for %s', (_, values) => {
    expect(halfTable('words', tableOf(2, values))).toBeUndefined()
  })

  it('does not exist for rows of an odd width', () => {
    expect(halfTable('words', tableOf(3, [1, 2, 3]))).toBeUndefined()
  })

  it('has the rows and products of the float32 table, with the gradient of the product', async () => {
    const [entries, width] = [70, 6]
    const { values } = await randomTable(1, entries * width)
    const plain = tensor([...values], [entries, width])
    const params = engine.put(halfTable('words', { shape: [entries, width], dtype: 'float32', values })!) as Params
    const ids = tensor2d([[3, 0], [69, 3]], [2, 2], 'int32') // prettier-ignore
    expectClose(await engine.read(embedding(params, 'words', ids)), await engine.read(gather(plain, ids as never)), 0)
    const most = 32 * width // two whole parts and a smaller one
    const x = normal(key(2), [3, width], 1)
    const found = halfTableProduct(x, params, 'words', most)
    expectClose(await engine.read(found), await engine.read(matMul(x, plain, false, true)), 1e-5)
    const gradient = (product: (at: Tensor) => Tensor) =>
      gradientsOf(({ x: at }) => sum(square(product(at!))) as Scalar, { x })
    expectClose(
      await engine.read(gradient((at) => halfTableProduct(at, params, 'words', most))),
      await engine.read(gradient((at) => matMul(at, plain, false, true))),
      1e-4,
    )
  })

  it('is read in float32 as a parameter, and by hooks of the embedding', async () => {
    const table = await randomTable(5, 6)
    const params = engine.put(halfTable('words', table)!) as Params
    expect(bitsOf(((await engine.read(parameter(params, 'words.weight'))) as HostArray).values)).toEqual(
      bitsOf(table.values),
    )
    const hooked = withHook(params, (site, x, compute) => compute(x, site.weight!.mul(2)))
    const ids = tensor2d([[3, 0]], [1, 2], 'int32')
    expectClose(
      await engine.read(embedding(hooked, 'words', ids)),
      await engine.read(embedding(params, 'words', ids).mul(2)),
      0,
    )
  })
})

describe('qlora', () => {
  const model: Model = {
    ...tinyModel(),
    prefix: 'toy.',
    wordEmbeddings: 'toy.words.weight',
    layers: [
      { name: 'embeddings', prefixes: ['toy.words.'] },
      { name: 'layer 0', prefixes: ['toy.layer.'] },
    ],
    forward(params, { inputIds }) {
      const states = linear(params, 'toy.layer.query', embedding(params, 'toy.words', inputIds), { bias: false })
      return { lastHiddenState: states, pooled: states }
    },
  }
  /** Adapts the model while the engine has the kernel, which the tests do not call, or without it. */
  const adapted = async (words: HostArray, hasKernel = true) => {
    if (hasKernel) registerKernel({ kernelName: HALF_ROWS, backendName: 'cpu', kernelFunc: () => [] })
    const params = { ...(engine.put({ 'toy.words.weight': words }) as Params), 'toy.layer.query.weight': normal(key(2), [6, 6], 1) } // prettier-ignore
    const made = await qlora({ targets: ['query'], rank: 2 }, { engine, randomness: key(3) }).adapt(model, params)
    if (hasKernel) unregisterKernel(HALF_ROWS, 'cpu')
    return made
  }

  it('stores word embeddings in float16 if the engine reads it, computes the same logits, and merges the same embeddings', async () => {
    const words = await randomTable(5, 6)
    const { frozen, trainable, merge, model: changed } = await adapted(words)
    expect(frozen['toy.words.weight']).toBeUndefined()
    expect(frozen['toy.words.weight.float16']!.shape).toEqual([5, 3])
    const merged = merge!(trainable, frozen)
    expect(bitsOf(((await engine.read(merged['toy.words.weight']!)) as HostArray).values)).toEqual(bitsOf(words.values))
    const logits = (of: Model, params: Params) => {
      const { lastHiddenState } = of.forward(params, engine.put(textInputs([[1, 4, 2]])), { training: false })
      return engine.read(tokenLogits(of, { tensors: {} } as Head, params, lastHiddenState))
    }
    expectClose(await logits(changed, { ...frozen, ...trainable }), await logits(model, merged), 1e-4)
  })

  it('keeps embeddings in float32 that float16 would round, and those of other engines', async () => {
    const words = tableOf(
      6,
      Array.from({ length: 30 }, (_, i) => Math.sin(i)),
    )
    expect((await adapted(words)).frozen['toy.words.weight']).toBeDefined()
    expect((await adapted(await randomTable(5, 6), false)).frozen['toy.words.weight']).toBeDefined()
  })
})
