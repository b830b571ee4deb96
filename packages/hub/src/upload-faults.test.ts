import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { lastValueFrom, toArray } from 'rxjs'
import { makeClock } from './clock.test.fixture.js'
import { failing } from './download.test.fixture.js'
import type { HubEvent } from './events.js'
import { startHub } from './hub-server.test.fixture.js'
import { type Fault, type HubServer, TOKEN, sha256 } from './hub-state.test.fixture.js'
import { HUB_LIMITS } from './limits.js'
import { uploadWith } from './upload.js'

const WEIGHTS = Buffer.alloc(200_000, 'trained weights ')
const clock = makeClock()
let hub: HubServer
let folder: string
beforeAll(async () => void (hub = await startHub()))
afterAll(() => hub.close())
const write = (path: string, content: Buffer | string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), content)
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attune-upload-'))
  write('README.md', '# Trained\n')
  write('config.json', '{"model_type":"toy"}')
  write('model.safetensors', WEIGHTS)
  hub.repositories.clear()
  hub.large.clear()
  hub.seen.length = 0
  clock.reset()
})
afterEach(() => rmSync(folder, { recursive: true }))

const run = (timing: object = {}): Promise<HubEvent[]> => {
  const options = { endpoint: hub.endpoint, environment: { HF_TOKEN: TOKEN } }
  const all = { ...clock, ...timing }
  return lastValueFrom(uploadWith(folder, 'me/trained', options, all).pipe(toArray()))
}
/** Injects a fault into requests whose path contains a part, or into all requests to the store for "store". */
const on = (part: string, fault: Fault): void => {
  hub.fault = ({ path, host }) => ((part === 'store' ? host === part : path.includes(part)) ? fault : undefined)
}
const json = (value: unknown): Fault => ({ status: 200, body: JSON.stringify(value) })
const raw = (text: string): Fault => ({ respond: (response) => void response.socket!.end(text) })
const commits = (): number => hub.seen.filter(({ path }) => path.includes('/commit/')).length
const object = (more: object): object => ({ oid: sha256(WEIGHTS), size: WEIGHTS.length, ...more })
const uploadTo = (href: unknown, header?: object): object => object({ actions: { upload: { href, header } } })

describe('a malformed response to an upload', () => {
  it.each<[string, string, () => Fault]>([
    ['null for a repository', '/repos/create', () => json(null)],
    ['HTML for a repository', '/repos/create', () => ({ status: 200, body: '<html>' })],
    ['null for upload modes', '/preupload/', () => json(null)],
    ['upload modes that are not a list', '/preupload/', () => json({ files: 3 })],
    ['malformed upload modes', '/preupload/', () => json({ files: [null] })],
    [
      'more upload modes than files',
      '/preupload/',
      () => json({ files: Array(101).fill({ path: 'x', uploadMode: 'lfs' }) }),
    ],
    ['null for upload URLs', '/objects/batch', () => json(null)],
    ['one file twice', '/objects/batch', () => json({ objects: [uploadTo(hub.store), uploadTo(hub.store)] })],
    ['a file that was not requested', '/objects/batch', () => json({ objects: [{ oid: 'x', size: 3 }] })],
    ['an error', '/objects/batch', () => json({ objects: [object({ error: { code: 500, message: 'x' } })] })],
    ['no upload URL', '/objects/batch', () => json({ objects: [uploadTo(undefined)] })],
    [
      'an upload URL with another protocol',
      '/objects/batch',
      () => json({ objects: [uploadTo('file:///etc/passwd')] }),
    ],
    ['parts of size 0', '/objects/batch', () => json({ objects: [uploadTo(hub.store, { chunk_size: '0' })] })],
    [
      'a part before the first',
      '/objects/batch',
      () => json({ objects: [uploadTo(hub.store, { chunk_size: '200000', 0: hub.store })] }),
    ],
    [
      'a part after the last',
      '/objects/batch',
      () => json({ objects: [uploadTo(hub.store, { chunk_size: '200000', 9: hub.store })] }),
    ],
    ['an invalid status', 'store', () => raw('HTTP/1.1 999 no\r\ncontent-length: 0\r\n\r\n')],
    ['endless informational responses', 'store', () => raw('HTTP/1.1 102 wait\r\n\r\n'.repeat(1000))],
    ['null for a commit', '/commit/', () => json(null)],
    ['HTML for a commit', '/commit/', () => ({ status: 200, body: '<html>' })],
    ['a malformed commit', '/commit/', () => json({ commitOid: 'main' })],
  ])('is rejected before anything else is sent: %s', async (_, part, fault) => {
    on(part, fault())
    expect((await failing(run())).code).toBe('HUB_BAD_ANSWER')
    expect(commits()).toBe(part === '/commit/' ? 1 : 0)
  })

  it('is rejected if it requests large files inside the commit, which would exhaust memory', async () => {
    truncateSync(join(folder, 'model.safetensors'), HUB_LIMITS.inlineBytes + 1)
    on('/preupload/', json({ files: [{ path: 'model.safetensors', uploadMode: 'regular' }] }))
    expect(await failing(run())).toMatchObject({
      code: 'HUB_BAD_ANSWER',
      problem: expect.stringMatching(/inside the commit/),
    })
    expect(commits()).toBe(0)
  })
})

describe('the store of large files', () => {
  const endlessly = (response: ServerResponse): void => {
    if (!response.destroyed) response.write(' ', () => setImmediate(endlessly, response))
  }
  it('is abandoned if its response does not end', async () => {
    on('store', { respond: (response) => endlessly(response.writeHead(200)) })
    let time = 0
    const now = (): number => (time += 50_000)
    expect((await failing(run({ now }))).code).toBe('HUB_UNREACHABLE')
    expect(commits()).toBe(0)
  })

  it('is abandoned after six attempts without a response', async () => {
    on('store', { silent: true, onSilence: clock.ring })
    expect(await failing(run())).toMatchObject({
      code: 'HUB_UNREACHABLE',
      problem: expect.stringMatching(/stopped responding/),
    })
    expect(clock.pauses).toHaveLength(HUB_LIMITS.attempts - 1)
    expect(commits()).toBe(0)
  })

  it('is reported as unreachable if it switches protocols', async () => {
    on('store', raw('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'))
    expect(await failing(run())).toMatchObject({ code: 'HUB_UNREACHABLE', problem: expect.stringMatching(/closed/) })
  })

  it('is reported as unreachable if it does not speak HTTP', async () => {
    on('store', raw('nonsense\r\n\r\n'))
    expect(await failing(run())).toMatchObject({ code: 'HUB_UNREACHABLE', problem: expect.stringMatching(/HPE_/) })
  })
})

describe('a file that is removed during the upload', () => {
  it('is named in the error', async () => {
    hub.fault = ({ path }) => {
      if (path.includes('/objects/batch')) rmSync(join(folder, 'model.safetensors'))
      return undefined
    }
    expect(await failing(run())).toMatchObject({
      code: 'FILE_NOT_READABLE',
      problem: expect.stringContaining('model.safetensors'),
    })
    expect(commits()).toBe(0)
  })
})

describe('a token that a server echoes to an upload', () => {
  it.each<[string, string, Fault]>([
    ['in the error of a file', '/objects/batch', json({ objects: [object({ error: { code: 500, message: TOKEN } })] })],
    ['as an upload URL', '/objects/batch', json({ objects: [uploadTo(`ftp://${TOKEN}/`)] })],
    ['in a header of the store', 'store', { status: 400, headers: { 'x-error-message': TOKEN } }],
    ['in a conflict', '/commit/', { status: 412, body: JSON.stringify({ error: `has ${TOKEN}` }) }],
    ['as a commit', '/commit/', { status: 200, body: TOKEN }],
    ['as a malformed response', 'store', raw(`${TOKEN}\r\n\r\n`)],
  ])('is redacted in the error: %s', async (_, part, fault) => {
    on(part, fault)
    const error: unknown = await run().catch((reason: unknown) => reason)
    const seen = inspect(error, { depth: 20, showHidden: true, maxStringLength: null })
    expect(seen).toContain('AttuneError')
    expect(seen).not.toContain(TOKEN.slice(0, 12))
  })
})
