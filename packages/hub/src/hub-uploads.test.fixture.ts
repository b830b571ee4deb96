import type { ServerResponse } from 'node:http'
import { type Exchange, type HubServer, type Repository, addCommit, isLarge } from './hub-state.test.fixture.js'

const sendJson = (response: ServerResponse, value: unknown): void =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))

interface Line {
  readonly key: string
  readonly value: Readonly<Record<string, string>>
}

function answerCreate(hub: HubServer, body: Buffer, response: ServerResponse): void {
  const { organization, name, visibility } = JSON.parse(body.toString()) as Record<string, string>
  const full = `${organization}/${name}`
  if (hub.repositories.has(full)) return void response.writeHead(409).end()
  const repository: Repository = { private: visibility === 'private', commits: new Map(), refs: new Map() }
  hub.repositories.set(full, repository)
  addCommit(repository, { '.gitattributes': Buffer.from('*.safetensors filter=lfs\n') })
  sendJson(response, { url: `${hub.endpoint}/${full}`, id: full })
}

/** Creates the commit that the lines describe, if the branch is still at their parent commit. */
function answerCommit(hub: HubServer, repository: Repository, branch: string, { body, response }: Exchange): void {
  const lines = body
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
  const parent = repository.refs.get(branch)
  const expected = lines.find(({ key }) => key === 'header')?.value['parentCommit']
  if (expected !== undefined && expected !== parent)
    return void response
      .writeHead(412, { 'content-type': 'application/json' })
      .end('{"error":"A commit has happened since"}')
  const files = { ...repository.commits.get(parent ?? '') }
  for (const { key, value } of lines) {
    const path = String(value['path'])
    if (key === 'file') files[path] = Buffer.from(String(value['content']), 'base64')
    if (key === 'lfsFile') {
      const content = hub.large.get(String(value['oid']))
      if (content === undefined) return void response.writeHead(400).end()
      files[path] = content
    }
  }
  const commitOid = addCommit(repository, files, branch)
  sendJson(response, { success: true, commitOid, commitUrl: `${hub.endpoint}/commit/${commitOid}`, hookOutput: '' })
}

/** Upload URLs of a content: one, or one per part. */
function uploadTo(hub: HubServer, oid: string, size: number): object {
  const href = `${hub.store}/${oid}?signature=secret`
  if (size <= hub.partBytes) return { href }
  const parts = Array.from({ length: Math.ceil(size / hub.partBytes) }, (_, i) => i + 1)
  const addresses = parts.map((part) => [String(part).padStart(5, '0'), `${href}&part=${part}`])
  return { href, header: { chunk_size: String(hub.partBytes), ...Object.fromEntries(addresses) } }
}

/** Responds to requests of an upload. Returns false for other requests. */
export function answerUpload(hub: HubServer, url: URL, authorized: boolean, exchange: Exchange): boolean {
  const { response, body } = exchange
  const path = url.pathname
  const [, name = '', verb, branch = ''] =
    /^\/api\/models\/([^/]+\/[^/]+)\/(preupload|commit)\/([^/]+)$/.exec(path) ?? []
  const [, batch] = /^\/([^/]+\/[^/]+)\.git\/info\/lfs\/objects\/batch$/.exec(path) ?? []
  const creates = path === '/api/repos/create'
  if (!creates && verb === undefined && batch === undefined) return false
  if (!authorized) {
    response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"Invalid username or password."}')
    return true
  }
  if (creates) answerCreate(hub, body, response)
  else if (batch !== undefined) {
    const { objects } = JSON.parse(body.toString()) as { objects: { oid: string; size: number }[] }
    const action = (oid: string, size: number): object =>
      hub.large.has(oid) ? {} : { actions: { upload: uploadTo(hub, oid, size) } }
    sendJson(response, {
      transfer: 'basic',
      objects: objects.map(({ oid, size }) => ({ oid, size, ...action(oid, size) })),
    })
  } else if (verb === 'preupload') {
    const { files } = JSON.parse(body.toString()) as { files: { path: string }[] }
    sendJson(response, {
      files: files.map((file) => ({ path: file.path, uploadMode: isLarge(file.path) ? 'lfs' : 'regular' })),
    })
  } else answerCommit(hub, hub.repositories.get(name) as Repository, decodeURIComponent(branch), exchange)
  return true
}
