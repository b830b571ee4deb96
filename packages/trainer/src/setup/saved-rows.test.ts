import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Engine, HostArray, Params } from '@attune/core'
import { toyEngine } from '../run/toy.test.fixture.js'
import { rowsFrom } from './saved-rows.js'

let engine: Engine
beforeAll(async () => {
  engine = toyEngine()
  await engine.start()
})
afterAll(() => engine.close())

const array = (shape: number[], ...values: number[]): HostArray => ({
  shape,
  dtype: 'float32',
  values: Float32Array.from(values),
})
const read = async (params: Params): Promise<HostArray> => {
  const found = (await engine.read(params)) as unknown as { rows: HostArray }
  engine.release(params)
  return found.rows
}

it('returns saved rows in another order, exactly', async () => {
  const live = engine.live()
  const rows = rowsFrom(engine, array([3, 2], 0.1, 0.2, 0.3, 0.4, 0.5, 0.6), [2, 0], undefined)
  expect(await read({ rows })).toEqual(array([2, 2], 0.5, 0.6, 0.1, 0.2))
  expect(engine.live()).toBe(live)
})

it.each([
  [
    [2, 2],
    [3, 2],
    [0.1, 0.2, 0.3, 0.4],
    [7, 8, 7, 8, 7, 8],
    [0.3, 0.4, 0.1, 0.2, 7, 8],
  ],
  [[2], [3], [0.1, 0.2], [7, 8, 9], [0.2, 0.1, 9]],
])('returns newly initialized rows where there is no saved one, for shape %p', async (from, to, saved, made, all) => {
  const live = engine.live()
  const { fresh } = engine.put({ fresh: array(to, ...made) }) as unknown as { fresh: Params[string] }
  const rows = rowsFrom(engine, array(from, ...saved), [1, 0, -1], fresh)
  expect(await read({ rows })).toEqual(array(to, ...all))
  expect(engine.live()).toBe(live)
})
