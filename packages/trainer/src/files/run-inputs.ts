import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AttuneError, type Chosen, type Source, pathOptions } from '@attune/core'
import { z } from 'zod'
import type { Plan } from '../plan/plan.js'
import { moduleWeightsIn } from './module-weights.js'

const fileSchema = z.strictObject({
  bytes: z.int().min(0),
  sha256: z.string(),
  /** Device, inode, size and timestamps of the file; if they are unchanged, so is the content. */
  stamp: z.string(),
})

/** Schema of an input of a run: a file, the files of a folder, or the rows of a source without a file. */
export const inputSchema = z.strictObject({
  /** Path in the configuration: `data.train.path`, `model.from`. */
  name: z.string(),
  path: z.string().optional(),
  files: z.record(z.string(), fileSchema).optional(),
  rows: z.strictObject({ count: z.int().min(0), sha256: z.string() }).optional(),
})

/** An input of a run with digests of its content. */
export type InputRecord = z.output<typeof inputSchema>
type FileRecord = z.output<typeof fileSchema>

/** Files of a model folder that are read. */
const READ = /\.(json|safetensors|gguf|model|spm|txt|jinja)$/

/** Files at a path: the file itself, or the files that are read in a folder. Empty if the path does not exist. */
async function filesAt(path: string): Promise<readonly (readonly [name: string, path: string])[]> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return []
  if (!found.isDirectory()) return [[basename(path), path]]
  const own = (await readdir(path)).filter((name) => READ.test(name))
  const names = [...own, ...moduleWeightsIn(path)].sort()
  return names.map((name) => [name, join(path, name)])
}

async function stampOf(path: string): Promise<{ readonly stamp: string; readonly bytes: number }> {
  const found = await stat(path, { bigint: true })
  if (!found.isFile())
    throw new AttuneError(
      'FILE_NOT_READABLE',
      `expected a regular file at ${path}, since a run reads its inputs several times, got a pipe or device`,
      'Save the content to a file and use that file.',
    )
  const { dev, ino, size, mtimeNs, ctimeNs } = found
  return { stamp: [dev, ino, size, mtimeNs, ctimeNs].join(':'), bytes: Number(size) }
}

/** Size, SHA-256 and stamp of a file. Reuses the known record if the stamp is unchanged, to avoid reading large files again. */
async function fileRecord(path: string, known: FileRecord | undefined): Promise<FileRecord> {
  const { stamp, bytes } = await stampOf(path)
  if (known?.stamp === stamp) return known
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Uint8Array)
  if ((await stampOf(path)).stamp === stamp) return { bytes, sha256: hash.digest('hex'), stamp }
  throw new AttuneError(
    'RUN_CHANGED',
    `${path} changed while it was being read`,
    'Wait until the file is complete, then start again.',
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

/** An input with its name in the configuration: a path, or a source without a path. */
type Named = readonly [name: string, at: string | Chosen]

const pathsIn = (name: string, chosen: Chosen): Named[] =>
  pathOptions(chosen).map(([option, path]) => [`${name}.${option}`, path])

/** All inputs that a run reads. The test split is excluded, since training does not use it. */
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

/** SHA-256 by name of the file at a path, or of the files that are read in a folder. */
export async function digestsAt(path: string): Promise<Readonly<Record<string, string>>> {
  const { files = {} } = await filesOf('', path, {}, new Map())
  return Object.fromEntries(Object.entries(files).map(([name, { sha256 }]) => [name, sha256]))
}

/**
 * Digests of all inputs of a run.
 * @param recorded inputs recorded earlier; files with unchanged stamps are not read again
 * @throws AttuneError `FILE_NOT_READABLE`, `RUN_CHANGED` if a file changes while it is read
 */
export async function readInputs(plan: Plan, recorded: readonly InputRecord[] = []): Promise<readonly InputRecord[]> {
  const inputs: InputRecord[] = []
  const read = new Map<string, FileRecord>() // a model folder may also be named for the tokenizer
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

/** Differences between recorded and current files, one sentence each. */
export async function changedFiles(inputs: readonly InputRecord[]): Promise<string[]> {
  const changes: string[] = []
  for (const input of inputs) {
    if (input.path === undefined) continue
    changes.push(...inputChanges([input], [await filesOf(input.name, input.path, input.files ?? {}, new Map())]))
  }
  return changes
}

/**
 * Verifies that the files of a run are unchanged.
 * @throws AttuneError `RUN_CHANGED` with the changes
 */
export async function requireSameFiles(inputs: readonly InputRecord[]): Promise<void> {
  const changes = await changedFiles(inputs)
  if (changes.length === 0) return
  throw new AttuneError(
    'RUN_CHANGED',
    `inputs of the run changed during training:\n${changes.map((line) => `  ${line}`).join('\n')}`,
    'Restore the files and resume, or accept the changes: npx attune train --resume RUN --accept-changes.',
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
    if (is === undefined) return [`${where} was removed`]
    if (was === undefined) return [`${where} was added`]
    const sizes =
      was.bytes === is.bytes ? `${count(is.bytes)} bytes, unchanged` : `${count(was.bytes)} → ${count(is.bytes)} bytes`
    return [`${where} has different content (${sizes})`]
  })
}

/** Differences between the recorded and the current inputs of a run, one sentence each. */
export function inputChanges(recorded: readonly InputRecord[], now: readonly InputRecord[]): string[] {
  const names = [...new Set([...recorded, ...now].map(({ name }) => name))]
  return names.flatMap((name) => {
    const [before, after] = [recorded, now].map((list) => list.find((input) => input.name === name))
    if (before === undefined) return [`${name} was added`]
    if (after === undefined) return [`${name} is no longer read`]
    if (before.rows?.sha256 !== after.rows?.sha256)
      return [`${name} has different rows (${count(before.rows?.count ?? 0)} → ${count(after.rows?.count ?? 0)})`]
    return fileChanges(before, after)
  })
}
