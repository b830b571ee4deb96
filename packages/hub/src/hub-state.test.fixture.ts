import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** One commit of a repository: the content of each file. */
export type Commit = Readonly<Record<string, Buffer>>

export interface Repository {
  readonly private: boolean
  readonly commits: Map<string, Commit>
  readonly refs: Map<string, string>
}

/** A received request. */
export interface Seen {
  readonly host: 'hub' | 'store'
  readonly method: string
  readonly path: string
  readonly range: string | undefined
  readonly authorization: string | undefined
}

/** Injected fault of a request: another response, or a body that is truncated, changed, or of a wrong length. */
export interface Fault {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Number of body bytes that are sent before the connection is closed. */
  readonly closeAfter?: number
  /** Polled until it returns true before the connection is closed, so that the sent bytes are read. */
  readonly closeWhen?: () => boolean
  /** True to keep the connection open and send nothing more. */
  readonly stalls?: boolean
  readonly change?: (content: Buffer) => Buffer
  readonly ignoresRange?: boolean
  /** True to send no response at all. */
  readonly silent?: boolean
  /** Called repeatedly while nothing is sent, to advance the test clock. */
  readonly onSilence?: () => void
  /** Sends the response instead of the Hub. */
  readonly respond?: (response: ServerResponse) => void
}

/** A local Hub, with a store for large files on another port. */
export interface HubServer {
  readonly endpoint: string
  readonly store: string
  readonly seen: Seen[]
  readonly repositories: Map<string, Repository>
  /** Contents in the store, by SHA-256. */
  readonly large: Map<string, Buffer>
  /** Returns the fault to inject for a request, if any. */
  fault: (request: Seen) => Fault | undefined
  /** Number of files per page of a list. */
  pageSize: number
  /** Part size in bytes of multipart uploads to the store. */
  partBytes: number
  /** Received parts, by digest and number. */
  readonly parts: Map<string, Buffer>
  close(): Promise<void>
}

export const TOKEN = 'hf_secret_of_the_test'
export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')
export const gitId = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
/** True for files that the Hub keeps in its store. */
export const isLarge = (path: string): boolean => /\.(safetensors|bin)$/.test(path)
export const pointer = (content: Buffer): Buffer =>
  Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(content)}\nsize ${content.length}\n`)

/** Adds a commit to a repository's branch. Returns its hash. */
export function addCommit(repository: Repository, files: Commit, branch = 'main'): string {
  const listing = Object.entries(files).map(([path, content]) => `${path} ${sha256(content)}`)
  const commit = createHash('sha1')
    .update([repository.commits.size, ...listing].join('\n'))
    .digest('hex')
  repository.commits.set(commit, files)
  repository.refs.set(branch, commit)
  return commit
}

/** Adds a repository with one commit. Returns its hash. */
export function addRepository(hub: HubServer, name: string, files: Commit, isPrivate = false): string {
  const repository: Repository = { private: isPrivate, commits: new Map(), refs: new Map() }
  hub.repositories.set(name, repository)
  for (const [path, content] of Object.entries(files)) if (isLarge(path)) hub.large.set(sha256(content), content)
  return addCommit(repository, files)
}

/** A request to respond to, and its fault. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: Buffer
  readonly fault: Fault
}
