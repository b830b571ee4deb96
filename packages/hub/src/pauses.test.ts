import { describe, expect, it } from '@jest/globals'
import { retryAfterSeconds, setAlarm } from './pauses.js'

describe('setAlarm', () => {
  it('fires, and fires again after a restart', async () => {
    let ring = (): void => undefined
    const rung = (): Promise<void> => new Promise((done) => (ring = done))
    const first = rung()
    const alarm = setAlarm(0.001, () => ring())
    await first
    const second = rung()
    alarm.restart()
    await second
    alarm.stop()
  })
})

describe('retryAfterSeconds', () => {
  it('parses seconds and dates, and returns undefined for anything else', () => {
    const now = Date.UTC(2026, 0, 1)
    const later = new Date(now + 90_000).toUTCString()
    const headers = ['7', ' 1.5 ', '9'.repeat(400), later, new Date(now - 1).toUTCString(), '-3x', '', null]
    expect(headers.map((header) => retryAfterSeconds(header, now))).toEqual([
      7,
      1.5,
      Infinity,
      90,
      0,
      undefined,
      undefined,
      undefined,
    ])
  })
})
