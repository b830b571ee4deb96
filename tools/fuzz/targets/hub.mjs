// @ts-check
/** Malicious responses of a Hub: model descriptions, file lists, errors, files and redirects. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { lastValueFrom } from 'rxjs'
import { downloadWith } from '../../../packages/hub/dist/download.js'
import { asText } from '../input.mjs'
import { parsedContainer } from '../mutate-json.mjs'
import { changedInput } from '../mutate.mjs'
import { pick } from '../random.mjs'
import { LOCK_FILES } from '../seeds.mjs'

/** @import { Server, ServerResponse } from 'node:http' */
/** @import { AddressInfo } from 'node:net' */
/** @import { Input } from '../input.mjs' */
/** @import { Random } from '../random.mjs' */
/** @import { Target } from '../target.mjs' */

/**
 * A response in the plan of an input. `unit` is repeated after the body; `encoding` compresses both; `length` replaces the true length;
 * `next` adds a next page to each page; `cutOff` closes the connection after this many bytes.
 * @typedef {{ status?: number, headers?: Record<string, unknown>, unit?: string, repeat?: number, encoding?: string, length?: number, next?: boolean, cutOff?: number }} Answer
 */

const COMMIT = 'a'.repeat(40)
/** Number of requests after which a download is considered endless. */
const MAXIMUM_REQUESTS = 3000
/** Bytes counted for a request and the headers of its response. */
const REQUEST_BYTES = 1000
/** Maximum size of a response before compression, in bytes. */
const MOST_BYTES = 80e6

const gitId = (/** @type {string} */ text) =>
  createHash('sha1')
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest('hex')
const FILES = {
  'config.json': '{"model_type":"toy"}',
  'model.safetensors': 'no weights, but bytes',
  'README.md': '# A toy\n',
}

const INFO = JSON.stringify({
  _id: 'x',
  id: 'org/toy',
  sha: COMMIT,
  private: false,
  lastModified: '2026-01-01T00:00:00.000Z',
  siblings: [{ rfilename: 'config.json' }],
  tags: [],
})
const TREE = JSON.stringify([
  { type: 'directory', path: 'onnx', size: 0, oid: '0'.repeat(40) },
  ...Object.entries(FILES).map(([path, text]) => ({ type: 'file', path, size: text.length, oid: gitId(text) })),
])
const VALID = { info: INFO, tree: TREE, config: FILES['config.json'], plan: '{"info":{},"tree":{},"file":{}}' }

/** A plan in which one response is replaced. @param {Random} random */
function madePlan(random) {
  /** @type {Answer} */
  const answer = {
    ...(random() < 0.3
      ? { status: pick([200, 204, 206, 301, 302, 307, 400, 401, 403, 404, 416, 429, 500, 503], random) }
      : {}),
    ...(random() < 0.3 ? { headers: madeHeaders(random) } : {}),
    ...(random() < 0.3
      ? {
          unit: pick(['[', '{},', ' ', '[]', '{"a":', '"', '0', '\n'], random),
          repeat: pick([1, 100, 1e4, 1e6, 2e7], random),
        }
      : {}),
    ...(random() < 0.3 ? { encoding: pick(['gzip', 'deflate', 'br', 'x'], random) } : {}),
    ...(random() < 0.2 ? { length: pick([0, 1, 21, 1e9, 2 ** 53, -1], random) } : {}),
    ...(random() < 0.2 ? { next: true } : {}),
    ...(random() < 0.1 ? { cutOff: pick([0, 1, 20, 1000], random) } : {}),
  }
  return JSON.stringify({ info: {}, tree: {}, file: {}, [pick(['info', 'tree', 'file'], random)]: answer })
}

/** @param {Random} random */
const madeHeaders = (random) => ({
  [pick(
    ['location', 'link', 'content-range', 'retry-after', 'x-error-code', 'x-error-message', 'etag', 'content-type'],
    random,
  )]: pick(
    [
      '/',
      '//',
      'https://example.com/',
      'http://127.0.0.1:1/',
      'x',
      '<x>; rel="next"',
      'bytes 0-1/2',
      '1e9',
      'GatedRepo',
      'a'.repeat(5000),
    ],
    random,
  ),
})

/** @param {string} text @param {Answer} answer */
function bodyOf(text, { unit, repeat, encoding }) {
  const times = Math.max(0, Math.min(Number(repeat) || 0, MOST_BYTES / Math.max(1, asText(unit ?? '').length)))
  const whole = Buffer.concat([Buffer.from(text), Buffer.from(asText(unit ?? '').repeat(Math.floor(times)))])
  return encoding === 'gzip' ? gzipSync(whole, { level: 1 }) : whole
}

/** Headers that Node can send. @param {unknown} given @returns {[string, string][]} */
const headersOf = (given) =>
  Object.entries(given !== null && typeof given === 'object' ? given : {}).flatMap(([name, value]) =>
    /^[\w-]{1,100}$/.test(name) && !/[^\x20-\x7e]/.test(asText(value)) ? [[name, asText(value)]] : [],
  )

/** @typedef {Record<'info' | 'tree' | 'file', { answer: Answer, body: Buffer }>} Answers */

/** Responses of an input, created before its read is measured. @param {Input} input @returns {Answers} */
function answersOf(input) {
  const plan = parsedContainer(String(input.plan)) ?? {}
  const one = (/** @type {'info' | 'tree' | 'file'} */ kind, /** @type {unknown} */ text) => {
    const answer = plan[kind] !== null && typeof plan[kind] === 'object' ? plan[kind] : {}
    return { answer, body: bodyOf(String(text ?? ''), answer) }
  }
  return { info: one('info', input.info), tree: one('tree', input.tree), file: one('file', input.config) }
}

/** @param {ServerResponse} response @param {Answers['info']} given @param {string} here @param {boolean} mayLeave true if redirects to another host are allowed */
function send(response, { answer, body }, here, mayLeave) {
  const { status = 200, headers, encoding, length, next, cutOff } = answer
  const code = Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 599 ? Number(status) : 200
  const all = [
    ['content-type', 'application/json'],
    ['content-length', String(Number.isInteger(length) ? length : body.length)],
    ...(typeof encoding === 'string' ? headersOf({ 'content-encoding': encoding }) : []),
    ...(next === true ? [['link', `<${here}>; rel="next"`]] : []),
    // Files may be redirected to any host, like those in the Hub's large-file storage.
    ...headersOf(headers).filter(([name, value]) => !mayLeave || name !== 'location' || value.startsWith('/')),
  ]
  response.writeHead(code, Object.fromEntries(all))
  if (typeof cutOff === 'number') response.write(body.subarray(0, Math.max(0, cutOff)), () => response.destroy())
  else response.end(body)
}

/** @param {string} path of a URL @returns {keyof Answers} */
const kindOf = (path) => (/\/revision\//.test(path) ? 'info' : /\/tree\//.test(path) ? 'tree' : 'file')

/** A Hub server with the given responses. */
function startHub() {
  const state = { answers: answersOf(VALID), requests: 0, sent: 0 }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`)
    state.requests++
    if (state.requests > MAXIMUM_REQUESTS) return void response.destroy()
    const kind = kindOf(url.pathname)
    const plain = kind === 'file' && !url.pathname.endsWith('config.json')
    const name = url.pathname.split('/').at(-1) ?? ''
    const given = plain
      ? { answer: {}, body: Buffer.from(FILES[/** @type {keyof typeof FILES} */ (name)] ?? '') }
      : state.answers[kind]
    state.sent += given.body.length + REQUEST_BYTES
    url.searchParams.set('cursor', String(state.requests))
    send(response, given, url.href, kind === 'file')
  })
  return { server, state }
}

/** @param {Server} server @returns {Promise<number>} */
const listen = (server) =>
  new Promise((ready) => server.listen(0, '127.0.0.1', () => ready(/** @type {AddressInfo} */ (server.address()).port)))

/** @returns {Promise<Target[]>} */
export async function targets() {
  const { server, state } = startHub()
  const port = await listen(server)
  server.unref()
  const observed = { pause: () => Promise.resolve(), silenceSeconds: 0.1 }
  let downloads = 0
  return [
    {
      name: 'answers of the Hub',
      valid: [VALID],
      bytes: () => state.sent,
      ports: [port],
      files: true,
      mayRead: LOCK_FILES,
      make: (random) => {
        const input = { ...VALID, plan: random() < 0.5 ? madePlan(random) : VALID.plan }
        return random() < 0.6 ? changedInput(input, random) : input
      },
      prepare: (input) => void Object.assign(state, { answers: answersOf(input), requests: 0, sent: 0 }),
      async read(_, folder) {
        // Files of the last download may still be arriving: each read has a separate cache.
        const options = {
          endpoint: `http://127.0.0.1:${port}`,
          cache: join(folder, `cache-${downloads++}`),
          environment: {},
        }
        const endless = () => state.requests > MAXIMUM_REQUESTS
        await lastValueFrom(downloadWith('org/toy', options, observed)).catch((error) => {
          if (!endless()) throw error
        })
        if (endless()) throw new Error(`expected at most ${MAXIMUM_REQUESTS} requests to the Hub`)
      },
      close: () => server.close(),
    },
  ]
}
