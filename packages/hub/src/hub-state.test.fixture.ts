import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** One commit of a repository: the content of each file. */
export type Commit = Readonly<Record<string, Buffer>>

export interface Repository {
  readonly private: boolean
  readonly commits: Map<string, Commit>
  readonly refs: Map<string, string>
}

/** A request as the server saw it. */
export interface Seen {
  readonly host: 'hub' | 'store'
  readonly method: string
  readonly path: string
  readonly range: string | undefined
  readonly authorization: string | undefined
}

/** What goes wrong with a request: an answer of another kind, or a body that is cut, changed, or of another length than is said. */
export interface Fault {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** How many bytes of the body are sent before the connection is cut. */
  readonly cutAfter?: number
  /** Asked again and again until it is true, before the connection is cut: what came must have been read. */
  readonly cutWhen?: () => boolean
  /** Whether it stays open then, and nothing more comes. */
  readonly stalls?: boolean
  readonly change?: (content: Buffer) => Buffer
  readonly ignoresRange?: boolean
  /** No answer at all comes. */
  readonly silent?: boolean
  /** Called again and again while nothing comes, in the place of time that passes. */
  readonly onSilence?: () => void
  /** Answers in the place of the Hub. */
  readonly respond?: (response: ServerResponse) => void
}

/** A Hub of one's own, with a store for large files on another port. */
export interface HubServer {
  readonly endpoint: string
  readonly store: string
  readonly seen: Seen[]
  readonly repositories: Map<string, Repository>
  /** Contents in the store, by SHA-256. */
  readonly large: Map<string, Buffer>
  /** Asked about each request; what it returns goes wrong. */
  fault: (request: Seen) => Fault | undefined
  /** How many files a page of a list has. */
  pageSize: number
  /** Larger files are sent to the store in parts of so many bytes. */
  partBytes: number
  /** Parts that came, by digest and number. */
  readonly parts: Map<string, Buffer>
  close(): Promise<void>
}

export const TOKEN = 'hf_secret_of_the_test'
export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')
export const gitId = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
/** Which files the Hub keeps in its store. */
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

/** A request that is to be answered, and how it goes wrong. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: Buffer
  readonly fault: Fault
}
