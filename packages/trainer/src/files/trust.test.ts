import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type AttuneError, TRACKER, definePlugin, isAttuneError } from '@attune/core'
import { lastValueFrom, toArray } from 'rxjs'
import { z } from 'zod'
import { evaluateRun } from '../inference/evaluate.js'
import { openPredictor } from '../inference/open-predictor.js'
import type { Prediction } from '../inference/predictor.js'
import { type OpenOptions } from './run-folder.js'
import { resume, run } from '../run/run.js'
import { toyAdapter, toyConfig, toyExample, toyPlugins, toyScheduler } from '../run/toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-trust-'))
afterAll(() => rmSync(temporary, { recursive: true }))
const core = pathToFileURL(join(import.meta.dirname, '../../../core/dist/index.js')).href
const ran = join(temporary, 'ran')

/** A tracker that writes to the path in its option. */
const writer = definePlugin({
  kind: TRACKER,
  name: 'writer',
  summary: 'Writes a file',
  options: z.strictObject({ path: z.string().meta({ writes: true }) }),
  create:
    ({ path }) =>
    (events) =>
      events.subscribe(({ type }) => appendFileSync(path, type)),
})
const searchPaths = { folders: [import.meta.dirname], registered: [...toyPlugins, writer] }

/** Source of a metric module that logs when it is imported. */
const program = (word: string): string => `
  import { appendFileSync } from 'node:fs'
  import { METRIC, definePlugin } from '${core}'
  appendFileSync(${JSON.stringify(ran)}, '${word} ')
  const options = { safeParse: () => ({ success: true, data: {} }), shape: {} }
  const create = () => ({ name: 'mine', compares: 'label', direction: 'maximize', range: [0, 1],
    init: () => 0, add: (n, p) => n + p.length, merge: (a, b) => a + b, result: (value) => ({ value }) })
  export default definePlugin({ kind: METRIC, name: 'mine', summary: 'Counts', options, create })`

const refusal = async (promise: Promise<unknown>): Promise<AttuneError> => {
  try {
    await promise
  } catch (error) {
    if (isAttuneError(error)) return error
    throw error
  }
  throw new Error('expected a rejection')
}

let at = ''
let directory = ''
let folders = 0
beforeEach(() => {
  at = join(temporary, String(folders++))
  directory = join(at, 'run')
  mkdirSync(at)
  process.env['XDG_STATE_HOME'] = join(at, 'state')
  writeFileSync(ran, '')
})
const options = { searchPaths, baseDirectory: temporary }
const goOn = (trust?: boolean) =>
  lastValueFrom(resume(directory, trust === undefined ? { searchPaths } : { searchPaths, trust }).pipe(toArray()))

describe('a plugin given by path', () => {
  beforeEach(async () => {
    writeFileSync(join(at, 'mine.mjs'), program(`run${folders}`))
    const config = { ...toyConfig(directory), metric: ['./mine.mjs'] }
    await lastValueFrom(run(config, { ...options, baseDirectory: at }))
    writeFileSync(ran, '')
  })

  it('is recorded with specifier and path, and loads for resume, evaluation and prediction', async () => {
    const config = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as Record<string, unknown>
    expect(config['metric']).toEqual([{ use: './mine.mjs' }])
    expect(config['plugins']).toContainEqual({
      kind: 'metric',
      specifier: './mine.mjs',
      path: join(at, 'mine.mjs'),
      name: 'mine',
    })
    expect((await goOn()).at(-1)).toMatchObject({ type: 'run.completed' })
    expect((await evaluateRun(directory, { split: 'validation', searchPaths })).scores['mine']).toEqual({ value: 20 })
    await (await openPredictor(directory, { searchPaths })).close()
  })

  it('is not executed for another user, except with trust, which is remembered and recorded', async () => {
    process.env['XDG_STATE_HOME'] = join(at, 'another user')
    for (const attempt of [goOn(), evaluateRun(directory, { split: 'validation', searchPaths })]) {
      const error = await refusal(attempt)
      expect([error.code, error.problem]).toEqual(['NOT_TRUSTED', expect.stringContaining(join(at, 'mine.mjs'))])
      expect(error.remedy).toContain('--trust')
    }
    expect(existsSync(join(directory, 'trusted.jsonl'))).toBe(false)
    const evaluated = await evaluateRun(directory, { split: 'validation', searchPaths, trust: true })
    expect(evaluated.scores['mine']).toEqual({ value: 20 })
    const noted = JSON.parse(readFileSync(join(directory, 'trusted.jsonl'), 'utf8')) as { items: object[] }
    expect(noted.items).toEqual([
      { what: 'metric ./mine.mjs', path: join(at, 'mine.mjs'), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ])
    expect((await goOn()).at(-1)).toMatchObject({ type: 'run.completed' })
  })

  it('is not executed after its file changed', async () => {
    appendFileSync(join(at, 'mine.mjs'), '\n// another line')
    expect((await refusal(goOn())).code).toBe('NOT_TRUSTED')
    const events = await goOn(true)
    expect(events.find(({ type }) => type === 'run.resumed')).toMatchObject({
      accepted: [`trusted metric ./mine.mjs: ${join(at, 'mine.mjs')}`],
    })
  })

  it('is not executed for prediction, which does not need metrics', async () => {
    process.env['XDG_STATE_HOME'] = join(at, 'another user')
    rmSync(join(at, 'mine.mjs'))
    const predictor = await openPredictor(directory, { searchPaths })
    for (const answer of await predictor.predict([toyExample(3)]))
      expect(['a', 'not']).toContain((answer as Prediction)['label'])
    await predictor.close()
  })

  it('requires trust again if the permission cannot be stored', async () => {
    process.env['XDG_STATE_HOME'] = join(at, 'mine.mjs')
    expect((await refusal(goOn())).code).toBe('NOT_TRUSTED')
    expect((await goOn(true)).at(-1)).toMatchObject({ type: 'run.completed' })
    expect((await refusal(goOn())).code).toBe('NOT_TRUSTED')
  })
})

describe('a run folder written by another user', () => {
  it('does not execute modules named by path, package or URL', async () => {
    await lastValueFrom(run(toyConfig(directory), options))
    const evil = join(directory, 'evil.mjs')
    writeFileSync(evil, program('evil'))
    mkdirSync(join(directory, 'node_modules/attune-plugin-evil'), { recursive: true })
    const manifest = { name: 'attune-plugin-evil', main: 'x.cjs', attune: { kind: 'metric', name: 'evil' } }
    writeFileSync(join(directory, 'node_modules/attune-plugin-evil/package.json'), JSON.stringify(manifest))
    writeFileSync(
      join(directory, 'node_modules/attune-plugin-evil/x.cjs'),
      `require('fs').writeFileSync(${JSON.stringify(ran)}, 'evil')`,
    )
    const path = join(directory, 'config.json')
    const whole = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    const home = process.cwd()
    process.chdir(directory)
    try {
      for (const use of ['./evil.mjs', evil, pathToFileURL(evil).href, 'evil', 'attune-plugin-evil', '../evil.mjs'])
        for (const kind of ['metric', 'tokenizer', 'engine', 'model', 'callback']) {
          const many = kind === 'metric' || kind === 'callback'
          writeFileSync(path, JSON.stringify({ ...whole, [kind]: many ? [{ use }] : { use } }))
          const accepting = { ...{ searchPaths }, acceptChanges: true, trust: true }
          for (const attempt of [
            () => lastValueFrom(resume('.', accepting)),
            () => evaluateRun('.', { searchPaths, split: 'validation' }),
            async () => (await openPredictor('.', { searchPaths })).close(),
          ])
            await attempt().catch((error: unknown) => expect(error).toMatchObject({ code: expect.any(String) }))
        }
    } finally {
      process.chdir(home)
    }
    expect(readFileSync(ran, 'utf8')).toBe('')
  })

  it('does not write or remove through symbolic links', async () => {
    await lastValueFrom(run(toyConfig(directory), options))
    const elsewhere = join(at, 'precious')
    mkdirSync(join(elsewhere, '1'), { recursive: true })
    writeFileSync(join(elsewhere, 'profile'), 'mine')
    const state = (): string[] => [
      ...(readdirSync(elsewhere, { recursive: true, encoding: 'utf8' }) as string[]).sort(),
      readFileSync(join(elsewhere, 'profile'), 'utf8'),
    ]
    const before = state()
    const links: [name: string, target: string][] = [
      ['events.jsonl', 'profile'],
      ['config.json.partial', 'profile'],
      ['trusted.jsonl', 'profile'],
      ['checkpoints/30.partial', '.'],
      ['checkpoints', '.'],
      ['rejects', '.'],
    ]
    for (const [name, target] of links) {
      const copy = join(at, `copy of ${name.replace('/', ' ')}`)
      cpSync(directory, copy, { recursive: true })
      rmSync(join(copy, name), { recursive: true, force: true })
      symlinkSync(join(elsewhere, target), join(copy, name))
      for (const attempt of [
        () => lastValueFrom(resume(copy, { searchPaths })),
        () => evaluateRun(copy, { searchPaths, split: 'validation' }),
        () => lastValueFrom(run({ ...toyConfig(copy) }, options)),
      ])
        expect((await refusal(attempt())).code).toMatch(/NOT_TRUSTED|RUN_EXISTS/)
      expect([name, ...state()]).toEqual([name, ...before])
    }
    const planted = join(at, 'planted')
    mkdirSync(planted)
    symlinkSync(join(elsewhere, 'profile'), join(planted, 'events.jsonl'))
    expect((await refusal(lastValueFrom(run(toyConfig(planted), options)))).code).toBe('RUN_EXISTS')
    expect(state()).toEqual(before)
  })

  it('does not write outside of its folder', async () => {
    const target = join(at, 'profile')
    const tracker = { use: writer, path: target }
    await lastValueFrom(run({ ...toyConfig(directory), tracker }, options))
    rmSync(target)
    const error = await refusal(goOn())
    expect([error.code, error.problem]).toEqual(['NOT_TRUSTED', expect.stringContaining(`writes to ${target}`)])
    expect(existsSync(target)).toBe(false)
    await goOn(true)
    expect(readFileSync(target, 'utf8')).toContain('run.resumed')
  })
})

describe('prediction and evaluation', () => {
  it('load only the kinds that they need', async () => {
    await lastValueFrom(run(toyConfig(directory), options))
    const without = (...names: string[]): OpenOptions => ({
      searchPaths: { folders: ['.'], registered: toyPlugins.filter(({ name }) => !names.includes(name)) },
    })
    const training = [toyAdapter.name, toyScheduler.name, 'toy-optimizer', 'toy-callback']
    await (await openPredictor(directory, without(...training, 'toy-metric', 'toy-source'))).close()
    const { scores } = await evaluateRun(directory, { ...without(...training), split: 'validation' })
    expect(Object.keys(scores)).toEqual(['loss', 'right'])
    expect((await refusal(lastValueFrom(resume(directory, without(...training))))).code).toBe('UNKNOWN_PLUGIN')
  })

  it('do not write to the run folder', async () => {
    await lastValueFrom(run(toyConfig(directory), options))
    const names = (): string[] => (readdirSync(directory, { recursive: true, encoding: 'utf8' }) as string[]).sort()
    const copy = join(at, 'copy')
    cpSync(directory, copy, { recursive: true })
    const before = names()
    chmodSync(directory, 0o555)
    await (await openPredictor(directory, { searchPaths })).close()
    await evaluateRun(directory, { searchPaths, split: 'validation' })
    chmodSync(directory, 0o755)
    expect(names()).toEqual(before)
  })
})
