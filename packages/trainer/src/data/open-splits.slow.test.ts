import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import {
  type AttuneError,
  type Command,
  type Example,
  PROTOCOL,
  type RunEvent,
  SOURCE,
  definePlugin,
  isAttuneError,
} from '@attune/core'
import { type Observable, Subject, lastValueFrom, map, tap, toArray } from 'rxjs'
import { z } from 'zod'
import { evaluateRun } from '../inference/evaluate.js'
import { openPredictor } from '../inference/open-predictor.js'
import { resume, run } from '../run/run.js'
import { toyConfig, toyExample, toyPlugins } from '../run/toy.test.fixture.js'
import { prepareData } from './prepare-data.js'
import {
  installed,
  seenByAugmenter,
  stagePlugins,
  toyAugmenter,
  toyBalancer,
  toyCleaner,
  toyFilter,
  toySampler,
  toyStable,
} from './stages.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-stages-'))
afterAll(() => rmSync(temporary, { recursive: true }))
process.env['XDG_STATE_HOME'] = join(temporary, 'state')
let folders = 0
const folder = (): string => join(temporary, String(folders++))
const searchPaths = { folders: ['.'], registered: [...toyPlugins, ...stagePlugins] }
const all = (events: Observable<RunEvent>): Promise<RunEvent[]> => lastValueFrom(events.pipe(toArray()))
const only = <K extends RunEvent['type']>(events: readonly RunEvent[], type: K) =>
  events.filter((event) => event.type === type) as Extract<RunEvent, { type: K }>[]
const weights = (directory: string): string => readFileSync(join(directory, 'model/model.safetensors')).toString('hex')

/** A protocol that holds out the positions selected by `isHeld`. */
const holding = (name: string, isHeld: (position: number) => boolean) =>
  definePlugin({
    kind: PROTOCOL,
    name,
    summary: 'Holds out selected positions',
    options: z.strictObject({}),
    create: () => ({
      split: (count: number) => {
        const positions = [...Array(count).keys()]
        return [{ train: positions.filter((i) => !isHeld(i)), validation: positions.filter(isHeld) }]
      },
    }),
  })

const source = (options: object = {}) => ({ use: installed(toyStable), count: 60, ...options })
const stages = {
  cleaner: { use: installed(toyCleaner) },
  filter: { use: installed(toyFilter) },
  balancer: { use: installed(toyBalancer), weight: 2 },
  augmenter: { use: installed(toyAugmenter) },
}
/** A one-epoch configuration with a cleaner, a filter, a balancer and an augmenter. */
const staged = (change: object = {}, directory?: string) => ({
  ...toyConfig(directory),
  data: { train: source(), validation: source({ count: 20, from: 1000 }) },
  training: { ...toyConfig().training, epochs: 1 },
  ...stages,
  ...change,
})
const stagesOf = async (config: object, dataFolder: string) =>
  only(await all(run(config as never, { searchPaths, dataFolder })), 'stage.made')
const madeIn = async (config: object, dataFolder: string): Promise<string[]> =>
  (await stagesOf(config, dataFolder)).filter(({ reused }) => !reused).map(({ kind }) => kind)

async function refusalOf(config: object): Promise<AttuneError> {
  try {
    await all(run(config as never, { searchPaths, dataFolder: folder() }))
  } catch (error) {
    if (isAttuneError(error)) return error
    throw error
  }
  throw new Error('expected the run to fail')
}

describe('data stages of a run', () => {
  it('are prepared once and reported with their input and output counts', async () => {
    const store = folder()
    const made = await stagesOf(staged(), store)
    expect(made.map(({ stage, examplesIn, examplesOut, reused }) => [stage, examplesIn, examplesOut, reused])).toEqual([
      ['cleaner toy-cleaner', 60, 60, false],
      ['filter toy-filter', 60, 54, false],
      ['balancer toy-balancer', 54, expect.any(Number), false],
      ['augmenter toy-augmenter', made[2]!.examplesOut, 2 * made[2]!.examplesOut, false],
    ])
    expect(made[1]!.because).toEqual({ 'number 10': 6 })
    const again = await stagesOf(staged(), store)
    expect(again).toEqual(made.map((event) => ({ ...event, reused: true, at: expect.any(Number) })))
  })

  it('are prepared again from the first changed stage', async () => {
    const store = folder()
    expect(await madeIn(staged(), store)).toEqual(['cleaner', 'filter', 'balancer', 'augmenter'])
    expect(await madeIn(staged({ augmenter: { use: installed(toyAugmenter), copies: 2 } }), store)).toEqual([
      'augmenter',
    ])
    expect(await madeIn(staged({ filter: { use: installed(toyFilter, '1.0.1') } }), store)).toEqual([
      'filter',
      'balancer',
      'augmenter',
    ])
    expect(await madeIn(staged({ seed: 4 }), store)).toEqual(['balancer', 'augmenter'])
    const other = { train: source({ content: 'second' }), validation: source({ count: 20, from: 1000 }) }
    expect(await madeIn(staged({ data: other }), store)).toHaveLength(4)
    expect(await madeIn(staged(), store)).toEqual([])
  })

  it('are prepared again if a file of the store is damaged', async () => {
    const store = folder()
    const [, , , augmented] = await stagesOf(staged(), store)
    truncateSync(augmented!.path!, 100)
    expect(await madeIn(staged(), store)).toEqual(['augmenter'])
    appendFileSync(augmented!.path!, '{"text":"bad"}\n')
    expect(await madeIn(staged(), store)).toEqual(['augmenter'])
    appendFileSync(augmented!.path!.replace(/l$/, ''), ' ')
    expect(await madeIn(staged(), store)).toEqual([])
    rmSync(augmented!.path!.replace(/l$/, ''))
    expect(await madeIn(staged(), store)).toEqual(['augmenter'])
    expect(readdirSync(store).filter((name) => name.endsWith('.partial'))).toEqual([])
  })

  it('are held in memory with the same result for plugins without a version', async () => {
    const [store, kept, held] = [folder(), folder(), folder()]
    await all(run(staged({}, kept), { searchPaths, dataFolder: folder() }))
    const inCode = { ...stages, augmenter: { use: toyAugmenter }, cleaner: { use: toyCleaner } }
    const events = only(await all(run(staged(inCode, held), { searchPaths, dataFolder: store })), 'stage.made')
    expect(events.map(({ path, reused }) => [path, reused])).toEqual(new Array(4).fill([undefined, false]))
    expect(weights(held)).toBe(weights(kept))
  })

  it('do not see the examples that the protocol holds out', async () => {
    seenByAugmenter.length = 0
    const heldOut = new Set(Array.from({ length: 18 }, (_, i) => 3 * i))
    const protocol = holding('thirds', (i) => heldOut.has(i))
    const events = await all(
      run(staged({ data: { train: source() }, protocol }) as never, { searchPaths, dataFolder: folder() }),
    )
    const [, filtered, balanced] = only(events, 'stage.made')
    expect([filtered!.examplesOut, balanced!.examplesIn]).toEqual([54, 36])
    const filteredIds = [...Array(60).keys()].filter((i) => (i + 1) % 10 !== 0)
    const held = new Set([...heldOut].map((position) => filteredIds[position]))
    expect(seenByAugmenter.filter(({ id }) => held.has(id as number))).toEqual([])
    expect(seenByAugmenter.length).toBe(balanced!.examplesOut)
    expect(only(events, 'evaluation.completed')[0]!.examples).toBe(18)
  })

  it('are those of the chosen fold, prepared before a run or by it', async () => {
    const protocol = definePlugin({
      kind: PROTOCOL,
      name: 'uneven',
      summary: 'Two folds of different sizes',
      options: z.strictObject({}),
      create: () => ({
        split: (count: number) =>
          [6, 24].map((held) => {
            const positions = [...Array(count).keys()]
            return { train: positions.slice(held), validation: positions.slice(0, held) }
          }),
      }),
    })
    const dataFolder = folder()
    const config = staged({ data: { train: source() }, protocol, fold: 1 })
    const prepared = await prepareData(config as never, { searchPaths, dataFolder })
    expect(prepared.find(({ stage }) => stage.startsWith('balancer'))!.examplesIn).toBe(54 - 24)
    const events = only(await all(run(config as never, { searchPaths, dataFolder })), 'stage.made')
    expect(events.map(({ reused }) => reused)).toEqual(prepared.map(() => true))
  })

  it.each([
    ['BAD_BALANCE', { balancer: { use: toyBalancer, fault: 'range' } }],
    ['BAD_BALANCE', { balancer: { use: toyBalancer, weight: -1 } }],
    ['BAD_ORDER', { sampler: { use: toySampler, count: 8, fault: 'range' } }],
    ['BAD_ORDER', { sampler: { use: toySampler, count: 0 } }],
    ['BAD_ORDER', { sampler: { use: toySampler, count: 8, fault: 'grows' }, training: { epochs: 2, batchSize: 8 } }],
  ])('are rejected with %s: %j', async (code, change) => expect((await refusalOf(staged(change))).code).toBe(code))
})

describe('run on prepared data', () => {
  it('takes one step per batch of the balanced or sampled examples', async () => {
    const stepsOf = async (change: object): Promise<number> =>
      only(await all(run(staged(change) as never, { searchPaths, dataFolder: folder() })), 'step.completed').length
    const none = { cleaner: [], filter: [], augmenter: [] }
    const [balanced] = await stagesOf(staged({ ...none }), folder()).then((made) => made.slice(-1))
    expect(await stepsOf({ ...none })).toBe(Math.ceil(balanced!.examplesOut / 8))
    expect(await stepsOf({ sampler: { use: toySampler, count: 20 } })).toBe(3)
    expect(await stepsOf({ sampler: { use: toySampler, count: 20, batches: true } })).toBe(3)
  })

  it('resumes bit for bit after an interruption', async () => {
    const config = (directory: string) =>
      staged({ sampler: { use: installed(toySampler), count: 40 }, training: toyConfig().training }, directory)
    const [whole, parts, dataFolder] = [folder(), folder(), folder()]
    await all(run(config(whole), { searchPaths, dataFolder }))
    for (const [i, step] of [3, 7, Infinity].entries()) {
      const commands = new Subject<Command>()
      const options = { searchPaths, dataFolder: i === 2 ? folder() : dataFolder, commands }
      const stopAt = tap((event: RunEvent) => {
        if (event.type === 'step.completed' && event.step === step) commands.next({ type: 'stop', because: 'test' })
      })
      await all(
        (i === 0 ? run(config(parts), options) : resume(parts, { ...options, acceptVersions: true })).pipe(stopAt),
      )
    }
    expect(weights(parts)).toBe(weights(whole))
  })

  it('trains different weights if examples are weighted', async () => {
    const [weighted, plain] = [folder(), folder()]
    await all(run(staged({}, weighted), { searchPaths, dataFolder: folder() }))
    const balancer = { use: installed(toyBalancer) }
    await all(run(staged({ balancer }, plain), { searchPaths, dataFolder: folder() }))
    expect(weights(weighted)).not.toBe(weights(plain))
  })

  it('applies cleaners in prediction and evaluation', async () => {
    const directory = folder()
    const options = { searchPaths, dataFolder: folder() }
    const only20 = staged(
      { filter: [], balancer: [], augmenter: [], cleaner: { use: installed(toyCleaner) } },
      directory,
    )
    await all(run(only20, options))
    const predictor = await openPredictor(directory, options)
    const predicted = (texts: readonly string[]) => predictor.predict(texts.map((text) => ({ text })))
    expect(await predicted(['dadbdcaabcd'])).toEqual(await predicted(['abcaabc']))
    await predictor.close()
    const spoilt = Array.from({ length: 20 }, (_, i): Example => {
      const { text, label } = toyExample(1000 + i)
      return { text: `dd${String(text)}dddd`, label }
    })
    const given = definePlugin({
      kind: SOURCE,
      name: 'given',
      summary: 'Test rows',
      options: z.strictObject({}),
      create: () => ({
        location: 'given',
        async *open() {
          yield* await Promise.resolve(spoilt)
        },
      }),
    })
    const { scores } = await evaluateRun(directory, { ...options, source: given })
    const own = await evaluateRun(directory, { ...options, split: 'validation' })
    expect(scores).toEqual(own.scores)
  })

  it('evaluates the splits that the protocol made of the filtered data', async () => {
    const directory = folder()
    const options = { searchPaths, dataFolder: folder() }
    const training = { ...toyConfig().training, epochs: 1, evaluateEvery: 'epoch' }
    const halves = holding('halves', (i) => i % 2 === 1)
    const own = {
      searchPaths: { ...searchPaths, registered: [...searchPaths.registered, halves] },
      dataFolder: options.dataFolder,
    }
    const events = await all(run(staged({ data: { train: source() }, protocol: halves, training }, directory), own))
    const [last] = only(events, 'evaluation.completed').slice(-1)
    const found = await evaluateRun(directory, { ...own, split: 'validation' })
    expect(found.examples).toBe(27)
    expect(found.scores).toEqual(last!.scores)
    expect((await evaluateRun(directory, { ...own, split: 'train' })).examples).toBe(27)
  })
})

describe('stage.made', () => {
  it('is emitted before run.started', async () => {
    const types = await lastValueFrom(
      run(staged() as never, { searchPaths, dataFolder: folder() }).pipe(
        map(({ type }) => type),
        toArray(),
      ),
    )
    expect(types.lastIndexOf('stage.made')).toBeLessThan(types.indexOf('run.started'))
  })
})
