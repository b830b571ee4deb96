import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { AttuneError, excerpt, isRecord, parseJson } from '@attune/core'
import { digest, readJsonObject, readWholeFile, writeFileAtomically } from '@attune/files'
import { z } from 'zod'
import { inputSchema } from './run-inputs.js'

const pluginSchema = z.strictObject({
  kind: z.string(),
  /** Specifier in the configuration: a name, a package (possibly an alias) or a path. */
  specifier: z.string(),
  /** The plugin's own name. */
  name: z.string(),
  /** The package's own name. */
  package: z.string().optional(),
  version: z.string().optional(),
  /** File of the module, if the plugin is not part of the installation. */
  path: z.string().optional(),
})

/** A plugin of a run: its specifier and its resolved origin. */
export type PluginRecord = z.output<typeof pluginSchema>

const recordSchema = z.strictObject({
  format: z.literal(1),
  /** Random unique id, also stored in checkpoints. */
  id: z.uuid(),
  /** Content of `config.json` at the start of the run, or when changes to it were last accepted. */
  config: z.looseObject({ plugins: z.array(pluginSchema) }),
  /** SHA-256 of `learned.json`. */
  learned: z.string(),
  inputs: z.array(inputSchema),
  /** Version of `@attune/core`. */
  core: z.string().optional(),
  /** Device used, as described by the engine. Another device or thread count rounds differently. */
  device: z.string(),
})

/** Record of a run: `run.json`. */
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

/** Creates the id of a new run. */
export const newRunId = (): string => randomUUID()

/** Writes a run's record and the files covered by its digests. `config.json` is written last and marks the run as started. */
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

/** Differences between two JSON values, one line each: `training.learningRate: 0.001 → 0.002`. */
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

/** A configuration without its `directory`, since a run folder may be moved. */
const withoutDirectory = ({ directory: _, ...config }: Readonly<Record<string, unknown>>): unknown => config

/** Content of a run folder. */
export interface ReadRecord {
  readonly record: RunRecord
  /** Content of `config.json`, which may have been edited. */
  readonly config: Readonly<Record<string, unknown>>
  /** Differences between `config` and the configuration at the start of the run. */
  readonly changes: readonly string[]
  /** Verified content of `learned.json`. */
  readonly learned: unknown
}

function readJson(directory: string, name: string): Record<string, unknown> {
  const content = readJsonObject(join(directory, name), MAXIMUM_BYTES, (why) => damaged(directory, name, why))
  if (content !== undefined) return content
  throw new AttuneError(
    'NOT_A_RUN',
    `${directory} is not a run folder: expected ${name}, got none`,
    'Use the `directory` of a run started with `npx attune train`. If that run ended before training started, start it again with its configuration.',
  )
}

function readLearned(directory: string, sealed: string): unknown {
  const content = readWholeFile(join(directory, LEARNED), MAXIMUM_BYTES)
  if (content === undefined) throw damaged(directory, LEARNED, 'the file is missing')
  if (digest(content) !== sealed) throw damaged(directory, LEARNED, 'its content does not match its recorded digest')
  try {
    return parseJson(content.toString('utf8'))
  } catch (cause) {
    throw damaged(directory, LEARNED, (cause as Error).message)
  }
}

/**
 * Reads a run's record and the files covered by its digests. Resolves no plugins.
 * @throws AttuneError `NOT_A_RUN` if the folder does not contain a run; `RUN_DAMAGED` if a file differs from what was written
 */
export function readRecord(directory: string): ReadRecord {
  const config = readJson(directory, CONFIG)
  const { seal, ...content } = readJson(directory, RECORD)
  if (seal !== sealOf(content)) throw damaged(directory, RECORD, 'its content does not match its recorded digest')
  const parsed = recordSchema.safeParse(content)
  if (!parsed.success) throw damaged(directory, RECORD, z.prettifyError(parsed.error).slice(0, 300))
  const record = parsed.data
  return {
    record,
    config,
    changes: differences(withoutDirectory(record.config), withoutDirectory(config), ''),
    learned: readLearned(directory, record.learned),
  }
}
