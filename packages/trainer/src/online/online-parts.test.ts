import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type Example, type Metric, key, stream } from '@attune/core'
import { lastValueFrom, toArray } from 'rxjs'
import { adwin } from './drift/adwin.js'
import { ddm } from './drift/ddm.js'
import { fadedScores } from './faded.js'
import { type OnlineOptions, learnOnline } from './learn-online.js'
import type { Learner } from './learner.js'
import { forgettingProbes } from './probes.js'
import { reservoir } from './reservoir.js'
import { windowedScores } from './windowed.js'

const golden = JSON.parse(readFileSync('golden/drift.json', 'utf8')) as { bits: number[]; rolling: number[] }

/** Accuracy of predictions of the number under `value`. */
const accuracy: Metric<number, number, readonly [hits: number, count: number]> = {
  name: 'accuracy',
  compares: 'value',
  direction: 'maximize',
  range: [0, 1],
  init: () => [0, 0],
  add: ([hits, count], predictions, references) => [
    hits + predictions.filter((each, i) => each === references[i]).length,
    count + predictions.length,
  ],
  merge: ([a, b], [c, d]) => [a + c, b + d],
  result: ([hits, count]) => ({ value: hits / count }),
}
const metrics = [accuracy as Metric]

/** A learner that predicts the value that it learned last, and records its calls. */
function echo() {
  const calls: { rows: number[]; restarted: number } = { rows: [], restarted: 0 }
  let [latest, step] = [0, 0]
  const learned: (readonly Example[])[] = []
  const learner = {
    get step() {
      return step
    },
    metrics,
    learn: (examples: readonly Example[]) => {
      step++
      latest = Number(examples.at(0)!['value'])
      calls.rows.push(examples.length)
      learned.push(examples)
      return Promise.resolve({ loss: 1, gradientNorm: 1 })
    },
    restartSchedule: () => Promise.resolve(void calls.restarted++),
    predict: (examples: readonly Example[]) =>
      Promise.resolve(examples.map(() => ({ value: latest, truncated: false }))),
    reference: (example: Example) => ({ value: example['value'] }),
    score: (examples: readonly Example[]) => {
      const hits = examples.filter(({ value }) => value === latest).length
      return Promise.resolve({ scores: { accuracy: { value: hits / examples.length } }, examples: examples.length })
    },
  } as unknown as Learner
  return { learner, calls, learned }
}

const constants = (value: number, count: number): Example[] => Array.from({ length: count }, () => ({ value }))
const run = async (rows: readonly Example[], options: OnlineOptions) => {
  const { learner, calls, learned } = echo()
  const events = await lastValueFrom(learnOnline(learner, rows, options).pipe(toArray()))
  return { events, calls, learned }
}

describe('prequential scores', () => {
  it('in a sliding window match river', () => {
    const scored = windowedScores(metrics, 100)
    const trace: number[] = []
    for (const [i, error] of golden.bits.entries()) {
      scored.add([{ value: 1 - error }], [{ value: 1 }], [{}])
      if (i % 50 === 49) trace.push(scored.latest()['accuracy']!.value)
    }
    expect(trace.length).toBe(golden.rolling.length)
    for (const [i, value] of trace.entries()) expect(value).toBeCloseTo(golden.rolling[i]!, 12)
  })

  it('with a fading factor follow the formula of Gama et al. for rows, and count batches by their rows', () => {
    const errors = golden.bits.slice(600, 800)
    let [sum, weight] = [0, 0]
    const faded = fadedScores(metrics, 0.95)
    for (const error of errors) {
      sum = 1 - error + 0.95 * sum
      weight = 1 + 0.95 * weight
      faded.add({ accuracy: { value: 1 - error } }, 1)
      expect(faded.values()['accuracy']).toBeCloseTo(sum / weight, 12)
    }
    const whole = fadedScores(metrics, 1)
    whole.add({ accuracy: { value: 1 } }, 3)
    whole.add({ accuracy: { value: 0 } }, 1)
    expect(whole.values()).toEqual({ accuracy: 0.75 })
  })
})

describe('reservoir', () => {
  it('holds each row of the stream with the same probability', () => {
    const counts = new Array<number>(20).fill(0)
    const random = stream(key(1))
    for (let trial = 0; trial < 2000; trial++) {
      const buffer = reservoir(5, random)
      for (let i = 0; i < 20; i++) buffer.add({ i })
      for (const { i } of buffer.sample(9)) counts[i as number]!++
    }
    // 2,000 trials of probability 1/4: five standard deviations are 97.
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(97)
  })

  it('samples without repetition, and clears', () => {
    const buffer = reservoir(8, stream(key(2)))
    for (let i = 0; i < 6; i++) buffer.add({ i })
    expect(new Set(buffer.sample(4).map(({ i }) => i)).size).toBe(4)
    expect([buffer.size, buffer.sample(100).length]).toEqual([6, 6])
    buffer.clear()
    expect([buffer.size, buffer.sample(1)]).toEqual([0, []])
    expect(() => reservoir(0, Math.random)).toThrow(/capacity/)
  })
})

describe('learnOnline with drift', () => {
  const rows = [...constants(0, 120), ...constants(1, 60)]
  /** Accuracy 1 until the change, then one batch of errors. */
  const detector = ddm({ warmUp: 10 })

  it('signals drift at the first batch of another concept, and restarts the schedule', async () => {
    const { events, calls } = await run(rows, { batchSize: 10, drift: { detector } })
    expect(events.flatMap(({ drift, step }) => (drift === 'drift' ? [step] : []))).toEqual([13])
    expect(calls.restarted).toBe(1)
    const kept = await run(rows, { batchSize: 10, drift: { detector, restartSchedule: false } })
    expect(kept.calls.restarted).toBe(0)
  })

  it('replays rows within the budget of a step, more at drift', async () => {
    const replay = { capacity: 50, rows: 4 }
    const { calls, events } = await run(rows, { batchSize: 10, replay, drift: { detector, replayRows: 3 } })
    expect(calls.rows).toEqual(Array.from({ length: 18 }, (_, i) => (i === 0 ? 10 : i === 12 ? 17 : 14)))
    expect(events[12]).toMatchObject({ trained: 10, replayed: 7 })
    const tight = await run(rows, { batchSize: 10, replay, maximumRowsPerStep: 12 })
    expect(tight.calls.rows.slice(0, 3)).toEqual([10, 12, 12])
    expect(tight.events[11]!.scores['accuracy']!.value).toBe(1)
    expect(tight.events[11]).not.toHaveProperty('faded')
    const tighter = await run(rows, { batchSize: 10, replay, maximumRowsPerStep: 6 })
    expect(tighter.events[5]).toMatchObject({ trained: 6, replayed: 0, examples: 60 })
  })

  it('drops the rows of the old concept with `clearReplay`', async () => {
    const replay = { capacity: 50, rows: 4 }
    const { learned } = await run(rows, { batchSize: 10, replay, drift: { detector, clearReplay: true } })
    expect(learned[11]!.slice(10)).toEqual(constants(0, 4))
    expect(learned[12]).toHaveLength(10)
    expect(learned[13]!.slice(10)).toEqual(constants(1, 4))
  })

  it('measures forgetting of the old concept, with fading scores', async () => {
    const probes = { old: constants(0, 4), new: constants(1, 4) }
    const { events } = await run(rows, { batchSize: 10, probes, probeEvery: 6, fading: 0.9, drift: { detector } })
    const probed = events.flatMap(({ probes: found, step }) => (found === undefined ? [] : [[step, found] as const]))
    expect(probed.map(([step]) => step)).toEqual([6, 12, 13, 18])
    const [, before, after] = probed.map(([, found]) => found)
    expect(before!['old']).toEqual({ scores: { accuracy: 1 }, forgetting: { accuracy: 0 } })
    expect(after!['old']).toEqual({ scores: { accuracy: 0 }, forgetting: { accuracy: 1 } })
    expect(after!['new']).toEqual({ scores: { accuracy: 1 }, forgetting: { accuracy: -1 } })
    expect(events[12]!.faded!['accuracy']).toBeLessThan(0.5)
    expect(events[12]!.scores['accuracy']!.value).toBeCloseTo(120 / 130)
  })

  it('reports an unknown metric with those of the configuration', async () => {
    await expect(run(rows, { drift: { detector: adwin(), metric: 'acuracy' } })).rejects.toMatchObject({
      code: 'UNKNOWN_SCORE',
      remedy: 'Use accuracy.',
    })
  })

  it('measures scores that are minimized the other way round', async () => {
    const { learner } = echo()
    const probe = forgettingProbes({ all: constants(1, 2) }, [{ ...accuracy, direction: 'minimize' } as Metric])
    expect((await probe(learner))['all']!.forgetting).toEqual({ accuracy: 0 })
    await learner.learn(constants(1, 1))
    expect((await probe(learner))['all']!.forgetting).toEqual({ accuracy: 1 })
  })
})
