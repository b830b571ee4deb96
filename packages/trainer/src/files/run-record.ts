import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { AttuneError, excerpt, isRecord, parseJson } from '@attune/core'
import { digest, readJsonObject, readWholeFile, writeFileAtomically } from '@attune/files'
import { z } from 'zod'
import { inputSchema } from './run-inputs.js'

const pluginSchema = z.strictObject({
  kind: z.string(),
  /** What the configuration named it by: a name, a package (which may be an alias) or a path. */
  specifier: z.string(),
  /** The plugin's own name. */
  name: z.string(),
  /** The package's own name. */
  package: z.string().optional(),
  version: z.string().optional(),
  /** The module's file, where the plugin is not of the installation. */
  path: z.string().optional(),
})

/** A plugin that a run uses: what was asked for, and what that led to. */
export type PluginRecord = z.output<typeof pluginSchema>

const recordSchema = z.strictObject({
  format: z.literal(1),
  /** Random: no other run has it. Checkpoints carry it. */
  id: z.uuid(),
  /** The content of `config.json` as the run was started, or as changes to it were accepted. */
  config: z.looseObject({ plugins: z.array(pluginSchema) }),
  /** SHA-256 of `learned.json`. */
  learned: z.string(),
  inputs: z.array(inputSchema),
  /** The version of `@attune/core`. */
  core: z.string().optional(),
  /** The device that computed, in the engine's words: another one, or another number of threads, rounds otherwise. */
  device: z.string(),
})

/** What a run knows of itself: `run.json`. */
export type RunRecord = z.output<typeof recordSchema>

const MAXIMUM_BYTES = 64 * 1024 * 1024
const [RECORD, CONFIG, LEARNED] = ['run.json', 'config.json', 'learned.json']

const sealOf = (record: unknown): string => digest(JSON.stringify(record))

const damaged = (directory: string, name: string, why: string): AttuneError =>
  new AttuneError(
    'RUN_DAMAGED',
    `${join(directory, name)} is damaged: ${why}`,
    'Restore the file from a backup, or start the run again in another folder.',
  )

/** Makes the identity of a new run. */
export const newRunId = (): string => randomUUID()

/** Writes a run's record and the files that it seals. `config.json` comes last: with it, the run has begun. */
export async function writeRecord(
  directory: string,
  record: Omit<RunRecord, 'learned'>,
  learned: string,
): Promise<void> {
  const whole: RunRecord = { ...record, learned: digest(learned) }
  await writeFileAtomically(join(directory, LEARNED), learned)
  await writeFileAtomically(join(directory, RECORD), JSON.stringify({ ...whole, seal: sealOf(whole) }))
  await writeFileAtomically(join(directory, CONFIG), `${JSON.stringify(record.config, null, 2)}\n`)
}

/** The differences between two JSON values, a line each: `training.learningRate: 0.001 → 0.002`. */
function differences(before: unknown, after: unknown, path: string): string[] {
  const nested = isRecord(before) && isRecord(after)
  const listed = Array.isArray(before) && Array.isArray(after) && before.length === after.length
  if (!nested && !listed)
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [`${path}: ${excerpt(before)} → ${excerpt(after)}`]
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key) =>
    differences(old.get(key), now.get(key), path === '' ? key : `${path}.${key}`),
  )
}

/** A configuration without its folder's own path: a folder may be moved. */
const withoutPlace = ({ directory: _, ...config }: Readonly<Record<string, unknown>>): unknown => config

/** A run's folder as it was read. */
export interface ReadRecord {
  readonly record: RunRecord
  /** The content of `config.json`, which may have been edited. */
  readonly config: Readonly<Record<string, unknown>>
  /** Differences between it and what the run was started with. */
  readonly changes: readonly string[]
  /** The content of `learned.json`, verified. */
  readonly learned: unknown
}

function readJson(directory: string, name: string): Record<string, unknown> {
  const content = readJsonObject(join(directory, name), MAXIMUM_BYTES, (why) => damaged(directory, name, why))
  if (content !== undefined) return content
  throw new AttuneError(
    'NOT_A_RUN',
    `${directory} is not the folder of a run: it has no ${name}`,
    'Name the `directory` of a run that was started with `attune train`. If a run ended there before it began, start it again with its configuration.',
  )
}

function readLearned(directory: string, sealed: string): unknown {
  const content = readWholeFile(join(directory, LEARNED), MAXIMUM_BYTES)
  if (content === undefined) throw damaged(directory, LEARNED, 'it is gone')
  if (digest(content) !== sealed) throw damaged(directory, LEARNED, 'it does not have the digest that was written down')
  try {
    return parseJson(content.toString('utf8'))
  } catch (cause) {
    throw damaged(directory, LEARNED, (cause as Error).message)
  }
}

/**
 * Reads a run's record and the files that it seals. Nothing is looked up by what they say.
 * @throws AttuneError `NOT_A_RUN` if the folder holds no run; `RUN_DAMAGED` if a file is not what was written
 */
export function readRecord(directory: string): ReadRecord {
  const config = readJson(directory, CONFIG)
  const { seal, ...content } = readJson(directory, RECORD)
  if (seal !== sealOf(content)) throw damaged(directory, RECORD, 'it does not have the digest that was written down')
  const parsed = recordSchema.safeParse(content)
  if (!parsed.success) throw damaged(directory, RECORD, z.prettifyError(parsed.error).slice(0, 300))
  const record = parsed.data
  return {
    record,
    config,
    changes: differences(withoutPlace(record.config), withoutPlace(config), ''),
    learned: readLearned(directory, record.learned),
  }
}
