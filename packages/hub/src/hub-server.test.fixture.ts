import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Commit,
  type Exchange,
  type Fault,
  type HubServer,
  type Seen,
  TOKEN,
  gitId,
  isLarge,
  pointer,
  sha256,
} from './hub-state.test.fixture.js'
import { answerUpload } from './hub-uploads.test.fixture.js'

const sendJson = (response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void =>
  void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))

const sendError = (response: ServerResponse, status: number, code: string, error: string): void =>
  void response
    .writeHead(status, { 'x-error-code': code, 'content-type': 'application/json' })
    .end(JSON.stringify({ error }))

function beSilent(response: ServerResponse, fault: Fault): void {
  if (response.destroyed || fault.onSilence === undefined) return
  fault.onSilence()
  setImmediate(beSilent, response, fault)
}

/** Sends a file or the requested range, with the injected fault. */
function sendContent(
  { method, headers: { range } }: IncomingMessage,
  response: ServerResponse,
  given: Buffer,
  headers: Record<string, string>,
  fault: Fault,
): void {
  const content = fault.change?.(given) ?? given
  const from = fault.ignoresRange === true ? 0 : Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
  if (from > 0 && from >= content.length) return void response.writeHead(416).end()
  const partial = range !== undefined && fault.ignoresRange !== true
  const part = content.subarray(from)
  response.writeHead(partial ? 206 : 200, {
    ...(fault.headers?.['transfer-encoding'] === undefined ? { 'content-length': String(part.length) } : {}),
    ...(partial ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
    ...headers,
    ...fault.headers,
  })
  if (method === 'HEAD') return void response.end()
  if (fault.closeAfter === undefined) return void response.end(part)
  const disconnect = (): void => {
    if (response.destroyed) return
    if (fault.closeWhen?.() === false) setImmediate(disconnect)
    else if (fault.stalls === true) beSilent(response, fault)
    else response.socket?.destroySoon()
  }
  response.write(part.subarray(0, fault.closeAfter))
  disconnect()
}

function entryOf(path: string, content: Buffer): object {
  if (!isLarge(path)) return { type: 'file', path, size: content.length, oid: gitId(content) }
  const lfs = { oid: sha256(content), size: content.length, pointerSize: pointer(content).length }
  return { type: 'file', path, size: content.length, oid: gitId(pointer(content)), lfs }
}

/** All entries of a tree, including folders, in the Hub's order of names. */
function treeOf(files: Commit): object[] {
  const folders = Object.keys(files).flatMap((path) =>
    path
      .split('/')
      .slice(0, -1)
      .map((_, i, parts) => parts.slice(0, i + 1).join('/')),
  )
  return [
    ...[...new Set(folders)].map((path) => ({ type: 'directory', path, size: 0, oid: '0'.repeat(40) })),
    ...Object.entries(files).map(([path, content]) => entryOf(path, content)),
  ]
}

function answerTree(hub: HubServer, url: URL, files: Commit, response: ServerResponse): void {
  const from = Number(url.searchParams.get('cursor') ?? 0)
  const entries = treeOf(files)
  const next = new URL(url)
  next.searchParams.set('cursor', String(from + hub.pageSize))
  const more = from + hub.pageSize < entries.length
  sendJson(response, entries.slice(from, from + hub.pageSize), more ? { link: `<${next.href}>; rel="next"` } : {})
}

function answerFile(hub: HubServer, commit: string, path: string, content: Buffer, exchange: Exchange): void {
  const { request, response, fault } = exchange
  const common = { 'x-repo-commit': commit, 'accept-ranges': 'bytes' }
  if (!isLarge(path)) return sendContent(request, response, content, { ...common, etag: `"${gitId(content)}"` }, fault)
  const digest = sha256(content)
  response.writeHead(302, {
    ...common,
    'x-linked-etag': `"${digest}"`,
    'x-linked-size': String(content.length),
    location: `${hub.store}/${digest}?signature=secret`,
  })
  response.end()
}

function answerHub(hub: HubServer, exchange: Exchange): void {
  const { request, response } = exchange
  const url = new URL(request.url ?? '', hub.endpoint)
  const authorized = request.headers.authorization === `Bearer ${TOKEN}`
  if (request.method === 'POST' && answerUpload(hub, url, authorized, exchange)) return
  const [, api, name = '', verb, tail = ''] =
    /^(\/api\/models)?\/([^/]+\/[^/]+)\/(revision|tree|resolve)\/(.+)$/.exec(url.pathname) ?? []
  const repository = hub.repositories.get(name)
  if (verb === undefined || repository === undefined || (repository.private && !authorized))
    return sendError(response, authorized ? 404 : 401, 'RepoNotFound', 'Repository not found')
  const [first = '', ...rest] = tail.split('/')
  const revision = decodeURIComponent(first)
  const commit = repository.refs.get(revision) ?? revision
  const files = repository.commits.get(commit)
  if (files === undefined) return sendError(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`)
  if (api !== undefined && verb === 'revision')
    return sendJson(response, {
      _id: 'x',
      id: name,
      sha: commit,
      private: repository.private,
      lastModified: '2026-01-01T00:00:00.000Z',
      siblings: Object.keys(files).map((rfilename) => ({ rfilename })),
      tags: [],
    })
  if (api !== undefined) return answerTree(hub, url, files, response)
  const path = rest.map(decodeURIComponent).join('/')
  const content = files[path]
  if (content === undefined) return sendError(response, 404, 'EntryNotFound', 'Entry not found')
  answerFile(hub, commit, path, content, exchange)
}

function answerStore(hub: HubServer, { request, response, body, fault }: Exchange): void {
  const digest = /^\/([0-9a-f]{64})/.exec(request.url ?? '')?.[1] ?? ''
  const part = new URL(request.url ?? '', hub.store).searchParams.get('part')
  if (request.method === 'PUT' && part !== null) {
    hub.parts.set(`${digest} ${part}`, body)
    return void response.writeHead(200, { etag: `"${part}"` }).end()
  }
  if (request.method === 'POST') {
    const { parts } = JSON.parse(body.toString()) as { parts: { partNumber: number; etag: string }[] }
    const whole = Buffer.concat(parts.map(({ partNumber }) => hub.parts.get(`${digest} ${partNumber}`) ?? Buffer.of()))
    if (sha256(whole) === digest) hub.large.set(digest, whole)
    return void response.writeHead(sha256(whole) === digest ? 200 : 400).end()
  }
  if (request.method === 'PUT') {
    hub.large.set(sha256(body), body)
    return void response.writeHead(200).end()
  }
  const content = hub.large.get(digest)
  if (content === undefined) return void response.writeHead(404).end()
  sendContent(request, response, content, { etag: '"of-the-store"' }, fault)
}

const listen = (server: Server): Promise<string> =>
  new Promise((ready) =>
    server.listen(0, '127.0.0.1', () => ready(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
  )

/** Creates a server that records requests and injects faults. */
const serve = (
  hub: () => HubServer,
  host: Seen['host'],
  answer: (hub: HubServer, exchange: Exchange) => void,
): Server =>
  createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { range, authorization } = request.headers
      const seen = { host, method: request.method ?? '', path: request.url ?? '', range, authorization }
      hub().seen.push(seen)
      const fault = hub().fault(seen) ?? {}
      if (fault.silent === true) return beSilent(response, fault)
      if (fault.respond !== undefined) return fault.respond(response)
      if (fault.status !== undefined) return void response.writeHead(fault.status, fault.headers).end(fault.body)
      answer(hub(), { request, response, body: Buffer.concat(chunks), fault })
    })
  })

/** Starts a Hub. */
export async function startHub(): Promise<HubServer> {
  const made: { hub?: HubServer } = {}
  const get = (): HubServer => made.hub as HubServer
  const servers = [serve(get, 'hub', answerHub), serve(get, 'store', answerStore)]
  const [endpoint, store] = await Promise.all(servers.map(listen))
  made.hub = {
    endpoint: endpoint as string,
    store: store as string,
    seen: [],
    repositories: new Map(),
    large: new Map(),
    fault: () => undefined,
    pageSize: 1000,
    partBytes: Infinity,
    parts: new Map(),
    async close() {
      for (const server of servers) server.closeAllConnections()
      await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
    },
  }
  return made.hub
}
