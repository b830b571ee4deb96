import { Readable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { count } from './count.js'

describe('count', () => {
  it.each([0, 1, 1000])('counts %d items', async (n) => {
    expect(await count(Readable.from(new Array<number>(n).fill(7)))).toBe(n)
  })
})
