import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { key, normals, stream } from '@attune/core'
import { tensor } from '@tensorflow/tfjs-core'
import { dequantizeBlocks, dynamicMap, eagerEngine, quantizeBlocks } from '../index.js'

beforeAll(() => eagerEngine({ backend: 'cpu', device: '', load: () => Promise.resolve() }).start())

describe('dynamicMap', () => {
  // bitsandbytes 0.50.2: create_dynamic_map(signed=True) and (signed=False).
  it.each([
    [true, -0.9929687, 5.5e-7, 0.9929687],
    [false, 0, 3.25e-7, 0.9964844],
  ])('with signed = %p has 256 ascending values, those of bitsandbytes', (signed, first, positive, last) => {
    const map = dynamicMap(signed)
    expect(map.length).toBe(256)
    expect(Array.from(map).every((value, i) => i === 0 || value > map[i - 1]!)).toBe(true)
    expect(map[0]).toBeCloseTo(first, 6)
    expect(map.find((value) => value > 0)! / positive).toBeCloseTo(1, 5)
    expect(map[254]).toBeCloseTo(last, 6)
    expect(map[255]).toBe(1)
  })
})

describe('quantizeBlocks', () => {
  const next = normals(stream(key(5)))
  const values = Array.from({ length: 6 * 7 }, (_, i) => next() * 10 ** (i % 5))

  it.each([4, 16, 64])(
    'in blocks of %p returns the nearest value of the map, times the maximum of the block',
    (blockSize) => {
      const map = dynamicMap(true)
      const quantized = quantizeBlocks(tensor(values, [6, 7]), map, blockSize)
      expect([quantized.codes.dtype, quantized.codes.size]).toEqual([
        'int32',
        (Math.ceil(42 / blockSize) * blockSize) / 4,
      ])
      const found = dequantizeBlocks(quantized, map, { blockSize, shape: [6, 7] })
      expect(found.shape).toEqual([6, 7])
      found.dataSync().forEach((value, i) => {
        const start = Math.floor(i / blockSize) * blockSize
        const scale = Math.max(...values.slice(start, start + blockSize).map(Math.abs))
        const nearest = map.reduce((best, each) =>
          Math.abs(each - values[i]! / scale) < Math.abs(best - values[i]! / scale) ? each : best,
        )
        expect(value / scale).toBeCloseTo(nearest, 6)
      })
    },
  )

  it('restores zeros, and every value of the map', () => {
    const map = dynamicMap(true)
    const restored = (x: Float32Array, blockSize: number): number[] =>
      Array.from(
        dequantizeBlocks(quantizeBlocks(tensor(x), map, blockSize), map, { blockSize, shape: [x.length] }).dataSync(),
      )
    expect(restored(new Float32Array(8), 4)).toEqual(new Array(8).fill(0))
    expect(restored(map, 256)).toEqual(Array.from(map))
  })
})
