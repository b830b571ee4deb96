import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { adwin } from './adwin.js'
import { ddm } from './ddm.js'
import type { DriftDetector } from './drift-detector.js'
import { pageHinkley } from './page-hinkley.js'

interface Detections {
  readonly drifts: readonly number[]
  readonly warnings: readonly number[]
}
interface Windows extends Pick<Detections, 'drifts'> {
  readonly trace: readonly (readonly [width: number, mean: number])[]
}
const golden = JSON.parse(readFileSync('golden/drift.json', 'utf8')) as {
  readonly bits: readonly number[]
  readonly reals: readonly number[]
  readonly ddm: Detections
  readonly ddmStrict: Detections
  readonly pageHinkley: Detections
  readonly pageHinkleyUp: Detections
  readonly adwinBits: Windows
  readonly adwinReals: Windows
}

/** Signals by index; the state goes through JSON at every value. */
function detect<S>(detector: DriftDetector<S>, values: readonly number[], look?: (state: S, i: number) => void) {
  let state = detector.init()
  const found = { drifts: [] as number[], warnings: [] as number[] }
  for (const [i, value] of values.entries()) {
    const next = detector.add(state, value)
    state = JSON.parse(JSON.stringify(next.state)) as S
    if (next.signal !== 'stable') found[next.signal === 'drift' ? 'drifts' : 'warnings'].push(i)
    look?.(state, i)
  }
  return found
}

describe('drift detectors', () => {
  it('detect what river detects: DDM', () => {
    expect(detect(ddm(), golden.bits)).toEqual(golden.ddm)
    expect(detect(ddm({ warmUp: 60, warning: 1.5, drift: 2.5 }), golden.bits)).toEqual(golden.ddmStrict)
  })

  it('detect what river detects: Page–Hinkley', () => {
    expect(detect(pageHinkley(), golden.reals)).toEqual(golden.pageHinkley)
    const options = { direction: 'up', threshold: 20, tolerance: 0.05, warmUp: 50 } as const
    expect(detect(pageHinkley(options), golden.reals)).toEqual(golden.pageHinkleyUp)
  })

  it.each([
    ['bits', 'adwinBits', {}],
    ['reals', 'adwinReals', { delta: 0.01, clock: 1, maximumBuckets: 3, minimumLength: 8, warmUp: 20 }],
  ] as const)('detect what river detects: ADWIN on %s, with the same window', (values, name, options) => {
    const widths: number[] = []
    const means: number[] = []
    const { drifts } = detect(adwin(options), golden[values], ({ width, total }, i) => {
      if (i % 50 !== 49) return
      widths.push(width)
      means.push(total / width)
    })
    expect(drifts).toEqual(golden[name].drifts)
    expect(widths).toEqual(golden[name].trace.map(([width]) => width))
    for (const [i, mean] of means.entries()) expect(mean).toBeCloseTo(golden[name].trace[i]![1], 12)
  })

  it('signal only changes of the chosen direction: ADWIN', () => {
    const { drifts } = golden.adwinBits // the error rate rises at 700, falls at 1,200 and rises at 1,800
    const of = (from: number, to: number): number[] => drifts.filter((at) => at >= from && at < to)
    expect(detect(adwin({ direction: 'up' }), golden.bits).drifts).toEqual([...of(0, 1200), ...of(1800, 2100)])
    expect(detect(adwin({ direction: 'down' }), golden.bits).drifts).toEqual(of(1200, 1800))
  })

  it('do not change the state that they are given', () => {
    for (const detector of [adwin({ clock: 1 }), ddm(), pageHinkley()] as DriftDetector[]) {
      let state = detector.init()
      for (let i = 0; i < 60; i++) {
        const before = JSON.stringify(state)
        const next = detector.add(state, i > 40 ? 1 : 0)
        expect(JSON.stringify(state)).toBe(before)
        state = next.state
      }
    }
  })
})
