import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { format } from './strftime.js'

type Time = readonly [year: number, month: number, day: number, hours: number, minutes: number, seconds: number]

const golden = JSON.parse(gunzipSync(readFileSync('golden/jinja.json.gz')).toString()) as {
  readonly source: string
  readonly letters: string
  readonly times: readonly (readonly [Time, string])[]
}

describe(`strftime, compared with ${golden.source}`, () => {
  it('matches at the turn of the year, in leap years and at each hour', () => {
    expect(golden.times.length).toBeGreaterThan(100)
    for (const [time, text] of golden.times) {
      const [year, month, ...rest] = time
      expect({ time, text: format(new Date(year, month - 1, ...rest), golden.letters) }).toEqual({ time, text })
    }
  })

  it('leaves letters that glibc refuses after a modifier unchanged, padded to the width', () => {
    const date = new Date(2021, 0, 3)
    expect(format(date, '%Ed|%Od|%EY|%OY|%5q|%5👋')).toBe('%Ed|03|2021|%OY|  %5q|  %5👋')
  })
})
