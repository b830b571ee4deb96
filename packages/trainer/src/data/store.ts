import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { RunEvents } from '@attune/core'
import { digest, readJsonObject, writeLinesAtomically } from '@attune/files'
import { z } from 'zod'
import type { Row, Rows } from './rows.js'
import { fileRows, indexLines, lineOf, survivesJson } from './stage-file.js'

const factsSchema = z.strictObject({
  /** Of the rows. */
  sha256: z.string(),
  bytes: z.int().min(0),
  examplesIn: z.int().min(0),
  examplesOut: z.int().min(0),
  because: z.record(z.string(), z.int()).optional(),
  /** Rows that the source rejected. */
  rejected: z.int().min(0),
  seconds: z.number(),
})

/** What is known of a stage without reading its rows. */
export type StageFacts = Omit<z.output<typeof factsSchema>, 'sha256' | 'bytes'>

/** A stage of the data, open for reading. */
export interface StoredStage {
  readonly facts: StageFacts
  readonly path: string
  readonly rows: Rows
}

/** Files of prepared data by digest. */
export interface Store {
  path(id: string): string
  /** What is known of a stage; undefined if it is not there. */
  facts(id: string): StageFacts | undefined
  /** Opens a stage after verifying it; one that is damaged is as good as absent. */
  open(id: string): Promise<StoredStage | undefined>
  /**
   * Writes a stage.
   * @param facts known once the last row was written
   * @returns undefined if an example holds a value that JSON would change; nothing is kept then
   * @throws AttuneError `CANNOT_WRITE`
   */
  write(id: string, rows: AsyncIterable<Row>, facts: () => StageFacts): Promise<StoredStage | undefined>
}

/** Facts of a stage take little. */
const MAXIMUM_FACTS = 2 ** 20
/** Bytes beyond which the stages that were used least recently are removed. */
const MAXIMUM_BYTES = 20 * 2 ** 30
/** Stages that were used within this time stay, so that no run loses what it reads; in milliseconds. */
const IN_USE = 24 * 3600 * 1000

/** Thrown into the writing of a stage whose examples JSON would change. */
const UNWRITABLE = Symbol('unwritable')

/** The folder of prepared data: `$ATTUNE_CACHE/data`, else `$XDG_CACHE_HOME/attune/data`, else `~/.cache/attune/data`. */
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

/** Removes the stages that were used least recently, as long as all of them take more than `most` bytes. */
async function makeRoom(folder: string, most: number): Promise<void> {
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

/** A record and its digest, so that damage shows. */
const sealed = (facts: object): string => JSON.stringify({ facts, seal: digest(JSON.stringify(facts)) })

/** Facts of a stage as they were sealed; undefined if they are absent or damaged, and the stage is made again. */
function readFacts(path: string): z.output<typeof factsSchema> | undefined {
  try {
    const found = readJsonObject(path, MAXIMUM_FACTS, (why) => new Error(why))
    const parsed = factsSchema.safeParse(found?.['facts'])
    return parsed.success && digest(JSON.stringify(parsed.data)) === found?.['seal'] ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** The store in a folder, which is made when the first stage is written. */
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
        await makeRoom(folder, maximumBytes)
        return await open(id)
      } catch (error) {
        if (error === UNWRITABLE) return undefined
        throw error
      }
    },
  }
}

/** The fields of the event of a stage. */
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
