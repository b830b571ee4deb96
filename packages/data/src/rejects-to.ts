import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, parse } from 'node:path'
import { AttuneError, type Rejected } from '@attune/core'

/** A file that rejected rows are kept in. */
export interface Rejects {
  /** Keeps a row; for `source.open(reject)`. One whose line was rejected before, in an earlier pass, is not kept again. */
  reject(row: Rejected): void
  /** How many lines were rejected. */
  count(): number
  /** The file that was written; nothing as long as no row was rejected. */
  path(): string | undefined
}

const numbered = (path: string, number: number): string => {
  const { dir, name, ext } = parse(path)
  return number === 1 ? path : join(dir, `${name}.${number}${ext}`)
}

/** Makes a new file, the first of `rejects.jsonl`, `rejects.2.jsonl`, … that does not exist. */
function createNew(path: string): string {
  mkdirSync(dirname(path), { recursive: true })
  for (let number = 1; ; number++) {
    const candidate = numbered(path, number)
    if (existsSync(candidate)) continue
    writeFileSync(candidate, '', { flag: 'wx' })
    return candidate
  }
}

/**
 * Keeps the rejected rows of one source in a JSON Lines file, `{ line, reason, raw }` a row. The file is made when the
 * first row is rejected. One that exists already, from another run or from before this one was interrupted, is left
 * alone: the rows then go to `<name>.2<extension>`, `<name>.3<extension>`, … beside it, which {@link Rejects.path} tells.
 * @throws AttuneError (from `reject`) `REJECTS_NOT_WRITTEN` if the file cannot be made or written.
 */
export function rejectsTo(path: string): Rejects {
  const lines = new Set<number>()
  let file: string | undefined
  return {
    reject({ line, reason, raw }) {
      if (lines.has(line)) return
      try {
        file ??= createNew(path)
        appendFileSync(file, `${JSON.stringify({ line, reason, raw })}\n`)
      } catch (cause) {
        throw new AttuneError(
          'REJECTS_NOT_WRITTEN',
          `rejected rows must be kept, and "${file ?? path}" cannot be written: ${(cause as Error).message}`,
          'Free the disk or name a folder that may be written to, then start again.',
          { cause },
        )
      }
      lines.add(line)
    },
    count: () => lines.size,
    path: () => file,
  }
}
