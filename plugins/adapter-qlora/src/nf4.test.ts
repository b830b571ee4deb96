import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type HostArray, type Params, key, mapParams } from '@attune/core'
import { NF4_VALUES, dequantizeNf4, nf4Product, nf4Tensors, normal, quantizeNf4, quantizeScales } from '@attune/nn'
import { expectClose, gradientsOf, referenceEngine } from '@attune/testkit'
import { decodeSafetensors } from '@attune/weights'
import { type Scalar, square, sum } from '@tensorflow/tfjs-core'

const file = new URL('../golden/nf4.safetensors', import.meta.url)
const golden = decodeSafetensors(readFileSync(file), 'nf4.safetensors').tensors
const values = (name: string): Float32Array => golden[name]!.values as Float32Array
const CASES = ['whole', 'partial', 'many', 'zeros', 'ties']

const engine = referenceEngine()
beforeAll(() => engine.start())
afterAll(() => engine.close())

describe('NF4 blocks', () => {
  for (const name of CASES) {
    it(`${name}: equal those of bitsandbytes bit for bit`, () => {
      const { bytes, scales } = quantizeNf4(values(`${name}.weight`))
      const expected = [...values(`${name}.bytes`)]
      expect([...bytes.subarray(0, expected.length)]).toEqual(expected)
      expect(scales).toEqual(values(`${name}.scales`))
    })

    it(`${name}: have the 8-bit scales of bitsandbytes`, () => {
      const { codes, scales, offset } = quantizeScales(values(`${name}.scales`))
      expect([...codes]).toEqual([...values(`${name}.nested_codes`)])
      expectClose(scales, values(`${name}.nested_scales`), 1e-6)
      expectClose([offset], [...values(`${name}.nested_offset`)], 1e-7)
    })

    it(`${name}: are dequantized to the same values, with and without double quantization`, async () => {
      const { shape } = golden[`${name}.weight`]!
      for (const [suffix, isDouble] of [
        ['plain', false],
        ['nested_plain', true],
      ] as const) {
        if (golden[`${name}.${suffix}`] === undefined) continue
        const params = engine.put(nf4Tensors('layer', values(`${name}.weight`), isDouble)) as Params
        const read = engine.compile((p: Params) => ({
          weight: dequantizeNf4({ layer: 'layer', params: p, shape: shape as [number, number] }),
        }))
        const { weight } = (await engine.read(read(params))) as { weight: HostArray }
        expect(weight.shape).toEqual(shape)
        expectClose(weight.values, values(`${name}.${suffix}`), 1e-6)
      }
    })
  }

  it('take 4.13 bits per weight with double quantization', () => {
    const bits = (isDouble: boolean): number =>
      (32 *
        Object.values(nf4Tensors('layer', new Float32Array(576 * 1536), isDouble)).reduce(
          (n, { values: v }) => n + v.length,
          0,
        )) /
      (576 * 1536)
    expect(bits(false)).toBe(4.5)
    expect(bits(true)).toBeCloseTo(4.127, 3)
  })

  it('round each value to the nearest of the 16', () => {
    const { bytes } = quantizeNf4(Float32Array.from(NF4_VALUES))
    expect([...bytes.subarray(0, 8)]).toEqual([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef])
  })
})

it('passes the gradient of x·Wᵀ to x', async () => {
  const weight = normal(key(1), [6, 40], 1)
  const { host } = (await engine.read({ host: weight })) as { host: HostArray }
  const params = engine.put(nf4Tensors('layer', host.values as Float32Array, true)) as Params
  const x = normal(key(2), [3, 40], 1)
  const loss = ({ input }: Params): Scalar =>
    sum(square(nf4Product(input!, { layer: 'layer', params, shape: [6, 40] })))
  const plain = dequantizeNf4({ layer: 'layer', params, shape: [6, 40] })
  const reference = ({ input }: Params): Scalar => sum(square(input!.matMul(plain, false, true)))
  const [found, expected] = [loss, reference].map((of) => gradientsOf(of, { input: x }))
  expectClose(await engine.read(found!), await engine.read(expected!), 1e-5)
  expect(Object.keys(mapParams((g) => g, found!))).toEqual(['input'])
})
