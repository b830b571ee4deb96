import type { ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { lastValueFrom, tap } from 'rxjs'
import { findCached } from './cached-model.js'
import { downloadWith, modelFolder } from './download.js'
import { FILES, prepareBench } from './download.test.fixture.js'
import type { HubEvent } from './events.js'
import { type Fault, type Seen, TOKEN, addRepository } from './hub-state.test.fixture.js'
import { hubSettings } from './settings.js'

const bench = prepareBench()
const BASE64 = Buffer.from(TOKEN).toString('base64').slice(0, -4)
const environment = { HF_TOKEN: TOKEN }

/** Everything that a caller can observe of an operation: its events, and its error with stack, causes and fields. */
async function seenOf(options: object = {}): Promise<string> {
  const events: HubEvent[] = []
  const all = { endpoint: bench.hub.endpoint, cache: bench.cache, environment, ...options }
  const error: unknown = await lastValueFrom(
    downloadWith('org/toy', all, bench.clock).pipe(tap((event) => events.push(event))),
  ).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return `${JSON.stringify(events)}\n${inspect(error, { depth: 20, showHidden: true, maxStringLength: null })}`
}

const raw =
  (text: string) =>
  (response: ServerResponse): void =>
    void response.socket!.end(text)
const list = (...entries: readonly object[]): Fault => ({ status: 200, body: JSON.stringify(entries) })
const entry = { type: 'file', path: 'config.json', size: 3, oid: '0'.repeat(40) }
const on =
  (part: string, fault: Fault) =>
  ({ path }: Seen): Fault | undefined =>
    path.includes(part) ? fault : undefined

describe('a token that a server echoes', () => {
  it.each<[string, (seen: Seen) => Fault | undefined]>([
    ['in a header of an error', () => ({ status: 400, headers: { 'x-error-message': `no ${TOKEN}` } })],
    ['in a long header', () => ({ status: 400, headers: { 'x-error-message': 'x'.repeat(185) + TOKEN } })],
    ['in base64', () => ({ status: 400, headers: { 'x-error-message': `Basic ${BASE64}` } })],
    ['in the error of a response', () => ({ status: 404, body: JSON.stringify({ error: `no ${TOKEN}` }) })],
    ['escaped', () => ({ status: 403, body: `no ${encodeURIComponent([...TOKEN].join('\0')).replaceAll('%00', '')}` })],
    ['in plain text', () => ({ status: 409, body: `conflict of ${TOKEN}` })],
    ['in the code of an error', () => ({ status: 404, headers: { 'x-error-code': TOKEN } })],
    ['in a redirect', () => ({ status: 302, headers: { location: `/${TOKEN}` } })],
    ['in a redirect to another host', () => ({ status: 302, headers: { location: `http://${TOKEN}:1/${TOKEN}` } })],
    ['in a redirect with another protocol', () => ({ status: 302, headers: { location: `ftp://x/${TOKEN}` } })],
    ['in a link', on('/tree/', { status: 200, body: '[]', headers: { link: `<http://x/${TOKEN}>; rel="next"` } })],
    ['in Retry-After', () => ({ status: 429, headers: { 'retry-after': TOKEN } })],
    ['in malformed JSON', on('/revision/', { status: 200, body: `{"sha":${TOKEN}}` })],
    ['in a malformed list', on('/tree/', { status: 200, body: TOKEN })],
    ['as a commit', on('/revision/', { status: 200, body: JSON.stringify({ sha: TOKEN }) })],
    ['as a path', on('/tree/', list({ ...entry, path: `../${TOKEN}` }))],
    ['as a path that is listed twice', on('/tree/', list({ ...entry, path: TOKEN }, { ...entry, path: TOKEN }))],
    ['as a digest', on('/tree/', list({ ...entry, oid: TOKEN }))],
    ['as a pickle', on('/tree/', list(entry, { ...entry, path: `${TOKEN}.bin` }))],
    ['as a GGUF file in a folder', on('/tree/', list(entry, { ...entry, path: `a/${TOKEN}.gguf` }))],
    ['as a file with the wrong digest', on('/tree/', list({ ...entry, path: `${TOKEN}.safetensors` }))],
    ['as a range', on('/config.json', { status: 206, headers: { 'content-range': TOKEN }, body: '{}' })],
    ['as a status line', () => ({ respond: raw(`HTTP/1.1 500 ${TOKEN}\r\ncontent-length: 0\r\n\r\n`) })],
    ['as a malformed header', () => ({ respond: raw(`HTTP/1.1 200 OK\r\n${TOKEN}\r\n\r\n`) })],
    ['as a malformed response', () => ({ respond: raw(`${TOKEN}\r\n\r\n`) })],
    [
      'as a malformed chunk',
      () => ({ respond: raw(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${TOKEN}\r\n`) }),
    ],
  ])('is redacted in events and errors: %s', async (_, fault) => {
    bench.hub.fault = (seen) => (seen.host === 'hub' ? fault(seen) : undefined)
    const seen = await seenOf()
    expect(bench.hub.seen.some(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true)
    expect(seen).toMatch(/AttuneError/)
    for (const secret of [TOKEN, TOKEN.slice(0, 12), BASE64.slice(0, 12)]) expect(seen).not.toContain(secret)
  })

  it('is redacted in events as a file name', async () => {
    addRepository(bench.hub, 'org/toy', { ...FILES, [`${TOKEN}.json`]: Buffer.from('x') })
    const seen = await seenOf({ files: [`${TOKEN}.json`] })
    expect(seen).toContain('"…"'.replace('…', '….json'))
    expect(seen).not.toContain(TOKEN.slice(0, 12))
  })

  it('is redacted in the warning of a fallback to the cache', async () => {
    await bench.run('org/toy', { environment })
    bench.hub.fault = () => ({ respond: raw(`HTTP/1.1 200 OK\r\n${TOKEN}: \0\r\n\r\n`) })
    const seen = await seenOf()
    expect(seen).toContain('hub.warned')
    expect(seen).not.toContain(TOKEN.slice(0, 12))
  })

  it('is not sent to other origins, and URL signatures are not printed', async () => {
    bench.hub.fault = ({ host }) =>
      host === 'store'
        ? { status: 302, headers: { location: `${bench.hub.store}/x?X-Amz-Signature=abcdef` } }
        : undefined
    expect(await seenOf()).not.toContain('abcdef')
    expect(bench.hub.seen.filter(({ host, authorization }) => host === 'store' && authorization !== undefined)).toEqual(
      [],
    )
  })
})

describe('a token instead of a model name or an endpoint', () => {
  it('is not printed', async () => {
    const settings = hubSettings({ cache: bench.cache, environment })
    const token = `hf_${'aB3'.repeat(12)}`
    const errors = await Promise.all(
      [
        findCached(token, settings),
        modelFolder('org/toy', { cache: bench.cache, environment: {}, endpoint: token }),
      ].map((work) => work.then(String, (error: unknown) => inspect(error))),
    )
    for (const error of errors) expect(error).not.toContain(token)
    expect(errors[0]).toContain('BAD_MODEL_NAME')
  })
})
