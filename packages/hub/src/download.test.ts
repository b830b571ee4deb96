import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { lastValueFrom, takeWhile } from 'rxjs'
import { downloadWith } from './download.js'
import { CONFIG, FILES, NEEDED, WEIGHTS, completed, failing, prepareBench } from './download.test.fixture.js'
import { type Seen, TOKEN, addCommit, addRepository, gitId, sha256 } from './hub-state.test.fixture.js'
import { pauseFor } from './pauses.js'

const bench = prepareBench()
const { run, folder } = bench
const contents = (): Seen[] => bench.hub.seen.filter(({ path, host }) => host === 'store' || path.includes('/resolve/'))

const seenAt = (request: string): number =>
  bench.hub.seen.findIndex(({ host, method, path }) => `${method} ${host} ${path}` === request)

describe('a download', () => {
  it('fetches exactly the files that a model needs, in the layout of the shared cache', async () => {
    const events = await run()
    const snapshot = folder('snapshots', bench.commit)
    expect(completed(events)).toMatchObject({ folder: snapshot, commit: bench.commit })
    expect(readdirSync(snapshot).sort()).toEqual(NEEDED)
    expect(readFileSync(join(snapshot, 'model.safetensors')).equals(WEIGHTS)).toBe(true)
    expect(readlinkSync(join(snapshot, 'model.safetensors'))).toBe(`../../blobs/${sha256(WEIGHTS)}`)
    expect(readlinkSync(join(snapshot, 'config.json'))).toBe(`../../blobs/${gitId(CONFIG)}`)
    expect(lstatSync(folder('blobs', gitId(CONFIG))).isFile()).toBe(true)
    expect(readFileSync(folder('refs', 'main'), 'utf8')).toBe(bench.commit)
    expect(readdirSync(folder('blobs'))).toHaveLength(NEEDED.length)
    expect(readdirSync(join(bench.cache, '.locks', 'models--org--toy'))).toEqual([])
  })

  it('reads paginated file lists, and names with special characters', async () => {
    bench.hub.pageSize = 2
    const odd = { ...FILES, 'a file with #?%.json': Buffer.from('odd') }
    addRepository(bench.hub, 'org/toy', odd)
    const { folder: snapshot } = completed(await run('org/toy', { files: ['a file with #?%.json'] }))
    expect(readFileSync(join(snapshot, 'a file with #?%.json'), 'utf8')).toBe('odd')
    expect(bench.hub.seen.filter(({ path }) => path.includes('/tree/'))).toHaveLength(5)
  })

  it('does not request cached content again, and makes no request for a cached commit', async () => {
    await run()
    bench.hub.seen.length = 0
    const again = await run()
    expect(contents()).toEqual([])
    expect(bench.hub.seen).toHaveLength(1)
    expect(again.filter((event) => event.type === 'file.completed')).toHaveLength(NEEDED.length)
    bench.hub.seen.length = 0
    await run(`org/toy@${bench.commit}`)
    expect(bench.hub.seen).toEqual([])
  })

  it('requests the commit, the file list and the needed contents once each', async () => {
    await run()
    const large = `/${sha256(WEIGHTS)}?signature=secret`
    const small = ['README.md', 'config.json', 'model.safetensors', 'tokenizer.json']
    expect(
      bench.hub.seen.map(({ host, method, path }) => `${method} ${host} ${path.replace(/\?expand.*/, '')}`),
    ).toEqual([
      'GET hub /api/models/org/toy/revision/main',
      `GET hub /api/models/org/toy/tree/${bench.commit}?recursive=true&expand=false`,
      ...[...small.map((path) => `GET hub /org/toy/resolve/${bench.commit}/${path}`), `GET store ${large}`].sort(
        (a, b) => seenAt(a) - seenAt(b),
      ),
    ])
  })

  it('fetches only changed files of a newer commit, and keeps the older one', async () => {
    await run()
    bench.hub.seen.length = 0
    const newer = addCommit(bench.hub.repositories.get('org/toy')!, { ...FILES, 'config.json': Buffer.from('{}  ') })
    await run()
    expect(contents().map(({ path }) => path)).toEqual([`/org/toy/resolve/${newer}/config.json`])
    expect(readdirSync(folder('snapshots')).sort()).toEqual([bench.commit, newer].sort())
  })

  it('reports total size, progress and rate', async () => {
    const events = await run()
    const bytes = NEEDED.reduce((sum, path) => sum + FILES[path as keyof typeof FILES].length, 0)
    expect(events.find((event) => event.type === 'download.started')).toMatchObject({ files: 4, bytes, bytesCached: 0 })
    const progress = events.flatMap((event) => (event.type === 'download.progressed' ? [event] : []))
    expect(progress.at(-1)).toMatchObject({ bytesHere: bytes, bytes, secondsLeft: 0 })
    expect(progress.at(-1)!.bytesPerSecond).toBeGreaterThan(0)
  })

  it('stops on unsubscription, and resumes later', async () => {
    bench.faultsOfWeights({ closeAfter: 100_000 })
    const options = { endpoint: bench.hub.endpoint, cache: bench.cache, environment: {} }
    const events = downloadWith('org/toy', options, { ...bench.clock, pause: pauseFor })
    await lastValueFrom(events.pipe(takeWhile((event) => event.type !== 'request.retried')))
    expect(existsSync(folder('blobs', `${sha256(WEIGHTS)}.attune.incomplete`))).toBe(true)
    expect(existsSync(folder('refs', 'main'))).toBe(false)
    await run()
    expect(
      contents()
        .filter(({ host }) => host === 'store')
        .at(-1)?.range,
    ).toBe('bytes=100000-')
  })
})

describe('a link in the cache', () => {
  it('to a blob that several models share, as in newer versions of the Python library, is followed', async () => {
    await run()
    const shared = join(bench.cache, 'blobs', 'ab', 'ab'.repeat(32))
    mkdirSync(join(shared, '..'), { recursive: true })
    renameSync(folder('blobs', sha256(WEIGHTS)), shared)
    symlinkSync(`../../blobs/ab/${'ab'.repeat(32)}`, folder('blobs', sha256(WEIGHTS)))
    bench.hub.seen.length = 0
    await run()
    expect(contents()).toEqual([])
  })
})

describe('a link out of the cache', () => {
  it('is replaced instead of followed', async () => {
    const { folder: snapshot } = completed(await run())
    const outside = join(bench.cache, '..', `outside-${process.pid}`)
    writeFileSync(outside, CONFIG)
    rmSync(join(snapshot, 'config.json'))
    symlinkSync(outside, join(snapshot, 'config.json'))
    await run()
    expect(readlinkSync(join(snapshot, 'config.json'))).toBe(`../../blobs/${gitId(CONFIG)}`)
    rmSync(outside)
  })
})

describe('the token', () => {
  const token = { HF_TOKEN: TOKEN }
  it('is sent to the endpoint, never to the store, and does not appear in events', async () => {
    addRepository(bench.hub, 'org/toy', FILES, true)
    const events = await run('org/toy', { environment: token })
    expect(
      new Set(bench.hub.seen.filter(({ host }) => host === 'hub').map(({ authorization }) => authorization)),
    ).toEqual(new Set([`Bearer ${TOKEN}`]))
    expect(bench.hub.seen.filter(({ host }) => host === 'store').map(({ authorization }) => authorization)).toEqual([
      undefined,
    ])
    expect(JSON.stringify(events)).not.toContain('secret')
  })

  it('is required for a private model, and redacted in server messages', async () => {
    addRepository(bench.hub, 'org/toy', FILES, true)
    expect(await failing(run())).toMatchObject({ code: 'HUB_NOT_FOUND', remedy: expect.stringContaining('HF_TOKEN') })
    const body = JSON.stringify({ error: `the token ${TOKEN} may not\u001b[31m` })
    bench.hub.fault = () => ({ status: 403, body })
    const refused = await failing(run('org/toy', { environment: token }))
    expect(refused.code).toBe('HUB_FORBIDDEN')
    expect(refused.problem).toMatch(/403: the token … may not·\[31m$/)
    bench.hub.fault = () => ({ status: 403, headers: { 'x-error-code': 'GatedRepo' } })
    expect((await failing(run())).remedy).toContain('terms')
  })
})

describe('offline', () => {
  it('reads only the cache, by option or variable, and reports missing files', async () => {
    await run()
    bench.hub.seen.length = 0
    expect(completed(await run('org/toy', { offline: true })).folder).toBe(folder('snapshots', bench.commit))
    await run('org/toy', { environment: { HF_HUB_OFFLINE: '1' } })
    await run(`org/toy@${bench.commit}`, { offline: true })
    expect(await failing(run('org/other', { offline: true }))).toMatchObject({
      code: 'HUB_OFFLINE',
      problem: expect.stringContaining('never downloaded'),
    })
    rmSync(folder('blobs', gitId(CONFIG)))
    expect((await failing(run('org/toy', { offline: true }))).problem).toContain('config.json is missing')
    rmSync(folder('trees'), { recursive: true }) // as older versions of the Python library leave a cache
    expect((await failing(run('org/toy', { offline: true }))).problem).toContain('config.json is missing')
    expect(bench.hub.seen).toEqual([])
  })
})

describe('concurrent downloads', () => {
  it('fetch each content once', async () => {
    const all = await Promise.all([run(), run(), run()])
    expect(bench.hub.seen.filter(({ host }) => host === 'store')).toHaveLength(1)
    expect(new Set(all.map((events) => completed(events).folder)).size).toBe(1)
  })
})

describe('a missing resource', () => {
  it('is reported for a model, a revision or a file; pickles are rejected', async () => {
    expect((await failing(run('org/other', { environment: { HF_TOKEN: TOKEN } }))).code).toBe('HUB_NOT_FOUND')
    expect((await failing(run('org/toy@v9'))).problem).toContain('v9')
    expect((await failing(run('org/toy', { files: ['none.txt'] }))).code).toBe('HUB_NOT_FOUND')
    expect((await failing(run('org/toy', { files: ['pytorch_model.bin'] }))).code).toBe('PICKLED_WEIGHTS')
    addRepository(bench.hub, 'org/old', { 'config.json': CONFIG, 'pytorch_model.bin': Buffer.from('x') })
    expect((await failing(run('org/old'))).code).toBe('PICKLED_WEIGHTS')
  })
})
