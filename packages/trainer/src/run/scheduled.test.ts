import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import {
  type Command,
  type HostArray,
  LOSS,
  type LossTerm,
  OBJECTIVE,
  type Objective,
  type RunEvent,
  definePlugin,
  scheduled,
} from '@attune/core'
import { lossOf } from '@attune/nn'
import { type Tensor, add, mul, onesLike, sum } from '@tensorflow/tfjs-core'
import { type Observable, Subject, lastValueFrom, tap, toArray } from 'rxjs'
import { z } from 'zod'
import { resume, run } from './run.js'
import { toyConfig, toyObjective, toyPlugins } from './toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-scheduled-'))
afterAll(() => rmSync(temporary, { recursive: true }))
process.env['XDG_STATE_HOME'] = join(temporary, 'state')
const scheduler = toyPlugins.find(({ name }) => name === 'toy-scheduler')!
/** A schedule from a value towards 0, which the toy scheduler decreases linearly: its value at each step. */
const from = (value: number) => ({ use: scheduler, from: value, to: 0 })
const falling = (value: number, steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => value * (1 - i / steps))
const allOf = (events: Observable<RunEvent>): Promise<RunEvent[]> => lastValueFrom(events.pipe(toArray()))
const lossesIn = (events: readonly RunEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'step.completed' ? [event.loss] : []))
const expectSame = (found: readonly number[], expected: readonly number[]): void => {
  expect(found).toHaveLength(expected.length)
  expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5))
}

/** A loss whose value is its option. */
const level = definePlugin({
  kind: LOSS,
  name: 'level',
  summary: 'Its option',
  options: z.strictObject({ height: scheduled(z.number().default(1)) }),
  create: ({ height }): LossTerm => ({ compares: 'labels', losses: (x) => add(mul(sum(x, 1), 0), height) }),
})
const composed = definePlugin({
  kind: OBJECTIVE,
  name: 'composed',
  summary: 'A toy objective with the losses of the configuration',
  options: z.strictObject({}),
  needs: { ...toyObjective.needs!, losses: LOSS },
  create(_, { losses, ...given }): Objective {
    const toy = toyObjective({}, given as never) as Objective
    const ofRows = lossOf(losses, 'labels')
    return {
      ...toy,
      loss(head, batch) {
        const each = ofRows(head as Tensor, batch['labels'] as Tensor)
        return { losses: each, weights: onesLike(each) }
      },
    }
  },
})

describe('the schedule of a loss', () => {
  const searchPaths = { folders: ['.'], registered: [...toyPlugins, composed, level] }
  const losses = async (schedule: object): Promise<number[]> => {
    const loss = [
      { use: level, height: 3 },
      { use: level, weight: 0.5 },
    ]
    const config = { ...toyConfig(), callback: [], objective: composed, loss, schedule }
    return lossesIn(await allOf(run(config as never, { searchPaths })))
  }

  it('drives the weight of one of several losses', async () => {
    expectSame(
      await losses({ 'loss.1.weight': from(2) }),
      falling(2, 24).map((weight) => 3 + weight),
    )
  })

  it('drives an option of a loss, which keeps its weight', async () => {
    expectSame(
      await losses({ 'loss.1.height': from(4) }),
      falling(4, 24).map((height) => 3 + 0.5 * height),
    )
  })
})

/** An objective whose loss is the value of an option that collation reads; notes the maximum with which a batch was collated. */
const collating = (maxima: Set<number | undefined>) =>
  definePlugin({
    kind: OBJECTIVE,
    name: 'collating',
    summary: 'A toy objective whose loss is an option of its collation',
    options: z.strictObject({ rate: z.number().default(0.5).meta({ scheduled: 'collation' }) }),
    needs: toyObjective.needs!,
    create({ rate }, given): Objective {
      const toy = toyObjective({}, given as never) as Objective
      return {
        ...toy,
        collate(items, random, numbers) {
          if (random !== undefined) maxima.add(numbers?.['rate']?.maximum)
          const values = new Float32Array(items.length).fill(numbers?.['rate']?.value ?? rate)
          const rates: HostArray = { shape: [items.length], dtype: 'float32', values }
          return { ...toy.collate(items), rates }
        },
        loss(head, batch) {
          const own = toy.loss(head, batch)
          return { ...own, losses: mul(own.losses, batch['rates'] as Tensor) }
        },
      }
    },
  })

describe('the schedule of an option that collation reads', () => {
  const maxima = new Set<number | undefined>()
  const objective = collating(maxima)
  const searchPaths = { folders: ['.'], registered: [...toyPlugins, objective] }
  const config = (directory?: string, schedule: object = { 'objective.rate': from(0.8) }) =>
    ({ ...toyConfig(directory), callback: [], objective, schedule, optimizer: toyConfig().optimizer }) as never
  const still = (given: object) => ({ ...given, training: { ...toyConfig().training, learningRate: 1e-12 } }) as never

  it('reaches the collation of the batch of each step, with its maximum over the run', async () => {
    const [plain, driven] = [
      lossesIn(await allOf(run(still(config(undefined, {})), { searchPaths }))),
      lossesIn(await allOf(run(still(config()), { searchPaths }))),
    ]
    expect([...maxima]).toEqual([undefined, 0.8])
    expectSame(
      driven.map((loss, i) => (0.5 * loss) / plain[i]!),
      falling(0.8, 24),
    )
  })

  it('is the same after a run was stopped within an epoch and resumed, bit for bit', async () => {
    const [whole, parts] = [join(temporary, 'whole'), join(temporary, 'parts')]
    await lastValueFrom(run(config(whole), { searchPaths }))
    for (const [i, step] of [3, 11, Infinity].entries()) {
      const commands = new Subject<Command>()
      const options = { searchPaths, commands }
      const events = i === 0 ? run(config(parts), options) : resume(parts, options)
      const stop = (event: RunEvent): void => {
        if (event.type === 'step.completed' && event.step === step) commands.next({ type: 'stop', because: 'test' })
      }
      await lastValueFrom(events.pipe(tap(stop)))
    }
    expect(readFileSync(join(parts, 'model/model.safetensors'))).toEqual(
      readFileSync(join(whole, 'model/model.safetensors')),
    )
  })
})
