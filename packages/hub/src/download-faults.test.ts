import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { FILES, WEIGHTS, completed, failing, prepareBench } from './download.test.fixture.js'
import { startHub } from './hub-server.test.fixture.js'
import { type Fault, type Seen, addRepository, sha256 } from './hub-state.test.fixture.js'

const bench = prepareBench()
const { run, folder } = bench
const contents = (): Seen[] => bench.hub.seen.filter(({ path, host }) => host === 'store' || path.includes('/resolve/'))

describe('a lost connection', () => {
  it('resumes with a range request', async () => {
    bench.faultsOfWeights({ closeAfter: 100_000 }, { closeAfter: 50_000 })
    await run()
    expect(contents().flatMap(({ host, range }) => (host === 'store' ? [range] : []))).toEqual([
      undefined,
      'bytes=100000-',
      'bytes=150000-',
    ])
    expect(readFileSync(folder('snapshots', bench.commit, 'model.safetensors')).equals(WEIGHTS)).toBe(true)
  })

  it('restarts if the server does not support ranges', async () => {
    bench.faultsOfWeights({ closeAfter: 100_000 }, { ignoresRange: true })
    await run()
    expect(readFileSync(folder('snapshots', bench.commit, 'model.safetensors')).equals(WEIGHTS)).toBe(true)
  })

  it('restarts if the partial file is too long or has a wrong prefix', async () => {
    const incomplete = (): string => folder('blobs', `${sha256(WEIGHTS)}.attune.incomplete`)
    for (const left of [Buffer.alloc(400_000), Buffer.alloc(100_000, 'x'), Buffer.alloc(300_000)]) {
      rmSync(join(bench.cache, 'models--org--toy'), { recursive: true, force: true })
      await run()
      rmSync(folder('blobs', sha256(WEIGHTS)))
      writeFileSync(incomplete(), left)
      await run()
      expect(readFileSync(folder('blobs', sha256(WEIGHTS))).equals(WEIGHTS)).toBe(true)
    }
  })

  it('fails after six attempts without progress', async () => {
    bench.hub.fault = ({ host }) => (host === 'store' ? { closeAfter: 0 } : undefined)
    expect(await failing(run())).toMatchObject({ code: 'HUB_UNREACHABLE', problem: expect.stringContaining('6 times') })
  })

  it('is resumed by another process after the first one is killed', async () => {
    bench.faultsOfWeights({ closeAfter: 100_000, stalls: true })
    mkdirSync(folder('blobs'), { recursive: true })
    const script = fileURLToPath(new URL('./child.test.fixture.js', import.meta.url))
    const changes = watch(folder('blobs'))
    const child = spawn(process.execPath, [script, 'org/toy', bench.hub.endpoint, bench.cache])
    const ended = new Promise((done) => child.once('close', done))
    const incomplete = folder('blobs', `${sha256(WEIGHTS)}.attune.incomplete`)
    while (!existsSync(incomplete) || statSync(incomplete).size < 100_000) await once(changes, 'change')
    changes.close()
    child.kill('SIGKILL')
    await ended
    // Locks of other files may remain if the process was killed while it held them; nothing waits for a dead process.
    const locks = (): string[] => readdirSync(join(bench.cache, '.locks', 'models--org--toy'))
    expect(locks()).toContain(`${sha256(WEIGHTS)}.attune.lock`)
    await run()
    expect(contents().at(-1)).toMatchObject({ host: 'store', range: 'bytes=100000-' })
    expect(readFileSync(folder('snapshots', bench.commit, 'model.safetensors')).equals(WEIGHTS)).toBe(true)
    expect(locks()).not.toContain(`${sha256(WEIGHTS)}.attune.lock`)
  })

  it('includes one without data, before or during the response', async () => {
    bench.faultsOfWeights({ silent: true }, { closeAfter: 100, stalls: true })
    const events = await run()
    expect(events.find((event) => event.type === 'request.retried')).toMatchObject({
      because: 'the server stopped responding',
    })
  })
})

describe('a failing server', () => {
  it('is retried after the pause that it requests, or with exponential backoff, of at most a minute', async () => {
    const trouble: Fault[] = [
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 503, headers: { 'retry-after': '86400' } },
      { status: 429, headers: { 'retry-after': new Date(Date.now() + 20_000).toUTCString() } },
      { status: 500 },
      { status: 502 },
    ]
    bench.hub.fault = ({ path }) => (path.includes('/revision/') ? trouble.shift() : undefined)
    await run()
    expect(bench.clock.pauses.slice(0, 2)).toEqual([7, 60])
    expect(bench.clock.pauses[2]).toBeGreaterThan(15)
    expect(bench.clock.pauses[2]).toBeLessThanOrEqual(20)
    expect(bench.clock.pauses[3]).toBeGreaterThanOrEqual(2)
    expect(bench.clock.pauses[4]).toBeLessThanOrEqual(8)
  })

  it('of the store: requests a new URL for an expired signature, and restarts after an invalid range', async () => {
    bench.faultsOfWeights({ status: 403 }, { closeAfter: 100 }, { status: 416 })
    await run()
    expect(readFileSync(folder('snapshots', bench.commit, 'model.safetensors')).equals(WEIGHTS)).toBe(true)
  })

  it('falls back to the cache with a warning if unreachable; without a cached model it is an error', async () => {
    await run()
    bench.hub.fault = () => ({ status: 503 })
    const events = await run()
    expect(completed(events).folder).toBe(folder('snapshots', bench.commit))
    expect(events.find((event) => event.type === 'hub.warned')).toMatchObject({
      message: expect.stringContaining('503'),
    })
    rmSync(folder('refs'), { recursive: true })
    expect((await failing(run())).code).toBe('HUB_UNREACHABLE')
    const gone = await startHub()
    await gone.close()
    expect((await failing(run('org/toy', { endpoint: gone.endpoint }))).problem).toContain('ECONNREFUSED')
  })
})

describe('a malicious server', () => {
  const twisted = (content: Buffer): Buffer => Buffer.concat([content.subarray(0, -1), Buffer.from('?')])
  it.each<[string, Fault]>([
    ['wrong bytes of a large file', { change: twisted }],
    ['a longer file', { change: (content) => Buffer.concat([content, content]) }],
    ['a shorter file', { change: (content) => content.subarray(0, 10) }],
    [
      'a longer file without a content length',
      { change: (content) => Buffer.concat([content, content]), headers: { 'transfer-encoding': 'chunked' } },
    ],
  ])('is detected: %s', async (_, fault) => {
    bench.hub.fault = ({ host }) => (host === 'store' ? fault : undefined)
    expect((await failing(run())).code).toBe('HUB_BAD_FILE')
    expect(existsSync(folder('blobs', sha256(WEIGHTS)))).toBe(false)
    bench.hub.fault = () => undefined
    await run()
  })

  it('is detected: wrong bytes of a small file', async () => {
    bench.hub.fault = ({ path }) => (path.endsWith('/config.json') ? { change: twisted } : undefined)
    expect(await failing(run())).toMatchObject({
      code: 'HUB_BAD_FILE',
      problem: expect.stringContaining('config.json'),
    })
  })

  it('is detected: a range that was not requested', async () => {
    bench.faultsOfWeights({ closeAfter: 100 }, { headers: { 'content-range': 'bytes 5-299999/300000' } })
    expect((await failing(run())).code).toBe('HUB_BAD_FILE')
  })

  it.each(['../../escape', '/etc/passwd', 'a\\b', 'a/../b', 'C:/x', './x', 'a//b', 'nul\0'])(
    'is detected: the file name %j',
    async (path) => {
      addRepository(bench.hub, 'org/toy', { ...FILES, [path]: Buffer.from('x') })
      expect((await failing(run())).code).toBe('BAD_REPOSITORY_PATH')
      expect(existsSync(folder('blobs'))).toBe(false)
    },
  )

  it.each<[string, string]>([
    ['invalid JSON', 'nonsense'],
    ['an object', '{"a":1}'],
    ['a file without a digest', '[{"type":"file","path":"config.json","size":3}]'],
    [
      'a digest that is a path',
      '[{"type":"file","path":"config.json","size":3,"oid":"../../../../../../../../../../../../../x"}]',
    ],
    ['a negative size', `[{"type":"file","path":"config.json","size":-3,"oid":"${'0'.repeat(40)}"}]`],
  ])('is detected: a file list that is or has %s', async (_, body) => {
    bench.hub.fault = ({ path }) => (path.includes('/tree/') ? { status: 200, body } : undefined)
    expect((await failing(run())).code).toBe('HUB_BAD_ANSWER')
  })

  it('is detected: file lists elsewhere, and redirect loops', async () => {
    const link = { link: '<http://127.0.0.2:1/next>; rel="next"' }
    bench.hub.fault = ({ path }) => (path.includes('/tree/') ? { status: 200, headers: link, body: '[]' } : undefined)
    expect((await failing(run())).code).toBe('HUB_BAD_ANSWER')
    bench.hub.fault = ({ path }) =>
      path.includes('/revision/') ? { status: 302, headers: { location: path } } : undefined
    expect((await failing(run())).problem).toContain('redirects')
  })
})
