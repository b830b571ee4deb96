import { createHash } from 'node:crypto'
import { constants, open } from 'node:fs/promises'
import { PLAIN_FILE } from './read-cached.js'

/** What the content of a file must come to: the id that git gives it, or the SHA-256 of a large file. */
export interface Digest {
  readonly algorithm: 'git-sha1' | 'sha256'
  readonly value: string
}

/** The digest of a file's content; git puts the length before it (git-hash-object). */
export async function digestOf(path: string, bytes: number, algorithm: Digest['algorithm']): Promise<string> {
  const hash = createHash(algorithm === 'sha256' ? 'sha256' : 'sha1')
  if (algorithm === 'git-sha1') hash.update(`blob ${bytes}\0`)
  const file = await open(path, constants.O_RDONLY | PLAIN_FILE)
  for await (const chunk of file.createReadStream({ highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}
