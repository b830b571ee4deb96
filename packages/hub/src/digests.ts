import { createHash } from 'node:crypto'
import { constants, open } from 'node:fs/promises'
import { PLAIN_FILE } from './read-cached.js'

/** Expected digest of a file: its git blob id, or the SHA-256 of a large file. */
export interface Digest {
  readonly algorithm: 'git-sha1' | 'sha256'
  readonly value: string
}

/** Computes the digest of a file; git prepends a header with the length (git-hash-object). */
export async function digestOf(path: string, bytes: number, algorithm: Digest['algorithm']): Promise<string> {
  const hash = createHash(algorithm === 'sha256' ? 'sha256' : 'sha1')
  if (algorithm === 'git-sha1') hash.update(`blob ${bytes}\0`)
  const file = await open(path, constants.O_RDONLY | PLAIN_FILE)
  for await (const chunk of file.createReadStream({ highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}
