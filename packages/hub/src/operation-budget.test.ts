import { describe, expect, it } from '@jest/globals'
import { HUB_LIMITS } from './limits.js'
import { type OperationBudget, createOperationBudget } from './operation-budget.js'
import { trackRate } from './rate.js'

const budget = (): OperationBudget => createOperationBudget('https://hub.example')
/** Number of calls until one throws, at most `most`. */
function timesOf(act: () => void, most: number): number {
  for (let times = 0; times < most; times++)
    try {
      act()
    } catch {
      return times
    }
  return most
}

describe('createOperationBudget', () => {
  it('rejects bodies in tiny chunks, and accepts chunks of a network packet', () => {
    const [tiny, usual] = [budget(), budget()]
    expect(timesOf(() => tiny.receive(1, 'content', false), 1e6)).toBeLessThan(25_000)
    expect(timesOf(() => usual.receive(536, 'content', false), 1e5)).toBe(1e5)
  })

  it('rejects requests without content, and accepts any number with content', () => {
    const [empty, useful] = [budget(), budget()]
    expect(timesOf(() => empty.request(), 1e6)).toBe(1000)
    const useOne = (): void => {
      useful.request()
      useful.receive(HUB_LIMITS.gainedBytes, 'content', false)
    }
    expect(timesOf(useOne, 1e5)).toBe(1e5)
  })

  it('rejects responses of more than 32 MiB in total', () => {
    const all = budget()
    expect(timesOf(() => all.receive(2 ** 20, 'answer', false), 100)).toBe(HUB_LIMITS.answersBytes / 2 ** 20)
  })

  it('allows half an hour of waiting, plus a second per KiB of content', () => {
    const [vain, slow, tooSlow] = [budget(), budget(), budget()]
    expect(timesOf(() => vain.wait(60), 1000)).toBe(30)
    const at = (each: OperationBudget, bytes: number) => (): void => {
      each.receive(bytes, 'content', false)
      each.wait(1)
    }
    expect(timesOf(at(slow, HUB_LIMITS.bytesPerSecond), 100_000)).toBe(100_000)
    expect(timesOf(at(tooSlow, HUB_LIMITS.bytesPerSecond / 2), 100_000)).toBeLessThan(2 * HUB_LIMITS.waitingSeconds + 2)
  })
})

describe('trackRate', () => {
  /** Number of chunks until the body is too slow. */
  const chunksUntilSlow = (bytes: number, seconds: number): number => {
    const isTooSlow = trackRate()
    const found = Array.from({ length: 1000 }, () => isTooSlow(bytes, seconds)).indexOf(true)
    return found < 0 ? Infinity : found + 1
  }
  it('returns true below 1 KiB/s over two minutes', () => {
    expect(chunksUntilSlow(1, 50)).toBe(3)
    expect(chunksUntilSlow(1000, 1)).toBe(120)
    expect(chunksUntilSlow(1025, 1)).toBe(Infinity)
    expect(chunksUntilSlow(10_000, 1)).toBe(Infinity)
    expect(chunksUntilSlow(64 * 1024, 6.5)).toBe(Infinity)
  })
})
