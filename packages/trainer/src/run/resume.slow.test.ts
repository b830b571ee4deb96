import { createHash } from 'node:crypto'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type AttuneError,
  type Command,
  type Engine,
  type Example,
  type RunEvent,
  SOURCE,
  type Source,
  definePlugin,
  isAttuneError,
  key,
  parseEvent,
  stream,
} from '@attune/core'
import { eagerEngine } from '@attune/nn'
import { Subject, lastValueFrom, map, tap, toArray } from 'rxjs'
import { z } from 'zod'
import { type ResumeOptions } from './resume.js'
import { resume, run } from './run.js'
import { toyConfig, toyEngine, toyExample, toyModel, toyPlugins, toySource } from './toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-resume-'))
afterAll(() => rmSync(temporary, { recursive: true }))
process.env['XDG_STATE_HOME'] = join(temporary, 'state')
let folders = 0
const folder = (): string => join(temporary, String(folders++))

/** Source of JSON Lines rows from a file. */
const toyFile = definePlugin({
  kind: SOURCE,
  name: 'toy-file',
  summary: 'Rows of a file',
  options: z.strictObject({ path: z.string().meta({ path: true }) }),
  create: ({ path }): Source => ({
    location: path,
    async *open() {
      for (const line of readFileSync(path, 'utf8').trim().split('\n'))
        yield await Promise.resolve(JSON.parse(line) as Example)
    },
  }),
})
/** Row range of {@link toyChanging}, a source without a file, whose rows themselves are compared. */
const rowsOf = { count: 60, from: 0 }
const toyChanging = definePlugin({
  kind: SOURCE,
  name: 'toy-changing',
  summary: 'Mutable rows',
  options: z.strictObject({}),
  create: (): Source => ({
    location: 'memory',
    open: () => toySource(rowsOf).open(),
  }),
})
const searchPaths = { folders: ['.'], registered: [...toyPlugins, toyFile, toyChanging] }

const weights = (directory: string): string => readFileSync(join(directory, 'model/model.safetensors')).toString('hex')
const rows = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify(toyExample(from + i))}\n`).join('')

/** Runs until a step, then interrupts. */
async function interrupted(config: Parameters<typeof run>[0], step: number): Promise<void> {
  const commands = new Subject<Command>()
  const stop = (event: RunEvent): void => {
    if (event.type === 'step.completed' && event.step === step) commands.next({ type: 'stop', because: 'test' })
  }
  await lastValueFrom(run(config, { searchPaths, commands }).pipe(tap(stop)))
}

const goOn = (directory: string, options: ResumeOptions = {}): Promise<RunEvent[]> =>
  lastValueFrom(resume(directory, { searchPaths, ...options }).pipe(toArray()))

async function refusal(events: Promise<unknown>): Promise<AttuneError> {
  try {
    await events
  } catch (error) {
    if (isAttuneError(error)) return error
    throw error
  }
  throw new Error('expected a rejection')
}

const logOf = (directory: string): RunEvent[] =>
  readFileSync(join(directory, 'events.jsonl'), 'utf8').trim().split('\n').map(parseEvent)

describe('inputs that changed since the start of a run', () => {
  let at = ''
  let directory = ''
  const file = (name: string): string => join(at, name)
  const config = () => ({
    ...toyConfig(directory),
    data: {
      train: { use: toyFile, path: file('train.jsonl') },
      validation: { use: toyFile, path: file('validation.jsonl') },
    },
  })
  beforeEach(async () => {
    at = folder()
    directory = join(at, 'run')
    mkdirSync(at)
    writeFileSync(file('train.jsonl'), rows(60))
    writeFileSync(file('validation.jsonl'), rows(20, 1000))
    await interrupted(config(), 10)
  })

  it.each([
    ['rows in another order', () => rows(60).split('\n').reverse().join('\n'), 'different content'],
    ['one letter', () => rows(60).replace('"label":"not"', '"label":"nut"'), 'different content'],
    ['fewer rows', () => rows(30), 'different content'],
    ['more rows', () => rows(61), 'different content'],
  ])('are rejected by name: %s', async (_, content, what) => {
    writeFileSync(file('train.jsonl'), content())
    const error = await refusal(goOn(directory))
    expect([error.code, error.problem]).toEqual([
      'RUN_CHANGED',
      expect.stringContaining(`data.train.path: ${file('train.jsonl')}`),
    ])
    expect(error.problem).toContain(what)
    expect(error.remedy).toContain('--accept-changes')
    expect(existsSync(join(directory, 'model'))).toBe(false)
    writeFileSync(file('train.jsonl'), rows(60))
    expect((await goOn(directory)).at(-1)).toMatchObject({ type: 'run.completed', because: 'finished' })
  })

  it('are rejected for changed validation data and removed files', async () => {
    appendFileSync(file('validation.jsonl'), rows(1, 2000))
    expect((await refusal(goOn(directory))).problem).toContain('data.validation.path')
    writeFileSync(file('validation.jsonl'), rows(20, 1000))
    rmSync(file('train.jsonl'))
    expect((await refusal(goOn(directory))).problem).toContain('train.jsonl was removed')
  })

  it('do not include files with only a changed timestamp', async () => {
    utimesSync(file('train.jsonl'), new Date(), new Date(Date.now() - 60_000))
    expect((await goOn(directory)).at(-1)).toMatchObject({ because: 'finished' })
  })

  it.each([
    ['fewer', 30, 10 + 8 - 2],
    ['more', 90, 10 + (12 - 2) + 12],
  ])(
    'can be accepted: with %s rows the run completes, and the log records the accepted changes',
    async (_, count, steps) => {
      writeFileSync(file('train.jsonl'), rows(count))
      const events = await goOn(directory, { acceptChanges: true })
      expect(events.at(-1)).toMatchObject({
        type: 'run.completed',
        because: 'finished',
        step: steps,
        model: expect.anything(),
      })
      expect(existsSync(join(directory, 'model/model.safetensors'))).toBe(true)
      const resumed = logOf(directory).filter((event) => event.type === 'run.resumed')
      expect(resumed).toHaveLength(1)
      expect(resumed[0]).toMatchObject({
        accepted: [expect.stringContaining('train.jsonl has different content')],
        steps,
      })
      // The accepted input is now the recorded one.
      expect((await goOn(directory)).find(({ type }) => type === 'run.resumed')).not.toHaveProperty('accepted')
    },
  )

  it('are rejected during a run', async () => {
    const other = join(at, 'other')
    const change = (event: RunEvent): void => {
      if (event.type === 'step.completed' && event.step === 3) writeFileSync(file('train.jsonl'), rows(60, 5))
    }
    const events = run({ ...config(), directory: other }, { searchPaths }).pipe(tap(change))
    const error = await refusal(lastValueFrom(events))
    expect([error.code, error.problem]).toEqual(['RUN_CHANGED', expect.stringContaining('train.jsonl')])
    expect(existsSync(join(other, 'model'))).toBe(false)
  })
})

describe('rows of a source without a file', () => {
  it('are compared by content', async () => {
    const directory = folder()
    const { data, ...config } = toyConfig(directory)
    await interrupted({ ...config, data: { ...data, train: toyChanging } }, 10)
    rowsOf.from = 1
    const error = await refusal(goOn(directory))
    expect([error.code, error.problem]).toEqual([
      'RUN_CHANGED',
      expect.stringContaining('data.train has different rows (60 → 60)'),
    ])
    rowsOf.from = 0
    expect((await goOn(directory)).at(-1)).toMatchObject({ because: 'finished' })
  })

  it('fail the run if an epoch has a different number of batches', async () => {
    for (const count of [40, 80]) {
      const directory = folder()
      const { data, ...config } = toyConfig(directory)
      const change = (event: RunEvent): void => {
        if (event.type === 'epoch.started' && event.epoch === 1) rowsOf.count = count
      }
      const error = await refusal(
        lastValueFrom(run({ ...config, data: { ...data, train: toyChanging } }, { searchPaths }).pipe(tap(change))),
      )
      rowsOf.count = 60
      expect(error.code).toBe('RUN_CHANGED')
      expect(error.problem).toContain(
        count < 60
          ? 'expected 8 batches per epoch as counted at the start of the run, got 5 batches in epoch 2'
          : 'got more batches in epoch 2',
      )
      expect(existsSync(join(directory, 'model'))).toBe(false)
    }
  })
})

describe('a pretrained model, settings and devices', () => {
  it('are rejected for changed weights or JSON files of the pretrained model', async () => {
    const [first, second] = [folder(), folder()]
    await lastValueFrom(run(toyConfig(first), { searchPaths }))
    const from = join(first, 'model')
    await interrupted({ ...toyConfig(second), model: { use: toyModel, from } }, 10)
    const path = join(from, 'model.safetensors')
    const whole = readFileSync(path)
    const changed = Buffer.from(whole)
    changed[changed.length - 1]! ^= 1
    writeFileSync(path, changed)
    expect((await refusal(goOn(second))).problem).toContain(`model.from: ${path} has different content`)
    writeFileSync(path, whole)
    writeFileSync(join(from, 'generation_config.json'), '{}')
    expect((await refusal(goOn(second))).problem).toContain('generation_config.json was added')
    rmSync(join(from, 'generation_config.json'))
    expect((await goOn(second)).at(-1)).toMatchObject({ because: 'finished' })
  })

  it('are rejected for an edited config.json, setting by setting, and can be accepted', async () => {
    const directory = folder()
    await interrupted(toyConfig(directory), 10)
    const path = join(directory, 'config.json')
    const edit = (change: (config: Record<string, Record<string, unknown>>) => void): void => {
      const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, unknown>>
      change(config)
      writeFileSync(path, JSON.stringify(config))
    }
    edit((config) => {
      config['training']!['learningRate'] = 0.01
      config['optimizer'] = [] as never
      config['model']!['dropout'] = 0
    })
    const { code, problem } = await refusal(goOn(directory))
    expect(code).toBe('RUN_CHANGED')
    expect(problem).toContain('config.json: training.learningRate: 0.02 → 0.01')
    expect(problem).toContain('config.json: model.dropout: 0.2 → 0')
    expect(problem).toContain('config.json: optimizer: [{"use":"toy-optimizer"}] → []')
    edit((config) => {
      config['optimizer'] = [{ use: 'toy-optimizer' }] as never
    })
    const events = await goOn(directory, { acceptChanges: true })
    const step = events.find(({ type }) => type === 'step.completed') as Extract<RunEvent, { type: 'step.completed' }>
    // The toy callback has already halved the learning rate once.
    expect(step.learningRate).toBeCloseTo((0.01 * (24 - 10)) / 24, 10)
    expect(events.at(-1)).toMatchObject({ because: 'finished' })
  })

  it('are rejected for another device, and can be accepted', async () => {
    const directory = folder()
    await interrupted(toyConfig(directory), 10)
    const faster = definePlugin({
      ...toyEngine,
      name: 'toy-engine',
      create: (): Engine => eagerEngine({ backend: 'cpu', device: 'toy, 64 threads', load: () => Promise.resolve() }),
    })
    const others = { ...searchPaths, registered: [faster, ...searchPaths.registered] }
    const error = await refusal(goOn(directory, { searchPaths: others }))
    expect([error.code, error.problem]).toEqual([
      'RUN_CHANGED',
      expect.stringContaining('engine: toy → toy, 64 threads'),
    ])
    const events = await goOn(directory, { searchPaths: others, acceptChanges: true })
    expect(events.find(({ type }) => type === 'run.resumed')).toMatchObject({
      accepted: ['engine: toy → toy, 64 threads'],
    })
    expect(events.at(-1)).toMatchObject({ because: 'finished' })
  })

  it('resume in a moved folder', async () => {
    const [whole, directory, moved] = [folder(), folder(), folder()]
    await lastValueFrom(run(toyConfig(whole), { searchPaths }))
    await interrupted(toyConfig(directory), 10)
    cpSync(directory, moved, { recursive: true })
    await goOn(moved)
    expect(weights(moved)).toBe(weights(whole))
  })
})

describe('a run folder with a single flipped bit', () => {
  it('is rejected, or ends with the same weights', async () => {
    const [whole, stopped] = [folder(), folder()]
    await lastValueFrom(run(toyConfig(whole), { searchPaths }))
    await interrupted(toyConfig(stopped), 21)
    const files = (readdirSync(stopped, { recursive: true, encoding: 'utf8' }) as string[]).filter((name) =>
      /\.(json|jsonl|safetensors)$/.test(name),
    )
    const random = stream(key(5))
    const outcomes = { refused: 0, same: 0 }
    for (const name of files)
      for (let n = 0; n < 12; n++) {
        const directory = folder()
        cpSync(stopped, directory, { recursive: true })
        const bytes = readFileSync(join(directory, name))
        const at = Math.floor(random() * bytes.length)
        bytes[at]! ^= 1 << Math.floor(random() * 8)
        writeFileSync(join(directory, name), bytes)
        try {
          await goOn(directory)
          expect([name, at, weights(directory) === weights(whole)]).toEqual([name, at, true])
          outcomes.same++
        } catch (error) {
          if (!isAttuneError(error)) throw error
          expect([
            'RUN_CHANGED',
            'RUN_DAMAGED',
            'BAD_CHECKPOINT',
            'BAD_CONFIG',
            'NOT_A_RUN',
            'UNKNOWN_PLUGIN',
          ]).toContain(error.code)
          outcomes.refused++
        }
        rmSync(directory, { recursive: true })
      }
    expect(outcomes.refused).toBeGreaterThan(outcomes.same)
  })
})

it('resume rejects a learned.json that is not JSON, even with matching digests', async () => {
  const directory = folder()
  await interrupted(toyConfig(directory), 21)
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
  const path = join(directory, 'run.json')
  const { seal, ...record } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  expect(seal).toBe(sha256(JSON.stringify(record)))
  for (const learned of ['{', '['.repeat(200)]) {
    writeFileSync(join(directory, 'learned.json'), learned)
    const changed = { ...record, learned: sha256(learned) }
    writeFileSync(path, JSON.stringify({ ...changed, seal: sha256(JSON.stringify(changed)) }))
    expect(await refusal(goOn(directory))).toMatchObject({
      code: 'RUN_DAMAGED',
      problem: expect.stringContaining('learned.json'),
    })
  }
})

describe('a checkpoint of another run', () => {
  it('is rejected, as is one of another step', async () => {
    const [mine, other] = [folder(), folder()]
    await interrupted(toyConfig(mine), 10)
    await interrupted({ ...toyConfig(other), seed: 4 }, 15)
    cpSync(join(other, 'checkpoints/15'), join(mine, 'checkpoints/15'), { recursive: true })
    const error = await refusal(goOn(mine))
    expect([error.code, error.problem]).toEqual(['BAD_CHECKPOINT', expect.stringContaining('belongs to another run')])
    expect(error.remedy).toContain('step 10')
    rmSync(join(mine, 'checkpoints/15'), { recursive: true })
    cpSync(join(mine, 'checkpoints/10'), join(mine, 'checkpoints/12'), { recursive: true })
    expect((await refusal(goOn(mine))).problem).toContain('has the wrong step: expected 12, got 10')
  })
})

describe('two processes in one folder', () => {
  it('are rejected: two starts, a start during a resume, two resumes', async () => {
    const directory = folder()
    const seen: AttuneError[] = []
    let asked = 0
    /** Tries another start and another resume during a run. */
    const tryOthers = (event: RunEvent): void => {
      if (event.type !== 'step.completed' || event.step % 9 !== 2) return
      asked += 2
      for (const other of [
        run({ ...toyConfig(directory), seed: 9 }, { searchPaths }),
        resume(directory, { searchPaths }),
      ])
        other.subscribe({ error: (error: AttuneError) => seen.push(error) })
    }
    const commands = new Subject<Command>()
    const stop = (event: RunEvent): void => {
      if (event.type === 'step.completed' && event.step === 14) commands.next({ type: 'stop', because: 'test' })
    }
    await lastValueFrom(run(toyConfig(directory), { searchPaths, commands }).pipe(tap(tryOthers), tap(stop)))
    await lastValueFrom(resume(directory, { searchPaths }).pipe(tap(tryOthers)))
    expect(asked).toBe(6)
    expect(seen.map(({ code }) => code)).toEqual(Array.from({ length: 6 }, () => 'RUN_IN_USE'))
    expect(seen[0]!.problem).toContain(`process ${process.pid}`)
    const whole = folder()
    await lastValueFrom(run(toyConfig(whole), { searchPaths }))
    expect(weights(directory)).toBe(weights(whole))
    expect(existsSync(join(directory, 'run.lock'))).toBe(false)
  })

  it('stop the run before it writes if another process took over the folder', async () => {
    const directory = folder()
    const take = (event: RunEvent): void => {
      if (event.type === 'step.completed' && event.step === 7)
        writeFileSync(join(directory, 'run.lock'), 'another process')
    }
    const error = await refusal(lastValueFrom(run(toyConfig(directory), { searchPaths }).pipe(tap(take))))
    expect([error.code, error.problem]).toEqual(['RUN_IN_USE', expect.stringContaining('took it over')])
    expect(readdirSync(join(directory, 'checkpoints'))).toEqual(['5'])
    expect(readFileSync(join(directory, 'run.lock'), 'utf8')).toBe('another process')
  })
})

describe('the event log of a run', () => {
  it('contains every event once, while checkpoints contain no events', async () => {
    const directory = folder()
    await interrupted(toyConfig(directory), 7)
    await goOn(directory)
    const types = logOf(directory).map(({ type }) => type)
    expect(types.filter((type) => type === 'step.completed')).toHaveLength(24)
    expect(types.filter((type) => type === 'run.resumed')).toHaveLength(1)
    expect(types.at(-1)).toBe('run.completed')
    expect(readdirSync(join(directory, 'checkpoints/24')).sort()).toEqual([
      'digests.json',
      'progress.json',
      'state.safetensors',
    ])
  })

  it('is continued after an incomplete last line', async () => {
    const [whole, directory] = [folder(), folder()]
    await lastValueFrom(run(toyConfig(whole), { searchPaths }))
    await interrupted(toyConfig(directory), 10)
    appendFileSync(join(directory, 'events.jsonl'), '{"type":"step.comp')
    await goOn(directory)
    expect(weights(directory)).toBe(weights(whole))
    const lines = readFileSync(join(directory, 'events.jsonl'), 'utf8').split('\n')
    expect(lines.filter((line) => line === '{"type":"step.comp')).toHaveLength(1)
  })

  it('is rejected if events of the checkpoint’s history are missing', async () => {
    const directory = folder()
    await interrupted(toyConfig(directory), 10)
    writeFileSync(join(directory, 'events.jsonl'), '')
    expect((await refusal(goOn(directory))).code).toBe('RUN_DAMAGED')
    rmSync(join(directory, 'events.jsonl'))
    expect((await refusal(goOn(directory))).problem).toContain('the file is missing')
  })
})

describe('a completed run', () => {
  it('resumes to the same model without further steps', async () => {
    const directory = folder()
    await lastValueFrom(run(toyConfig(directory), { searchPaths }))
    const before = weights(directory)
    const events = await lastValueFrom(
      resume(directory, { searchPaths }).pipe(
        map((event) => event),
        toArray(),
      ),
    )
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', model: join(directory, 'model') })
    expect(weights(directory)).toBe(before)
  })
})
