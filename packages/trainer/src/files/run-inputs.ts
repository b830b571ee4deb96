import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AttuneError, type Chosen, type Source, pathOptions } from '@attune/core'
import { z } from 'zod'
import type { Plan } from '../plan/plan.js'

const fileSchema = z.strictObject({
  bytes: z.int().min(0),
  sha256: z.string(),
  /** Device, inode, size and times of the file: as long as they are the same, the content is. */
  stamp: z.string(),
})

/** Schema of one input of a run: a file, the files of a folder, or the rows of a source that has no file. */
export const inputSchema = z.strictObject({
  /** Where the configuration names it: `data.train.path`, `model.from`. */
  name: z.string(),
  path: z.string().optional(),
  files: z.record(z.string(), fileSchema).optional(),
  rows: z.strictObject({ count: z.int().min(0), sha256: z.string() }).optional(),
})

/** One input of a run, with digests of what is in it. */
export type InputRecord = z.output<typeof inputSchema>
type FileRecord = z.output<typeof fileSchema>

/** Files of a model's folder that something reads. */
const READ = /\.(json|safetensors|gguf|model|spm|txt|jinja)$/

/** Names of the files at a path: the file itself, or what is read of a folder; none if nothing is there. */
async function filesAt(path: string): Promise<readonly (readonly [name: string, path: string])[]> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return []
  if (!found.isDirectory()) return [[basename(path), path]]
  const names = (await readdir(path)).filter((name) => READ.test(name)).sort()
  return names.map((name) => [name, join(path, name)])
}

async function stampOf(path: string): Promise<{ readonly stamp: string; readonly bytes: number }> {
  const found = await stat(path, { bigint: true })
  if (!found.isFile())
    throw new AttuneError(
      'FILE_NOT_READABLE',
      `${path} must be a file: a run reads its inputs several times, and a pipe or device gives its content once`,
      'Save the content to a file and name that.',
    )
  const { dev, ino, size, mtimeNs, ctimeNs } = found
  return { stamp: [dev, ino, size, mtimeNs, ctimeNs].join(':'), bytes: Number(size) }
}

/** SHA-256 of a file; that of the record where the file is the recorded one by its stamp, so that large files are not read again. */
async function fileRecord(path: string, known: FileRecord | undefined): Promise<FileRecord> {
  const { stamp, bytes } = await stampOf(path)
  if (known?.stamp === stamp) return known
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Uint8Array)
  if ((await stampOf(path)).stamp === stamp) return { bytes, sha256: hash.digest('hex'), stamp }
  throw new AttuneError(
    'RUN_CHANGED',
    `${path} changed while it was read`,
    'Wait until whatever writes it is done, then start again.',
  )
}

async function rowsOf({ plugin, options }: Chosen): Promise<NonNullable<InputRecord['rows']>> {
  const hash = createHash('sha256')
  let count = 0
  for await (const row of (plugin(options) as Source).open()) {
    hash.update(`${JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))}\n`)
    count++
  }
  return { count, sha256: hash.digest('hex') }
}

/** An input by its name in the configuration: a path, or a source without one. */
type Named = readonly [name: string, at: string | Chosen]

const pathsIn = (name: string, chosen: Chosen): Named[] =>
  pathOptions(chosen).map(([option, path]) => [`${name}.${option}`, path])

/** Everything that a run reads besides its configuration. The test split is not among it: training never sees that. */
function namedInputs({ config, from, encoder, vectors }: Plan): Named[] {
  const { data, tokenizer, model, objective, adapter, protocol, cleaner, filter, balancer, augmenter, sampler } = config
  const stages = Object.entries({
    cleaner,
    filter,
    balancer,
    augmenter,
    sampler: sampler === undefined ? [] : [sampler],
  })
  const sources = Object.entries({ train: data.train, validation: data.validation })
  return [
    ...sources.flatMap(([split, source]): Named[] => {
      if (source === undefined) return []
      const paths = pathsIn(`data.${split}`, source)
      return paths.length > 0 ? paths : [[`data.${split}`, source]]
    }),
    ...Object.entries({ tokenizer, model, objective, adapter, protocol }).flatMap(([name, chosen]) =>
      pathsIn(name, chosen),
    ),
    ...stages.flatMap(([name, all]) => all.flatMap((chosen, i) => pathsIn(`${name}.${i}`, chosen))),
    ...Object.entries({ 'model.from': from?.path, 'model.encoder.from': encoder?.path, 'model.embeddings': vectors })
      .filter((entry): entry is [string, string] => entry[1] !== undefined)
      .map((entry): Named => entry),
  ]
}

async function filesOf(
  name: string,
  path: string,
  known: Readonly<Record<string, FileRecord>>,
  read: Map<string, FileRecord>,
): Promise<InputRecord> {
  const files = Object.create(null) as Record<string, FileRecord>
  for (const [file, at] of await filesAt(path)) {
    files[file] = await fileRecord(at, read.get(at) ?? known[file])
    read.set(at, files[file])
  }
  return { name, path, files }
}

/** SHA-256 of the file at a path, or of what is read of a folder there, by name. */
export async function digestsAt(path: string): Promise<Readonly<Record<string, string>>> {
  const { files = {} } = await filesOf('', path, {}, new Map())
  return Object.fromEntries(Object.entries(files).map(([name, { sha256 }]) => [name, sha256]))
}

/**
 * Digests of everything that a run reads.
 * @param recorded what an earlier part of the run recorded: files that are the same by their stamps are not read again
 * @throws AttuneError `FILE_NOT_READABLE`, `RUN_CHANGED` if a file changes meanwhile
 */
export async function readInputs(plan: Plan, recorded: readonly InputRecord[] = []): Promise<readonly InputRecord[]> {
  const inputs: InputRecord[] = []
  const read = new Map<string, FileRecord>() // the folder of a model may be named for its tokenizer, too
  for (const [name, at] of namedInputs(plan)) {
    if (typeof at !== 'string') {
      inputs.push({ name, rows: await rowsOf(at) })
      continue
    }
    const known = recorded.find((input) => input.name === name && input.path === at)?.files ?? {}
    inputs.push(await filesOf(name, at, known, read))
  }
  return inputs
}

/** The differences between recorded files and those that are there now, a sentence each. */
export async function changedFiles(inputs: readonly InputRecord[]): Promise<string[]> {
  const changes: string[] = []
  for (const input of inputs) {
    if (input.path === undefined) continue
    changes.push(...inputChanges([input], [await filesOf(input.name, input.path, input.files ?? {}, new Map())]))
  }
  return changes
}

/**
 * Makes sure that the files which a run reads are still the same.
 * @throws AttuneError `RUN_CHANGED` with what changed
 */
export async function requireSameFiles(inputs: readonly InputRecord[]): Promise<void> {
  const changes = await changedFiles(inputs)
  if (changes.length === 0) return
  throw new AttuneError(
    'RUN_CHANGED',
    `inputs of the run changed while it trained:\n${changes.map((line) => `  ${line}`).join('\n')}`,
    'Put the files back and resume, or accept the change: attune train --resume RUN --accept-changes.',
  )
}

const count = (value: number): string => value.toLocaleString('en-US')

function fileChanges(before: InputRecord, after: InputRecord): string[] {
  const [old, now] = [before.files ?? {}, after.files ?? {}]
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort()
  return names.flatMap((name) => {
    const [was, is] = [old[name], now[name]]
    const where = `${after.name}: ${basename(after.path ?? '') === name ? after.path : join(after.path ?? '', name)}`
    if (was?.sha256 === is?.sha256) return []
    if (is === undefined) return [`${where} is gone`]
    if (was === undefined) return [`${where} is new`]
    const sizes =
      was.bytes === is.bytes ? `${count(is.bytes)} bytes as before` : `${count(was.bytes)} → ${count(is.bytes)} bytes`
    return [`${where} has other content (${sizes})`]
  })
}

/** The differences between the recorded inputs of a run and those that are there now, a sentence each. */
export function inputChanges(recorded: readonly InputRecord[], now: readonly InputRecord[]): string[] {
  const names = [...new Set([...recorded, ...now].map(({ name }) => name))]
  return names.flatMap((name) => {
    const [before, after] = [recorded, now].map((list) => list.find((input) => input.name === name))
    if (before === undefined) return [`${name} is new`]
    if (after === undefined) return [`${name} is no longer read`]
    if (before.rows?.sha256 !== after.rows?.sha256)
      return [`${name} gives other rows (${count(before.rows?.count ?? 0)} → ${count(after.rows?.count ?? 0)})`]
    return fileChanges(before, after)
  })
}
