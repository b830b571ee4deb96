import { readFileSync, rmSync, statSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { CONFIG, FILES, WEIGHTS, failing, prepareBench } from './download.test.fixture.js'
import { type Fault, addRepository, gitId, sha256 } from './hub-state.test.fixture.js'
import { HUB_LIMITS } from './limits.js'

const bench = prepareBench()
const { run, folder } = bench
/** A clock that advances by 50 s on each read. */
const slowly = { now: () => (bench.clock.time += 50_000) }

const onTree = (fault: Fault | ((path: string) => Fault)): void => {
  bench.hub.fault = ({ path }) =>
    path.includes('/tree/') ? (typeof fault === 'function' ? fault(path) : fault) : undefined
}
const page = (entries: readonly object[], next?: string): Fault => ({
  status: 200,
  body: JSON.stringify(entries),
  ...(next === undefined ? {} : { headers: { link: `<${bench.hub.endpoint}${next}>; rel="next"` } }),
})
const file = (path: string): object => ({ type: 'file', path, size: CONFIG.length, oid: gitId(CONFIG) })
const trees = (): number => bench.hub.seen.filter(({ path }) => path.includes('/tree/')).length
function compressed(body: Buffer, coding = 'gzip'): Fault {
  const bytes = gzipSync(body)
  return { respond: (response) => void response.writeHead(200, { 'content-encoding': coding }).end(bytes) }
}

/** Writes a chunk repeatedly until the client disconnects. Returns the number of bytes written so far. */
function endlessly(response: ServerResponse, chunk: Buffer): { bytes: number } {
  const written = { bytes: 0 }
  const more = (): void => {
    if (response.destroyed) return
    written.bytes += chunk.length
    response.write(chunk, () => setImmediate(more))
  }
  more()
  return written
}

describe('the file list', () => {
  it('is rejected after a bounded number of empty pages', async () => {
    onTree((path) => page([], `/api/models/org/toy/tree/${bench.commit}?cursor=${path.length}${Math.random()}`))
    expect((await failing(run())).code).toBe('HUB_BAD_ANSWER')
    expect(trees()).toBe(HUB_LIMITS.emptyPages + 1)
  })

  it('is rejected if a page links back to the first page', async () => {
    for (const entries of [[], [file('config.json')]]) {
      bench.hub.seen.length = 0
      onTree((path) => page(entries, path))
      expect(await failing(run())).toMatchObject({
        code: 'HUB_BAD_ANSWER',
        problem: expect.stringMatching(/own pages/),
      })
      expect(trees()).toBe(1)
    }
  })

  it.each<[string, readonly object[], RegExp]>([
    ['one path twice', [file('config.json'), file('config.json')], /"config.json" and "config.json"/],
    ['a file that is also a folder', [file('a'), file('a-b'), file('a/b')], /"a" and "a\/b"/],
    ['too many files', Array.from({ length: 20_001 }, (_, i) => file(`${i}`)), /more than 20000 files/],
    ['too many entries', Array.from({ length: 50_001 }, () => ({})), /more than 50000 entries/],
  ])('is rejected with %s', async (_, entries, problem) => {
    onTree(page(entries))
    expect(await failing(run())).toMatchObject({ code: 'HUB_BAD_ANSWER', problem: expect.stringMatching(problem) })
  })

  it.each<[string, () => Fault, RegExp]>([
    ['9 MB of brackets', () => compressed(Buffer.alloc(9e6, '[')), /more than 8388608 bytes/],
    ['brackets', () => compressed(Buffer.alloc(1e5, '[')), /nested/],
    ['600,000 empty objects', () => compressed(Buffer.from(`[${'{},'.repeat(6e5)}{}]`)), /values/],
    ['a twice compressed body', () => compressed(gzipSync(Buffer.from('[]')), 'gzip, gzip'), /several times/],
    ['a string', () => ({ status: 200, body: JSON.stringify('x'.repeat(1e6)) }), /not a list/],
    ['null', () => ({ status: 200, body: 'null' }), /not a list/],
    [
      'one with long links',
      () => ({ status: 200, body: '[]', headers: { link: '<http://'.repeat(1000) } }),
      /Link header/,
    ],
  ])('is rejected if it is %s', async (_, fault, problem) => {
    onTree(fault())
    expect(await failing(run())).toMatchObject({ code: 'HUB_BAD_ANSWER', problem: expect.stringMatching(problem) })
    expect(trees()).toBe(1)
  })

  it('is accepted with more than a megabyte, compressed or not', async () => {
    const small = ['README.md', 'config.json', 'tokenizer.json'] as const
    const entries = small.map((path) => ({
      type: 'file',
      path,
      size: FILES[path].length,
      oid: gitId(FILES[path]),
    }))
    const lfs = { oid: sha256(WEIGHTS), size: WEIGHTS.length }
    const weights = { type: 'file', path: 'model.safetensors', size: WEIGHTS.length, oid: '0'.repeat(40), lfs }
    const more = Array.from({ length: 1200 }, (_, i) => file(`${'folder/'.repeat(120)}${i}.txt`))
    const body = Buffer.from(JSON.stringify([...entries, weights, ...more]))
    for (const fault of [compressed(body), { status: 200, body: body.toString() }]) {
      rmSync(bench.cache, { recursive: true })
      onTree(fault)
      await run()
      expect(readFileSync(folder('snapshots', bench.commit, 'model.safetensors')).equals(WEIGHTS)).toBe(true)
    }
  })
})

describe('an API response', () => {
  it('is read up to 16 KiB for an error status', async () => {
    let written = { bytes: 0 }
    bench.hub.fault = () => ({
      respond: (response) => void (written = endlessly(response.writeHead(403), Buffer.alloc(4096, 'no '))),
    })
    expect((await failing(run())).code).toBe('HUB_FORBIDDEN')
    expect(written.bytes).toBeLessThan(10e6)
  })

  it('is rejected after too many informational responses', async () => {
    bench.hub.fault = () => ({
      respond(response) {
        const more = (): void => {
          if (response.destroyed) return
          response.writeProcessing()
          setImmediate(more)
        }
        more()
      },
    })
    expect(await failing(run())).toMatchObject({
      code: 'HUB_BAD_ANSWER',
      problem: expect.stringMatching(/informational/),
    })
  })

  it('is abandoned if a byte arrives every 50 s', async () => {
    bench.hub.fault = () => ({
      respond: (response) => void endlessly(response.writeHead(200), Buffer.from(' ')),
    })
    expect(await failing(run('org/toy', {}, slowly))).toMatchObject({ code: 'HUB_UNREACHABLE' })
    expect(bench.hub.seen.length).toBeLessThanOrEqual(HUB_LIMITS.attempts)
  })
})

describe('the content of a file', () => {
  it('is abandoned if a byte arrives every 50 s', async () => {
    bench.faultsOfWeights(
      ...Array.from({ length: 100 }, () => ({
        respond: (response: ServerResponse) => void endlessly(response.writeHead(200), WEIGHTS.subarray(0, 1)),
      })),
    )
    expect(await failing(run('org/toy', {}, slowly))).toMatchObject({ code: 'HUB_UNREACHABLE' })
    expect(bench.hub.seen.length).toBeLessThanOrEqual(20)
  })

  it('is abandoned if the server restarts repeatedly', async () => {
    const content = Buffer.alloc(600_000, 'x')
    addRepository(bench.hub, 'org/toy', { ...FILES, 'model.safetensors': content })
    const incomplete = folder('blobs', `${sha256(content)}.attune.incomplete`)
    const disconnect = (closeAfter: number): Fault => ({
      closeAfter,
      closeWhen: () => statSync(incomplete, { throwIfNoEntry: false })?.size === closeAfter,
      ignoresRange: true,
    })
    let times = 0
    bench.hub.fault = ({ host }) =>
      host !== 'store' ? undefined : times++ % 2 === 0 ? disconnect(500_000) : { status: 416 }
    expect((await failing(run())).code).toBe('HUB_UNREACHABLE')
    let further = 0
    bench.hub.fault = ({ host }) => (host === 'store' ? disconnect(200_000 + 20_000 * further++) : undefined)
    expect(await failing(run())).toMatchObject({
      code: 'HUB_BAD_FILE',
      problem: expect.stringMatching(/were received for/),
    })
  })

  it('is abandoned after six attempts with a few bytes of progress each', async () => {
    bench.faultsOfWeights(...Array.from({ length: 100 }, () => ({ closeAfter: 10 })))
    expect(await failing(run())).toMatchObject({ code: 'HUB_UNREACHABLE', problem: expect.stringMatching(/6 times/) })
  })

  it.each<[string, Fault]>([
    ['shorter than announced', { change: (content) => content.subarray(0, 10) }],
    [
      'shorter than announced without a length',
      { change: (content) => content.subarray(0, 10), headers: { 'transfer-encoding': 'chunked' } },
    ],
    ['compressed and longer than announced', compressed(Buffer.alloc(1e6))],
    ['empty', { status: 204 }],
  ])('is rejected if it is %s', async (_, fault) => {
    bench.hub.fault = ({ host }) => (host === 'store' ? fault : undefined)
    expect((await failing(run())).code).toMatch(/^HUB_(BAD_FILE|UNREACHABLE)$/)
  })

  it('has the listed size of the large file, not of its pointer', async () => {
    const lfs = { oid: sha256(WEIGHTS), size: WEIGHTS.length }
    onTree(page([{ type: 'file', path: 'model.safetensors', size: 1, oid: '0'.repeat(40), lfs }]))
    await run()
    expect(readFileSync(folder('snapshots', bench.commit, 'model.safetensors')).equals(WEIGHTS)).toBe(true)
  })

  it.each<[string, number[]]>([
    ['10 TB', [1e13]],
    ['sizes whose sum exceeds the safe integers', [2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1]],
  ])('is not requested if the list announces %s, more than the free disk space', async (_, sizes) => {
    const list = sizes.map((size, i) => ({
      type: 'file',
      path: `model-${i}-of-9.safetensors`,
      size,
      oid: `${i}`.repeat(40),
    }))
    onTree(page([...list, file('model.safetensors.index.json')]))
    expect(await failing(run())).toMatchObject({
      code: 'CANNOT_WRITE',
      problem: expect.stringMatching(/free disk space/),
    })
    expect(bench.hub.seen.filter(({ path }) => path.includes('/resolve/'))).toEqual([])
  })
})

describe('pauses', () => {
  it('have a total limit, regardless of Retry-After', async () => {
    const more = Array.from({ length: 20 }, (_, i) => [`${i}_Pooling/config.json`, Buffer.from(`{"pool":${i}}`)])
    addRepository(bench.hub, 'org/toy', { ...FILES, ...(Object.fromEntries(more) as Record<string, Buffer>) })
    const asked = new Map<string, number>()
    bench.hub.fault = ({ path }) => {
      const times = (asked.get(path) ?? 0) + 1
      asked.set(path, times)
      return path.includes('_Pooling') && times < 6 ? { status: 429, headers: { 'retry-after': '99999' } } : undefined
    }
    expect(await failing(run())).toMatchObject({ code: 'HUB_UNREACHABLE', problem: expect.stringMatching(/in total/) })
    expect(bench.clock.pauses.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThanOrEqual(
      HUB_LIMITS.waitingSeconds + 300,
    ) // plus a second per KiB of the weights
  })
})
