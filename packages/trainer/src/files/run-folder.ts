import { readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  AttuneError,
  type Chosen,
  type Found,
  type Kind,
  type UserSpecifier,
  fileName,
  isChosen,
  parseConfig,
  pluginsIn,
} from '@attune/core'
import { coreVersion, findInstalled, identify, loadFrom } from '@attune/resolve'
import { z } from 'zod'
import { type Lookup, type RunOptions, placesOf } from '../plan/lookup.js'
import type { Plan } from '../plan/plan.js'
import { type ParsedConfig, runSchema } from '../plan/run-config.js'
import { type VersionChange, coreChange, versionChange } from './plugin-versions.js'
import type { InputRecord } from './run-inputs.js'
import { LOCK } from './run-lock.js'
import { type PluginRecord, type ReadRecord, type RunRecord, readRecord, writeRecord } from './run-record.js'
import { type TrustItem, allow, linksIn, noteTrust, notTrusted, programAt, untrusted } from './trust.js'

const learnedSchema = z.strictObject({
  /** Examples of the training split. */
  examples: z.int().min(1),
  /** Options by kind, as the plugins' `fit` completed them. */
  options: z.record(z.string(), z.record(z.string(), z.unknown())),
})

/** What a run found out from its data before it began: options that plugins learned, and the number of examples. */
export type Learned = z.output<typeof learnedSchema>

/** What a run may leave that ended before it began: all made from the data, but for the log, which is added to. */
const FIRST_FILES = new Set([
  'rejects',
  'events.jsonl',
  LOCK,
  'learned.json',
  'learned.json.partial',
  'run.json',
  'run.json.partial',
  'config.json.partial',
])
const KEPT = new Set(['events.jsonl', LOCK])

/**
 * Makes room for a new run: what is left of one that never began, because its data were refused or it was killed at that
 * moment, is removed. A run has begun once its `config.json` is there.
 * @throws AttuneError `RUN_EXISTS` if the folder holds a run or anything else.
 */
export function takeFolder(directory: string): void {
  const names = readdirSync(directory)
  if (linksIn(directory).length === 0 && names.every((name) => FIRST_FILES.has(name))) {
    for (const name of names.filter((each) => !KEPT.has(each))) rmSync(join(directory, name), { recursive: true })
    return
  }
  throw new AttuneError(
    'RUN_EXISTS',
    `${directory} is not empty, and nothing in it will be overwritten`,
    `Go on with that run: attune train --resume ${directory} (or name another directory).`,
  )
}

/** The configuration as it can be written to a file and read again: every plugin by what named it, every option spelled out. */
function written(node: unknown): unknown {
  if (isChosen(node)) return { use: node.origin.specifier, ...node.common, ...(written(node.options) as object) }
  if (Array.isArray(node)) return node.map(written)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, written(child)]))
}

/** All plugins of a plan, those among the options of others included. */
export const chosenIn = (node: unknown): Chosen[] =>
  pluginsIn(node).flatMap((chosen) => [chosen, ...chosenIn(chosen.options)])

const titleOf = ({ kind, specifier }: Pick<PluginRecord, 'kind' | 'specifier'>): string => `${kind} ${specifier}`

/** Programs of a plan that are not of the installation: the user named them. */
export const programsOf = (plan: Plan): TrustItem[] =>
  [...chosenIn(plan.config), ...chosenIn(plan.encoder)].flatMap(({ plugin, origin: { specifier, path } }) =>
    path === undefined ? [] : [programAt(titleOf({ kind: plugin.kind.name, specifier }), path)],
  )

/** The content of `config.json`: the configuration, and what each plugin's name led to. */
function configOf(plan: Plan) {
  const plugins = [...chosenIn(plan.config), ...chosenIn(plan.encoder)].map(({ plugin, origin }): PluginRecord => ({
    kind: plugin.kind.name,
    ...origin,
    name: plugin.name,
  }))
  const { vocabSize, ...model } = written(plan.config.model) as Record<string, unknown>
  return {
    ...(written(plan.config) as object),
    model: {
      ...model,
      ...(plan.vocabularyGiven ? { vocabSize } : {}),
      ...(plan.from === undefined ? {} : { ...plan.from, path: undefined, from: plan.from.path }),
      ...(plan.encoder === undefined
        ? {}
        : { encoder: { ...(written(plan.encoder.model) as object), from: plan.encoder.path } }),
      ...(plan.vectors === undefined ? {} : { embeddings: plan.vectors }),
    },
    models: Object.fromEntries(
      Object.entries(plan.config.models).map(([name, chosen]) => [
        name,
        { ...(written(chosen) as object), from: plan.auxiliary[name] },
      ]),
    ),
    directory: plan.directory,
    plugins,
  }
}

/** Writes what a run is resumed from and its model loaded by: `config.json`, `learned.json` and `run.json`, which seals them. */
export async function writeRunFolder(
  plan: Plan,
  learned: Learned,
  { id, inputs, device }: Pick<RunRecord, 'id' | 'device'> & { readonly inputs: readonly InputRecord[] },
): Promise<void> {
  const config = JSON.parse(JSON.stringify(configOf(plan))) as ReturnType<typeof configOf>
  await writeRecord(
    plan.directory as string,
    { format: 1, id, config, inputs: [...inputs], core: coreVersion(), device },
    JSON.stringify({ ...learned, options: written(learned.options) }),
  )
}

/** What the user says of a run's folder that is opened. */
export interface OpenOptions extends RunOptions {
  /**
   * True if plugins that the run's record names by a path, and files outside of the folder that it writes to, may be used though
   * nothing shows that this user asked for them. Default: false.
   */
  readonly trust?: boolean
}

/** A run's folder, read and verified; its plugins are looked up when they are needed. */
export interface OpenRun extends Pick<ReadRecord, 'changes'> {
  readonly id: string
  readonly config: ParsedConfig
  readonly learned: Learned
  readonly inputs: readonly InputRecord[]
  /** The device that computed so far, in the engine's words. */
  readonly device: string
  readonly lookup: Lookup
  /** Versions of core, and of the plugins looked up so far, that are others than the recorded ones. */
  readonly versions: () => readonly VersionChange[]
  /** What was allowed because of `trust`, so far. */
  readonly trusted: readonly TrustItem[]
  /** @throws AttuneError `NOT_TRUSTED` unless this user allowed the items, before or by `trust` */
  requireTrust(items: readonly TrustItem[]): Promise<void>
}

/** Checks items against what this user allowed the run; with `trust`, allows them, and notes it in the run's folder. */
async function requireTrust(id: string, directory: string, items: readonly TrustItem[], trust: boolean) {
  const fresh = untrusted(id, items)
  if (fresh.length === 0) return []
  if (!trust) throw notTrusted(directory, fresh)
  await allow(id, items).catch(() => undefined) // where nothing can be kept, the next command is asked again
  await noteTrust(directory, fresh).catch(() => undefined)
  return fresh
}

/**
 * Looks names of a run's record up: what is of the installation by its exact name, and of several copies the recorded one; what the
 * user named by a path or package in that file, if the user is known to have done so. Notes each version that is another than the
 * recorded one.
 */
function recordLookup(
  { record }: ReadRecord,
  directory: string,
  options: OpenOptions,
  trusts: OpenRun['requireTrust'],
  note: (change: VersionChange | undefined) => void,
): Lookup {
  const places = placesOf(options)
  const find = async (kind: Kind<unknown>, name: UserSpecifier): Promise<Found> => {
    const known = record.config.plugins.find((each) => each.kind === kind.name && each.specifier === name)
    if (known === undefined) return findInstalled(kind, fileName(name), places)
    const { path, package: from, version } = known
    const title = titleOf(known)
    const recorded = { ...(from === undefined ? {} : { package: from }), ...(version === undefined ? {} : { version }) }
    if (path !== undefined) await trusts([programAt(title, path)])
    const found =
      path === undefined
        ? await findInstalled(kind, fileName(name), places, recorded)
        : await loadFrom(kind, path, name)
    const identified = from === undefined ? found : await identify(found, places)
    note(versionChange(title, recorded, identified.origin))
    return identified
  }
  return { places, find, resolvePath: (path) => resolve(directory, path), complete: true }
}

/**
 * Reads a run's folder. Nothing in it is executed and no plugin is loaded yet.
 * @throws AttuneError `NOT_A_RUN`, `RUN_DAMAGED`, `BAD_CONFIG`
 */
export function openRun(directory: string, options: OpenOptions): OpenRun {
  const folder = resolve(options.baseDirectory ?? '.', directory)
  const read = readRecord(folder)
  const { plugins: _versions, ...config } = read.config
  const learned = learnedSchema.safeParse(read.learned)
  if (!learned.success)
    throw new AttuneError(
      'RUN_DAMAGED',
      `${join(folder, 'learned.json')} is damaged: it is not what a run writes`,
      'Restore the file from a backup, or start the run again in another folder.',
    )
  const { id, inputs, device } = read.record
  const trusted: TrustItem[] = []
  const trusts = async (items: readonly TrustItem[]): Promise<void> => {
    trusted.push(...(await requireTrust(id, folder, items, options.trust === true)))
  }
  const versions = new Map<string, VersionChange>() // a plugin may be looked up several times
  const note = (found: VersionChange | undefined): void => void (found && versions.set(found.change, found))
  note(coreChange(read.record.core))
  return {
    id,
    config: parseConfig(runSchema, { ...config, directory: folder }),
    changes: read.changes,
    learned: learned.data,
    inputs,
    device,
    lookup: recordLookup(read, folder, options, trusts, note),
    versions: () => [...versions.values()],
    trusted,
    requireTrust: trusts,
  }
}
