import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { type HostArray, type Key, type Params, key, normals, stream } from '@attune/core'
import { eagerEngine } from '../engine/eager-engine.js'
import { resizeEmbeddings } from './resize-embeddings.js'

const engine = eagerEngine({ backend: 'cpu', device: 'test', load: () => Promise.resolve() })
beforeAll(() => engine.start())

const [ROWS, WIDTH] = [40, 3]
/** Rows whose columns differ in mean and deviation; the last column is the sum of the others: a singular covariance. */
const next = normals(stream(key(1)))
const rows = Array.from({ length: ROWS }, () => {
  const [a, b] = [5 + 100 * next(), -2 + 30 * next()]
  return [a, b, a + b]
})
const old: HostArray = { shape: [ROWS, WIDTH], dtype: 'float32', values: Float32Array.from(rows.flat()) }
const bias: HostArray = { shape: [ROWS], dtype: 'float32', values: Float32Array.from({ length: ROWS }, next) }

/** The tensors after resizing one of them. */
async function resized(name: string, to: number, from: Key): Promise<Readonly<Record<string, HostArray>>> {
  const params = engine.put({ words: old, bias }) as unknown as Params
  const result = engine.compile((given: Params) => resizeEmbeddings(given, name, to, from))(params)
  const values = (await engine.read(result)) as unknown as Readonly<Record<string, HostArray>>
  engine.release(result)
  engine.release(params)
  return values
}

const average = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0) / numbers.length
const column = (values: ArrayLike<number>, at: number): number[] =>
  Array.from({ length: values.length / WIDTH }, (_, i) => values[WIDTH * i + at]!)
const covariance = (a: readonly number[], b: readonly number[]): number => {
  const [meanOfA, meanOfB] = [average(a), average(b)]
  return average(a.map((value, i) => (value - meanOfA) * (b[i]! - meanOfB)))
}

describe('resizeEmbeddings', () => {
  it('keeps old rows and other tensors bit for bit, and adds new rows', async () => {
    const live = engine.live()
    const { words, bias: other } = await resized('words', ROWS + 5, key(2))
    expect(words!.shape).toEqual([ROWS + 5, WIDTH])
    expect(words!.values.slice(0, ROWS * WIDTH)).toEqual(old.values)
    expect(other).toEqual(bias)
    expect(engine.live()).toBe(live)
  })

  it('samples new rows with the mean of the old ones and 10⁻⁹ of their covariance', async () => {
    const added = 2000
    const { words } = await resized('words', ROWS + added, key(3))
    const drawn = words!.values.slice(ROWS * WIDTH)
    for (let a = 0; a < WIDTH; a++) {
      const [theirs, ours] = [column(old.values, a), column(drawn, a)]
      const deviation = Math.sqrt(1e-9 * covariance(theirs, theirs))
      expect(Math.abs(average(ours) - average(theirs))).toBeLessThan(6e-6 + (5 * deviation) / Math.sqrt(added))
      for (let b = 0; b < WIDTH; b++) {
        const expected = 1e-9 * covariance(theirs, column(old.values, b))
        const scale = Math.sqrt(
          1e-9 * covariance(theirs, theirs) * 1e-9 * covariance(column(old.values, b), column(old.values, b)),
        )
        expect(Math.abs(covariance(ours, column(drawn, b)) - expected)).toBeLessThan(0.12 * scale)
      }
    }
  })

  it('returns the same rows for the same key, and others for another key', async () => {
    const [a, b, c] = [
      await resized('words', 50, key(4)),
      await resized('words', 50, key(4)),
      await resized('words', 50, key(5)),
    ]
    expect(a).toEqual(b)
    expect(a['words']).not.toEqual(c['words'])
  })

  it('resizes a bias, drops rows, and keeps a tensor of the requested size', async () => {
    const longer = (await resized('bias', ROWS + 3, key(6)))['bias']!
    expect(longer.shape).toEqual([ROWS + 3])
    expect(longer.values.slice(0, ROWS)).toEqual(bias.values)
    for (const value of longer.values.slice(ROWS)) expect(value).toBeCloseTo(average([...bias.values]), 3)
    expect((await resized('words', 7, key(6)))['words']!.values).toEqual(old.values.slice(0, 7 * WIDTH))
    expect((await resized('words', ROWS, key(6)))['words']).toEqual(old)
  })

  it.each([0, -1, 2.5, NaN])('rejects %s rows', async (count) => {
    await expect(resized('words', count, key(7))).rejects.toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })

  it('lists the nearest name for an unknown one', async () => {
    await expect(resized('word', 50, key(7))).rejects.toThrow(
      expect.objectContaining({ code: 'MISSING_PARAMETER', remedy: 'Nearest: words.' }),
    )
  })
})
