import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { RunEvents } from '@attune/core'
import { digest, readJsonObject, writeLinesAtomically } from '@attune/files'
import { z } from 'zod'
import type { Row, Rows } from './rows.js'
import { fileRows, indexLines, lineOf, survivesJson } from './stage-file.js'

const factsSchema = z.strictObject({
  /** Digest of the rows. */
  sha256: z.string(),
  bytes: z.int().min(0),
  examplesIn: z.int().min(0),
  examplesOut: z.int().min(0),
  because: z.record(z.string(), z.int()).optional(),
  /** Number of rows that the source rejected. */
  rejected: z.int().min(0),
  seconds: z.number(),
})

/** Facts about a stage, available without reading its rows. */
export type StageFacts = Omit<z.output<typeof factsSchema>, 'sha256' | 'bytes'>

/** A stored data stage, open for reading. */
export interface StoredStage {
  readonly facts: StageFacts
  readonly path: string
  readonly rows: Rows
}

/** Store of prepared data files by digest. */
export interface Store {
  path(id: string): string
  /** Facts about a stage; undefined if it is missing. */
  facts(id: string): StageFacts | undefined
  /** Verifies and opens a stage; undefined if it is missing or damaged. */
  open(id: string): Promise<StoredStage | undefined>
  /**
   * Writes a stage.
   * @param facts called after the last row is written
   * @returns undefined, without storing anything, if an example does not survive a JSON round trip
   * @throws AttuneError `CANNOT_WRITE`
   */
  write(id: string, rows: AsyncIterable<Row>, facts: () => StageFacts): Promise<StoredStage | undefined>
}

/** Size limit of a stage's facts. */
const MAXIMUM_FACTS = 2 ** 20
/** Size in bytes beyond which the least recently used stages are evicted. */
const MAXIMUM_BYTES = 20 * 2 ** 30
/** Time in milliseconds during which a used stage is not evicted, so that a run does not lose data it is reading. */
const IN_USE = 24 * 3600 * 1000

/** Thrown while writing a stage whose examples do not survive a JSON round trip. */
const UNWRITABLE = Symbol('unwritable')

/** Folder of prepared data: `$ATTUNE_CACHE/data`, else `$XDG_CACHE_HOME/attune/data`, else `~/.cache/attune/data`. */
export function dataFolder(
  { ATTUNE_CACHE: own, XDG_CACHE_HOME: caches }: Readonly<Record<string, string | undefined>> = process.env,
): string {
  return resolve(own || join(caches || join(homedir(), '.cache'), 'attune'), 'data')
}

async function* linesOf(rows: AsyncIterable<Row>): AsyncGenerator<string, void> {
  for await (const row of rows) {
    if (!survivesJson(row.example)) throw UNWRITABLE
    yield lineOf(row)
  }
}

async function* only(line: string): AsyncGenerator<string, void> {
  yield await Promise.resolve(line)
}

/** Evicts the least recently used stages until at most `most` bytes remain. */
async function evict(folder: string, most: number): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'))
  const files = await Promise.all(
    names.map(async (name) => ({ name, found: await stat(join(folder, name)).catch(() => undefined) })),
  )
  let total = files.reduce((sum, { found }) => sum + (found?.size ?? 0), 0)
  for (const { name, found } of files.sort((a, b) => (a.found?.mtimeMs ?? 0) - (b.found?.mtimeMs ?? 0))) {
    if (total <= most || found === undefined || Date.now() - found.mtimeMs < IN_USE) return
    await rm(join(folder, name.replace(/l$/, '')), { force: true })
    await rm(join(folder, name), { force: true }).catch(() => undefined)
    total -= found.size
  }
}

/** Serializes facts with their digest. */
const sealed = (facts: object): string => JSON.stringify({ facts, seal: digest(JSON.stringify(facts)) })

/** Reads the verified facts of a stage; undefined if they are missing or damaged. */
function readFacts(path: string): z.output<typeof factsSchema> | undefined {
  try {
    const found = readJsonObject(path, MAXIMUM_FACTS, (why) => new Error(why))
    const parsed = factsSchema.safeParse(found?.['facts'])
    return parsed.success && digest(JSON.stringify(parsed.data)) === found?.['seal'] ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Opens the store in a folder, which is created when the first stage is written. */
export function openStore(folder: string = dataFolder(), maximumBytes: number = MAXIMUM_BYTES): Store {
  const path = (id: string): string => join(folder, `${id}.jsonl`)
  const read = (id: string) => readFacts(join(folder, `${id}.json`))
  const open = async (id: string): Promise<StoredStage | undefined> => {
    const known = read(id)
    if (known === undefined) return undefined
    const { sha256, bytes: _, ...facts } = known
    const found = await indexLines(path(id)).catch(() => undefined)
    if (found?.sha256 !== sha256) return undefined
    const now = new Date()
    await utimes(path(id), now, now).catch(() => undefined)
    return { facts, path: path(id), rows: fileRows(path(id), found.offsets) }
  }
  return {
    path,
    facts: read,
    open,
    async write(id, rows, facts) {
      try {
        const written = await writeLinesAtomically(path(id), linesOf(rows))
        await writeLinesAtomically(
          join(folder, `${id}.json`),
          only(sealed(factsSchema.parse({ ...written, ...facts() }))),
        )
        await evict(folder, maximumBytes)
        return await open(id)
      } catch (error) {
        if (error === UNWRITABLE) return undefined
        throw error
      }
    },
  }
}

/** Creates the event of a stage. */
export const stageEvent = (
  { title, kind }: { readonly title: string; readonly kind: string },
  { examplesIn, examplesOut, because, seconds }: StageFacts,
  path: string | undefined,
  reused: boolean,
): { readonly type: 'stage.made' } & RunEvents['stage.made'] => ({
  type: 'stage.made',
  stage: title,
  kind,
  examplesIn,
  examplesOut,
  ...(because === undefined ? {} : { because }),
  seconds,
  ...(path === undefined ? {} : { path }),
  reused,
})
