import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type AnyPlugin, type AttuneError, type Command, type RunEvent, isAttuneError } from '@attune/core'
import { coreVersion } from '@attune/resolve'
import { digest } from '@attune/files'
import { Subject, lastValueFrom, tap, toArray } from 'rxjs'
import { evaluateRun } from '../inference/evaluate.js'
import { openPredictor } from '../inference/open-predictor.js'
import type { ResumeOptions } from './resume.js'
import { resume, run } from './run.js'
import { toyConfig, toyPlugins } from './toy.test.fixture.js'

/** Third-party plugins: copies of a scheduler named `steady`, each with its own learning-rate factor. */
const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'attune-third-party-')))
afterAll(() => rmSync(temporary, { recursive: true }))
const core = pathToFileURL(join(import.meta.dirname, '../../../core/dist/index.js')).href
const registered = toyPlugins.filter(({ name }) => name !== 'toy-scheduler')

let at = ''
let directory = ''
let folders = 0
beforeEach(() => {
  at = join(temporary, String(folders++))
  directory = join(at, 'run')
  process.env['XDG_STATE_HOME'] = join(at, 'state')
})

const write = (path: string, content: string): void => {
  mkdirSync(dirname(join(at, path)), { recursive: true })
  writeFileSync(join(at, path), content)
}
const manifest = (folder: string, content: object): void =>
  write(join(folder, 'package.json'), JSON.stringify({ type: 'module', main: './index.js', ...content }))

/** Source of a scheduler module whose factor distinguishes it from its copies. */
const scheduler = (factor: number): string => `
  import { SCHEDULER, definePlugin } from '${core}'
  const options = { safeParse: () => ({ success: true, data: {} }), shape: {} }
  export default definePlugin({ kind: SCHEDULER, name: 'steady', summary: 'Constant factor', options, create: () => () => ${factor} })`

const DECLARED = { attune: { kind: 'scheduler', name: 'steady' } }
/** Installs copies of a plugin in `node_modules`, in the layouts of npm and pnpm, and one outside of it. */
function installCopies(): void {
  const [name, modules] = ['@acme/attune-plugin-steady', 'node_modules']
  manifest(join(modules, name), { name, version: '2.0.0', ...DECLARED })
  write(join(modules, name, 'index.js'), scheduler(1))
  manifest(join(modules, 'my-steady'), { name, version: '1.2.0', ...DECLARED })
  write(join(modules, 'my-steady/index.js'), scheduler(0.5))
  manifest(join(modules, '@mine/steady'), { name, version: '1.1.0', exports: './index.js' })
  write(join(modules, '@mine/steady/index.js'), scheduler(0.25))
  const store = join(modules, '.pnpm/acme+1.0.0/node_modules/@acme/attune-plugin-steady')
  manifest(store, { name, version: '1.0.0', ...DECLARED })
  write(join(store, 'index.js'), scheduler(0.125))
  symlinkSync(join(at, store), join(at, modules, 'linked'), 'dir')
  manifest('vendor', { name: 'vendored', version: '0.4.0' })
  write('vendor/src/steady.mjs', scheduler(0.75))
}

const options = (): ResumeOptions => ({
  searchPaths: { registered, folders: [import.meta.dirname], local: [at] },
  baseDirectory: at,
})
const configOf = (use: string | AnyPlugin, to = directory) => ({ ...toyConfig(to), scheduler: use as string })

/** Runs until a step, then interrupts. */
async function interrupted(use: string | AnyPlugin, how = options()): Promise<void> {
  const commands = new Subject<Command>()
  const stop = (event: RunEvent): void => {
    if (event.type === 'step.completed' && event.step === 10) commands.next({ type: 'stop', because: 'test' })
  }
  await lastValueFrom(run(configOf(use), { ...how, commands }).pipe(tap(stop)))
}
/** Resumes from another folder than that of the configuration, where the plugin's specifier cannot be resolved. */
const goOn = (how: ResumeOptions = {}): Promise<RunEvent[]> =>
  lastValueFrom(
    resume(directory, { searchPaths: { registered, folders: [import.meta.dirname], local: [] }, ...how }).pipe(
      toArray(),
    ),
  )
const weights = (of: string): string => readFileSync(join(of, 'model/model.safetensors')).toString('hex')

async function refusal(promise: Promise<unknown>): Promise<AttuneError> {
  try {
    await promise
  } catch (error) {
    if (isAttuneError(error)) return error
    throw error
  }
  throw new Error('expected a rejection')
}
const recordOf = (): { core?: string; config: { plugins: { kind: string }[] } } =>
  JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as ReturnType<typeof recordOf>
const recorded = (): object | undefined => recordOf().config.plugins.find(({ kind }) => kind === 'scheduler')

/** Writes another version of core into the record. */
function setCore(version: string | undefined): void {
  const { seal: _, ...content } = { ...recordOf(), core: version } as Record<string, unknown>
  const text = JSON.stringify(content)
  writeFileSync(join(directory, 'run.json'), JSON.stringify({ ...(JSON.parse(text) as object), seal: digest(text) }))
}

describe('a third-party plugin', () => {
  it.each([
    ['my-steady', { package: '@acme/attune-plugin-steady', version: '1.2.0' }, 'node_modules/my-steady/index.js'],
    ['@mine/steady', { package: '@acme/attune-plugin-steady', version: '1.1.0' }, 'node_modules/@mine/steady/index.js'],
    ['linked', { package: '@acme/attune-plugin-steady', version: '1.0.0' }, 'node_modules/linked/index.js'],
    [
      'steady',
      { package: '@acme/attune-plugin-steady', version: '2.0.0' },
      'node_modules/@acme/attune-plugin-steady/index.js',
    ],
    ['./vendor/src/steady.mjs', { package: 'vendored', version: '0.4.0' }, 'vendor/src/steady.mjs'],
  ])('trains, resumes bit for bit and evaluates with the configured copy: %s', async (use, of, file) => {
    installCopies()
    const whole = join(at, 'whole')
    await lastValueFrom(run(configOf(use, whole), options()))
    await interrupted(use)
    expect(recorded()).toEqual({ kind: 'scheduler', specifier: use, name: 'steady', ...of, path: join(at, file) })
    const events = await goOn()
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', because: 'finished' })
    expect(events.filter(({ type }) => type === 'run.warned')).toEqual([])
    expect(weights(directory)).toBe(weights(whole))
    const other = use === 'my-steady' ? 'steady' : 'my-steady'
    await lastValueFrom(run(configOf(other, join(at, 'other')), options()))
    expect(weights(join(at, 'other'))).not.toBe(weights(whole))
    const searchPaths = { registered, folders: [import.meta.dirname] }
    const { scores, warnings } = await evaluateRun(directory, { split: 'validation', searchPaths })
    expect([Object.keys(scores), warnings]).toEqual([['loss', 'right'], []])
  })

  it('resumes with the recorded one of two installed copies', async () => {
    const searchPaths = { registered, folders: [at] }
    manifest('node_modules/attune-plugin-z', { name: 'attune-plugin-z', version: '1.0.0', ...DECLARED })
    write('node_modules/attune-plugin-z/index.js', scheduler(0.5))
    await interrupted('steady', { searchPaths })
    expect(recorded()).toMatchObject({ package: 'attune-plugin-z', version: '1.0.0' })
    manifest('node_modules/attune-plugin-a', { name: 'attune-plugin-a', version: '1.0.0', ...DECLARED })
    write('node_modules/attune-plugin-a/index.js', scheduler(1))
    await goOn({ searchPaths })
    const rates = readFileSync(join(directory, 'events.jsonl'), 'utf8').match(/"learningRate":[\d.]+/g)
    expect(rates).toContain('"learningRate":0.01')
    expect(rates).not.toContain('"learningRate":0.02')
  })

  it('is recorded with its package if it is passed as an object', async () => {
    const searchPaths = { registered, folders: [at] }
    manifest('node_modules/attune-plugin-s', { name: 'attune-plugin-s', version: '1.0.0', ...DECLARED })
    write('node_modules/attune-plugin-s/index.js', scheduler(0.5))
    const path = join(at, 'node_modules/attune-plugin-s/index.js')
    const { default: value } = (await import(pathToFileURL(path).href)) as { default: AnyPlugin }
    await interrupted(value, { searchPaths })
    expect(recorded()).toMatchObject({ package: 'attune-plugin-s', version: '1.0.0' })
    for (const known of [registered, [...registered, value]])
      expect((await goOn({ searchPaths: { ...searchPaths, registered: known } })).at(-1)?.type).toBe('run.completed')
    const own = Object.assign(() => () => 1, value)
    Object.defineProperty(own, 'name', { value: 'steady' })
    const error = await refusal(
      goOn({ searchPaths: { ...searchPaths, registered: [...registered, own as AnyPlugin] } }),
    )
    expect(error.problem).toContain('scheduler steady: attune-plugin-s 1.0.0 → no package')
  })
})

describe('versions that changed since the start of a run', () => {
  const searchPaths = () => ({ registered, folders: [at] })
  const PACKAGE = 'node_modules/attune-plugin-steady'
  const update = (content: object): void => manifest(PACKAGE, { ...DECLARED, name: 'attune-plugin-steady', ...content })
  beforeEach(async () => {
    update({ version: '0.3.1' })
    write(join(PACKAGE, 'index.js'), scheduler(0.5))
    await interrupted('steady', { searchPaths: searchPaths() })
  })

  it('cause a warning with both versions if only the patch differs', async () => {
    update({ version: '0.3.4' })
    for (let times = 0; times < 2; times++) {
      const events = await goOn({ searchPaths: searchPaths() })
      expect(events.filter(({ type }) => type === 'run.warned')).toEqual([
        expect.objectContaining({
          message:
            'different patch version than at the start of the run: scheduler steady: attune-plugin-steady 0.3.1 → 0.3.4',
        }),
      ])
      expect(events.at(-1)).toMatchObject({ type: 'run.completed', because: 'finished' })
    }
    expect(recorded()).toMatchObject({ version: '0.3.1' })
  })

  it.each([
    ['a minor version', { version: '0.4.1' }, 'attune-plugin-steady 0.3.1 → 0.4.1'],
    ['a major version', { version: '1.3.1' }, '→ 1.3.1'],
    ['a pre-release', { version: '0.3.2-beta.1' }, '→ 0.3.2-beta.1'],
    ['no version', {}, '→ attune-plugin-steady without a version'],
    ['another package', { name: 'other', version: '0.3.1' }, 'attune-plugin-steady 0.3.1 → other 0.3.1'],
  ])('are rejected, and can be accepted: %s', async (_, content, text) => {
    update(content)
    const error = await refusal(goOn({ searchPaths: searchPaths(), acceptChanges: true, trust: true }))
    expect([error.code, error.problem]).toEqual(['VERSIONS_CHANGED', expect.stringContaining(text)])
    expect(error.remedy).toContain('--accept-versions')
    const events = await goOn({ searchPaths: searchPaths(), acceptVersions: true })
    expect(events.find(({ type }) => type === 'run.resumed')).toMatchObject({
      accepted: [expect.stringContaining(text)],
    })
    expect(readFileSync(join(directory, 'events.jsonl'), 'utf8')).toContain(JSON.stringify(text).slice(1, -1))
    const again = await goOn({ searchPaths: searchPaths() })
    expect(again.find(({ type }) => type === 'run.resumed')).not.toHaveProperty('accepted')
  })

  it('are listed together, including core, and recorded once accepted', async () => {
    expect(recordOf().core).toBe(coreVersion())
    for (const core of ['7.0.0', undefined]) {
      setCore(core)
      update({ version: '0.4.0' })
      const { code, problem } = await refusal(goOn({ searchPaths: searchPaths() }))
      expect(code).toBe('VERSIONS_CHANGED')
      expect(problem).toContain('scheduler steady: attune-plugin-steady 0.3.1 → 0.4.0')
      expect(problem).toContain(`core: @attune/core ${core ?? 'without a version'} → ${coreVersion()}`)
    }
    await goOn({ searchPaths: searchPaths(), acceptVersions: true })
    expect([recordOf().core, recorded()]).toEqual([coreVersion(), expect.objectContaining({ version: '0.4.0' })])
  })

  it('take precedence over options that another version rejects', async () => {
    directory = join(at, 'stricter')
    const refusing = `({ success: false, error: { issues: [{ code: 'custom', path: [], message: 'too strict' }] } })`
    const taken = `existsSync(${JSON.stringify(join(at, 'strict'))}) ? ${refusing} : { success: true, data: {} }`
    manifest('vendor', { name: 'vendored', version: '0.4.0' })
    const text = scheduler(1).replace('({ success: true, data: {} })', taken)
    write('vendor/strict.mjs', `import { existsSync } from 'node:fs'\n${text}`)
    await interrupted('./vendor/strict.mjs')
    write('strict', '')
    expect((await refusal(goOn())).code).toBe('BAD_CONFIG')
    manifest('vendor', { name: 'vendored', version: '0.5.0' })
    expect((await refusal(goOn())).code).toBe('VERSIONS_CHANGED')
    expect((await refusal(goOn({ acceptVersions: true }))).code).toBe('BAD_CONFIG')
  })

  it('only cause warnings in evaluation and prediction', async () => {
    await goOn({ searchPaths: searchPaths() })
    setCore('0.0.1')
    const warning = `changed since the run began: core: @attune/core 0.0.1 → ${coreVersion()}`
    expect((await evaluateRun(directory, { split: 'validation', searchPaths: searchPaths() })).warnings).toEqual([
      warning,
    ])
    const predictor = await openPredictor(directory, { searchPaths: searchPaths() })
    expect(predictor.warnings).toEqual([warning])
    await predictor.close()
  })

  it('are checked after the trust in a plugin given by path', async () => {
    directory = join(at, 'by path')
    manifest('vendor', { name: 'vendored', version: '0.4.0' })
    write('vendor/steady.mjs', scheduler(0.75))
    await interrupted('./vendor/steady.mjs')
    manifest('vendor', { name: 'vendored', version: '0.5.0' })
    expect((await refusal(goOn())).code).toBe('VERSIONS_CHANGED')
    write('vendor/steady.mjs', `${scheduler(0.75)}\n`)
    expect((await refusal(goOn({ acceptVersions: true }))).code).toBe('NOT_TRUSTED')
    expect(
      (await goOn({ acceptVersions: true, trust: true })).find(({ type }) => type === 'run.resumed'),
    ).toMatchObject({
      accepted: [
        'scheduler ./vendor/steady.mjs: vendored 0.4.0 → 0.5.0',
        expect.stringContaining('trusted scheduler ./vendor/steady.mjs'),
      ],
    })
  })
})
