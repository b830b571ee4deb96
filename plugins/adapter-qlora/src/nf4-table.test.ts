import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Head, type HostArray, type Model, type Params, key } from '@attune/core'
import { embedding, linear, nf4Product, nf4Rows, nf4Table, nf4TableProduct, normal, tokenLogits } from '@attune/nn'
import { expectClose, gradientsOf, referenceEngine, textInputs, tinyModel } from '@attune/testkit'
import { decodeSafetensors } from '@attune/weights'
import { type Scalar, gather, matMul, square, sum, tensor, tensor2d } from '@tensorflow/tfjs-core'
import { qlora } from './qlora.js'

const file = new URL('../golden/nf4.safetensors', import.meta.url)
const golden = decodeSafetensors(readFileSync(file), 'nf4.safetensors').tensors

const engine = referenceEngine()
beforeAll(() => engine.start())
afterAll(() => engine.close())

const ids = () => tensor2d([[3, 0], [1, 3]], [2, 2], 'int32') // prettier-ignore

describe.each([false, true])('tables in NF4, double quantization %s', (isDouble) => {
  const [rows, width] = [5, 128]
  const weight: HostArray = { shape: [rows, width], dtype: 'float32', values: golden['many.weight']!.values.slice(0, rows * width) } // prettier-ignore

  it('have the rows and products of the whole dequantized weight', async () => {
    const params = engine.put(nf4Table('words', weight, isDouble)) as Params
    const whole = nf4Product(tensor([...Array(width * width).keys()].map((i) => (i % (width + 1) === 0 ? 1 : 0)), [width, width]), { layer: 'words', params, shape: [rows, width] }) // prettier-ignore
    const table = whole.transpose() // [rows, width]
    expectClose(await engine.read(nf4Rows(params, 'words', ids())), await engine.read(gather(table, ids() as never)), 1e-6) // prettier-ignore
    const x = normal(key(1), [3, width], 1)
    const product = nf4TableProduct(x, params, 'words')
    expectClose(await engine.read(product), await engine.read(matMul(x, table, false, true)), 1e-4)
  })
})

it('reads the rows that bitsandbytes dequantizes', async () => {
  const [name, columns] = ['whole', 64]
  const { values } = golden[`${name}.weight`]!
  const shape = [values.length / columns, columns]
  for (const [suffix, isDouble] of [
    ['plain', false],
    ['nested_plain', true],
  ] as const) {
    // prettier-ignore
    const expected = golden[`${name}.${suffix}`]!
    const params = engine.put(nf4Table('words', { shape, dtype: 'float32', values }, isDouble)) as Params
    const at = tensor([1, 0], [2], 'int32')
    const found = (await engine.read(nf4Rows(params, 'words', at))) as HostArray
    const row = (i: number): number[] => [...expected.values.subarray(i * columns, (i + 1) * columns)]
    expectClose(found.values, [...row(1), ...row(0)], 1e-6)
  }
})

it('passes the gradient of products in several parts to the states', async () => {
  const [entries, width] = [70, 64]
  const most = 32 * 64 // two whole parts and a smaller one
  const values = Float32Array.from({ length: entries * width }, (_, i) => Math.sin(i))
  const params = engine.put(nf4Table('words', { shape: [entries, width], dtype: 'float32', values }, true)) as Params
  const x = normal(key(2), [2, width], 1)
  const [found, expected] = [
    gradientsOf(({ x: at }) => sum(square(nf4TableProduct(at!, params, 'words', most))) as Scalar, { x }),
    gradientsOf(
      ({ x: at }) => sum(square(nf4Product(at!, { layer: 'words', params, shape: [entries, width] }))) as Scalar,
      { x },
    ),
  ]
  expectClose(await engine.read(found), await engine.read(expected), 1e-4)
})

describe('qlora with quantizeEmbeddings', () => {
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
  const head = { tensors: {} } as Head
  const logits = async (of: Model, params: Params) => {
    const inputs = engine.put(textInputs([[1, 4, 2]]))
    const { lastHiddenState } = of.forward(params, inputs, { training: false })
    return engine.read(tokenLogits(of, head, params, lastHiddenState))
  }

  it('stores tied word embeddings in NF4, and merges them back with the same logits', async () => {
    const params = { 'toy.words.weight': normal(key(1), [6, 64], 1), 'toy.layer.query.weight': normal(key(2), [64, 64], 1) } // prettier-ignore
    const adapter = qlora({ targets: ['query'], rank: 2, quantizeEmbeddings: true }, { engine, randomness: key(3) })
    const { model: changed, trainable, frozen, merge } = await adapter.adapt(model, params)
    expect(frozen['toy.words.weight']).toBeUndefined()
    expect(frozen['toy.words.weight.nf4']!.shape).toEqual([6, 8])
    const merged = merge!(trainable, frozen)
    expect(Object.keys(merged)).toEqual(Object.keys(params))
    const found = await logits(changed, { ...frozen, ...trainable })
    expectClose(found, await logits(model, merged), 1e-3)
    const plain = qlora({ targets: ['query'], rank: 2 }, { engine, randomness: key(3) })
    const other = await plain.adapt(model, params)
    expect(await logits(other.model, { ...other.frozen, ...other.trainable })).not.toEqual(found)
  })

  it('keeps tables whose rows are not whole blocks in float32', async () => {
    const tiny = tinyModel()
    const params = tiny.init(key(1))
    const adapter = qlora({ quantizeEmbeddings: true }, { engine, randomness: key(3) })
    const { frozen } = await adapter.adapt(tiny, params)
    expect(frozen[tiny.wordEmbeddings]).toBe(params[tiny.wordEmbeddings])
  })
})
