import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { isAttuneError } from '@attune/core'
import { lastValueFrom, toArray } from 'rxjs'
import { makeClock } from './clock.test.fixture.js'
import type { HubEvent } from './events.js'
import { startHub } from './hub-server.test.fixture.js'
import { type HubServer, TOKEN, addCommit, addRepository } from './hub-state.test.fixture.js'
import { type UploadOptions, uploadWith } from './upload.js'

const WEIGHTS = Buffer.alloc(200_000, 'trained weights ')
const MODEL: Readonly<Record<string, Buffer>> = {
  'README.md': Buffer.from('# Trained\n'),
  'config.json': Buffer.from('{"model_type":"toy"}'),
  'model.safetensors': WEIGHTS,
  'tokenizer.json': Buffer.from('{}'),
}
const NAMES = Object.keys(MODEL)

let hub: HubServer
let folder: string
beforeAll(async () => void (hub = await startHub()))
afterAll(() => hub.close())
const write = (files: Readonly<Record<string, Buffer>>): void => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attune-upload-'))
  write(MODEL)
  hub.repositories.clear()
  hub.large.clear()
  hub.seen.length = 0
  hub.fault = () => undefined
  hub.partBytes = Infinity
})
afterEach(() => rmSync(folder, { recursive: true }))

const run = (options: UploadOptions = {}, reference = 'me/trained'): Promise<HubEvent[]> =>
  lastValueFrom(
    uploadWith(
      folder,
      reference,
      { endpoint: hub.endpoint, environment: { HF_TOKEN: TOKEN }, ...options },
      makeClock(),
    ).pipe(toArray()),
  )
const failing = async (work: Promise<unknown>): Promise<{ code: string; problem: string; remedy: string }> => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isAttuneError(error)) throw error ?? new Error('it did not fail')
  return { code: error.code, problem: error.problem, remedy: error.remedy }
}
const remoteFiles = (name = 'me/trained'): Readonly<Record<string, Buffer>> => {
  const { refs, commits } = hub.repositories.get(name)!
  return commits.get(refs.get('main')!)!
}
const parent = (): string => hub.repositories.get('me/trained')!.refs.get('main')!

const sentShares = (events: readonly HubEvent[]): number[] =>
  events.flatMap((event) =>
    event.type === 'upload.progressed' && event.doing === 'sending' && event.path === 'model.safetensors'
      ? [event.share]
      : [],
  )

describe('an upload', () => {
  it('creates a private repository and uploads every file, large ones to the store', async () => {
    const events = await run()
    expect(hub.repositories.get('me/trained')!.private).toBe(true)
    for (const name of NAMES) expect([name, remoteFiles()[name]!.equals(MODEL[name]!)]).toEqual([name, true])
    expect(events.find((event) => event.type === 'upload.started')).toMatchObject({ created: true, added: NAMES })
    expect(events.at(-1)).toMatchObject({ type: 'upload.completed', commit: parent(), changed: true })
    expect(sentShares(events).at(-1)).toBe(1)
    expect(hub.seen.filter(({ host, method }) => host === 'store' && method === 'PUT')).toHaveLength(1)
  })

  it('makes each request of an upload once', async () => {
    await run()
    const digest = createHash('sha256').update(WEIGHTS).digest('hex')
    expect(
      hub.seen.map(({ host, method, path }) => `${method} ${host} ${path.replace(/\?(expand|recursive).*/, '')}`),
    ).toEqual([
      'GET hub /api/models/me/trained/revision/main',
      'POST hub /api/repos/create',
      'GET hub /api/models/me/trained/revision/main',
      expect.stringMatching(/^GET hub \/api\/models\/me\/trained\/tree\/[0-9a-f]{40}$/),
      'POST hub /api/models/me/trained/preupload/main',
      'POST hub /me/trained.git/info/lfs/objects/batch',
      `PUT store /${digest}?signature=secret`,
      'POST hub /api/models/me/trained/commit/main',
    ])
  })

  it('sends very large files in parts as requested by the store', async () => {
    hub.partBytes = 64_000
    const events = await run()
    expect(hub.seen.filter(({ method, path }) => method === 'PUT' && path.includes('part=')).length).toBe(4)
    expect(remoteFiles()['model.safetensors']!.equals(WEIGHTS)).toBe(true)
    const shares = sentShares(events)
    expect(shares.filter((share, i) => share < (shares[i - 1] ?? 0))).toEqual([])
    expect(shares.at(-1)).toBe(1)
  })

  it('creates a public repository with the option `public`', async () => {
    await run({ public: true })
    expect(hub.repositories.get('me/trained')!.private).toBe(false)
  })

  it('sends only files that the repository does not have', async () => {
    await run()
    const before = parent()
    expect((await run()).at(-1)).toMatchObject({ changed: false, commit: before })
    write({ 'notes/more.txt': Buffer.from('more') })
    hub.seen.length = 0
    expect((await run()).at(-1)).toMatchObject({ changed: true })
    expect(remoteFiles()['notes/more.txt']!.toString()).toBe('more')
    expect(hub.seen.filter(({ host }) => host === 'store')).toEqual([])
  })

  it('replaces files only with the option `over`', async () => {
    await run()
    const before = parent()
    write({ 'config.json': Buffer.from('{"model_type":"other"}') })
    const refused = await failing(run())
    expect(refused).toMatchObject({ code: 'HUB_WOULD_OVERWRITE', problem: expect.stringContaining('config.json') })
    expect(refused.remedy).toContain(`--over ${before}`)
    expect(parent()).toBe(before)
    expect((await failing(run({ over: 'f'.repeat(40) }))).code).toBe('HUB_CONFLICT')
    const events = await run({ over: before })
    expect(events.find((event) => event.type === 'upload.started')).toMatchObject({
      replaced: ['config.json'],
      unchanged: NAMES.filter((name) => name !== 'config.json'),
    })
    expect(remoteFiles()['config.json']!.toString()).toContain('other')
  })

  it('changes nothing after a concurrent commit', async () => {
    await run()
    write({ 'more.txt': Buffer.from('more') })
    hub.fault = ({ path }) => {
      if (path.includes('/preupload/'))
        addCommit(hub.repositories.get('me/trained')!, { ...remoteFiles(), theirs: Buffer.from('x') })
      return undefined
    }
    expect((await failing(run())).code).toBe('HUB_CONFLICT')
    expect(Object.keys(remoteFiles())).not.toContain('more.txt')
  })

  it('keeps other files of the repository', async () => {
    addRepository(hub, 'me/trained', { LICENSE: Buffer.from('free') })
    await run()
    expect(Object.keys(remoteFiles()).sort()).toEqual(['LICENSE', ...NAMES].sort())
  })
})

describe('a failing upload', () => {
  it('is retried, except for the commit', async () => {
    const trouble = [{ status: 503 }, { status: 429 }]
    hub.fault = ({ method }) => (method === 'PUT' ? trouble.shift() : undefined)
    await run()
    expect(remoteFiles()['model.safetensors']!.equals(WEIGHTS)).toBe(true)
    write({ 'more.txt': Buffer.from('more') })
    hub.seen.length = 0
    hub.fault = ({ path }) => (path.includes('/commit/') ? { status: 500 } : undefined)
    expect((await failing(run())).code).toBe('HUB_BAD_ANSWER')
    expect(hub.seen.filter(({ path }) => path.includes('/commit/'))).toHaveLength(1)
  })

  it('sends the token only to the endpoint', async () => {
    const events = await run()
    expect(
      hub.seen.filter(({ host }) => host === 'hub').every(({ authorization }) => authorization === `Bearer ${TOKEN}`),
    ).toBe(true)
    expect(hub.seen.filter(({ host }) => host === 'store').map(({ authorization }) => authorization)).toEqual([
      undefined,
    ])
    expect(JSON.stringify(events)).not.toContain('secret')
  })

  it('is rejected without a token, with a wrong one, offline, and for a missing branch', async () => {
    expect((await failing(run({ environment: {} }))).code).toBe('HUB_FORBIDDEN')
    expect(hub.seen).toEqual([])
    expect((await failing(run({ environment: { HF_TOKEN: 'hf_wrong' } }))).code).toBe('HUB_FORBIDDEN')
    expect((await failing(run({ offline: true }))).code).toBe('HUB_OFFLINE')
    await run()
    expect((await failing(run({}, 'me/trained@other'))).code).toBe('HUB_NOT_FOUND')
    expect((await failing(run({}, '../etc'))).code).toBe('BAD_MODEL_NAME')
  })
})

describe('a model folder', () => {
  it.each<[string, string, Readonly<Record<string, Buffer>>, string]>([
    ['a pickle by name', 'PICKLED_WEIGHTS', { 'pytorch_model.bin': Buffer.from('x') }, ''],
    ['a pickle by name in a subfolder', 'PICKLED_WEIGHTS', { 'old/training_args.PKL': Buffer.from('x') }, ''],
    ['a pickle by content', 'PICKLED_WEIGHTS', { state: Buffer.from([0x80, 4, 0x95, 0, 0]) }, ''],
    ['an archive of torch.save', 'PICKLED_WEIGHTS', { 'weights.dat': Buffer.from('PK\x03\x04...') }, ''],
    ['no model card', 'BAD_MODEL_FOLDER', {}, 'README.md'],
    ['no configuration', 'BAD_MODEL_FOLDER', {}, 'config.json'],
    ['no weights', 'BAD_MODEL_FOLDER', {}, 'model.safetensors'],
  ])('with %s is rejected before any request', async (_, code, files, without) => {
    write(files)
    if (without !== '') rmSync(join(folder, without))
    expect((await failing(run())).code).toBe(code)
    expect(hub.seen).toEqual([])
  })

  it('with a link is rejected; private files are not uploaded', async () => {
    write({ '.env': Buffer.from('TOKEN=x'), '.git/config': Buffer.from('x') })
    await run()
    expect(Object.keys(remoteFiles()).sort()).toEqual(['.gitattributes', ...NAMES].sort())
    symlinkSync('/etc/hostname', join(folder, 'link.txt'))
    expect((await failing(run())).code).toBe('BAD_MODEL_FOLDER')
    rmSync(join(folder, 'link.txt'))
    write({ 'odd\\name': Buffer.from('x') })
    expect((await failing(run())).code).toBe('BAD_REPOSITORY_PATH')
  })
})
