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
  /** Number of examples in the training split. */
  examples: z.int().min(1),
  /** Options by kind, completed by the plugins' `fit`. */
  options: z.record(z.string(), z.record(z.string(), z.unknown())),
})

/** Results of a run's data preparation: options fitted by plugins, and the number of training examples. */
export type Learned = z.output<typeof learnedSchema>

/** Files that a run may leave if it ends before it starts training. All are derived from the data, except the log, which is appended to. */
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
 * Prepares a folder for a new run: removes the files of a run that never started, because its data were rejected or it was killed. A run
 * has started once its `config.json` exists.
 * @throws AttuneError `RUN_EXISTS` if the folder contains a run or anything else
 */
export function claimFolder(directory: string): void {
  const names = readdirSync(directory)
  if (linksIn(directory).length === 0 && names.every((name) => FIRST_FILES.has(name))) {
    for (const name of names.filter((each) => !KEPT.has(each))) rmSync(join(directory, name), { recursive: true })
    return
  }
  throw new AttuneError(
    'RUN_EXISTS',
    `expected an empty run folder, got files in ${directory}`,
    `Resume that run: npx attune train --resume ${directory}. Or use another directory.`,
  )
}

/** Serializes a configuration: every plugin by its specifier, with all options. */
function written(node: unknown): unknown {
  if (isChosen(node)) return { use: node.origin.specifier, ...node.common, ...(written(node.options) as object) }
  if (Array.isArray(node)) return node.map(written)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, written(child)]))
}

/** All plugins of a plan, including those nested in options of other plugins. */
export const chosenIn = (node: unknown): Chosen[] =>
  pluginsIn(node).flatMap((chosen) => [chosen, ...chosenIn(chosen.options)])

const titleOf = ({ kind, specifier }: Pick<PluginRecord, 'kind' | 'specifier'>): string => `${kind} ${specifier}`

/** Plugin modules of a plan that the user named by path, outside of the installation. */
export const programsOf = (plan: Plan): TrustItem[] =>
  [...chosenIn(plan.config), ...chosenIn(plan.encoder)].flatMap(({ plugin, origin: { specifier, path } }) =>
    path === undefined ? [] : [programAt(titleOf({ kind: plugin.kind.name, specifier }), path)],
  )

/** Content of `config.json`: the configuration and the origin of each plugin. */
function configOf(plan: Plan) {
  const plugins = [...chosenIn(plan.config), ...chosenIn(plan.encoder)].map(({ plugin, origin }): PluginRecord => ({
    kind: plugin.kind.name,
    ...origin,
    name: plugin.name,
  }))
  const model = Object.entries(written(plan.config.model) as object)
  return {
    ...(written(plan.config) as object),
    model: {
      ...Object.fromEntries(model.filter(([name]) => !plan.fromTokenizer.includes(name))),
      ...(plan.from === undefined ? {} : { ...plan.from, path: undefined, notes: undefined, from: plan.from.path }),
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

/** Writes the files for resuming a run and loading its model: `config.json`, `learned.json`, and `run.json` with their digests. */
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

/** Options for opening a run folder. */
export interface OpenOptions extends RunOptions {
  /**
   * True to use plugins that the run's record names by path, and to write to files outside of its folder, even if there is no record
   * that this user asked for them. Default: false.
   */
  readonly trust?: boolean
  /**
   * Changes the run's configuration for this use of its model, such as to another engine, before it is validated. Only `data`, `cleaner`,
   * `loss`, `metric`, `engine` and `training` may change; otherwise the error is `BAD_ARGUMENT`. Default: no change.
   */
  readonly change?: (config: RunSettings) => RunSettings
}

/** The configuration of a run as in its `config.json`. */
type RunSettings = Readonly<Record<string, unknown>>

/** Keys that neither the saved model nor the split of its data depends on. */
const CHANGEABLE = ['data', 'cleaner', 'loss', 'metric', 'engine', 'training']

/** @throws AttuneError `BAD_ARGUMENT` for a change of other keys than {@link CHANGEABLE} */
function changed(config: RunSettings, { change }: OpenOptions): RunSettings {
  const now = change?.(config) ?? config
  const isSame = (key: string): boolean => JSON.stringify(config[key]) === JSON.stringify(now[key])
  const other = Object.keys({ ...config, ...now }).find((key) => !CHANGEABLE.includes(key) && !isSame(key))
  if (other === undefined) return now
  throw new AttuneError(
    'BAD_ARGUMENT',
    `expected changes of ${CHANGEABLE.join(', ')} only, since the others belong to the training of the saved model, got one of \`${other}\``,
    'Leave it out, or train another run with it.',
  )
}

/** A verified run folder; its plugins are resolved when needed. */
export interface OpenRun extends Pick<ReadRecord, 'changes'> {
  readonly id: string
  readonly config: ParsedConfig
  readonly learned: Learned
  readonly inputs: readonly InputRecord[]
  /** Device used so far, as described by the engine. */
  readonly device: string
  readonly lookup: Lookup
  /** Version differences of core and of the plugins resolved so far. */
  readonly versions: () => readonly VersionChange[]
  /** Items allowed by `trust` so far. */
  readonly trusted: readonly TrustItem[]
  /** @throws AttuneError `NOT_TRUSTED` unless this user allowed the items earlier or by `trust` */
  requireTrust(items: readonly TrustItem[]): Promise<void>
}

/** Requires that this user allowed items to a run. With `trust`, allows them and records that in the run folder. */
async function requireTrust(id: string, directory: string, items: readonly TrustItem[], trust: boolean) {
  const fresh = untrusted(id, items)
  if (fresh.length === 0) return []
  if (!trust) throw notTrusted(directory, fresh)
  await allow(id, items).catch(() => undefined) // if it cannot be stored, the next command asks again
  await noteTrust(directory, fresh).catch(() => undefined)
  return fresh
}

/**
 * Resolves the names in a run's record. Plugins of the installation are found by exact name, preferring the recorded copy; plugins that
 * the user named by path or package are loaded from the recorded file, if this user is known to have named it. Notes every version that
 * differs from the recorded one.
 */
function recordLookup(
  { record }: ReadRecord,
  directory: string,
  options: OpenOptions,
  trusts: OpenRun['requireTrust'],
  note: (change: VersionChange | undefined) => void,
): Lookup {
  const searchPaths = placesOf(options)
  const find = async (kind: Kind<unknown>, name: UserSpecifier): Promise<Found> => {
    const known = record.config.plugins.find((each) => each.kind === kind.name && each.specifier === name)
    if (known === undefined) return findInstalled(kind, fileName(name), searchPaths)
    const { path, package: from, version } = known
    const title = titleOf(known)
    const recorded = { ...(from === undefined ? {} : { package: from }), ...(version === undefined ? {} : { version }) }
    if (path !== undefined) await trusts([programAt(title, path)])
    const found =
      path === undefined
        ? await findInstalled(kind, fileName(name), searchPaths, recorded)
        : await loadFrom(kind, path, name)
    const identified = from === undefined ? found : await identify(found, searchPaths)
    note(versionChange(title, recorded, identified.origin))
    return identified
  }
  return { searchPaths, find, resolvePath: (path) => resolve(directory, path), complete: true, locate: options.locate }
}

/**
 * Reads a run's folder. Executes nothing and loads no plugins.
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
      `${join(folder, 'learned.json')} is damaged: expected the learned options of a run`,
      'Restore the file from a backup, or start the run again in another folder.',
    )
  const { id, inputs, device } = read.record
  const trusted: TrustItem[] = []
  const trusts = async (items: readonly TrustItem[]): Promise<void> => {
    trusted.push(...(await requireTrust(id, folder, items, options.trust === true)))
  }
  const versions = new Map<string, VersionChange>() // a plugin may be resolved several times
  const note = (found: VersionChange | undefined): void => void (found && versions.set(found.change, found))
  note(coreChange(read.record.core))
  return {
    id,
    config: parseConfig(runSchema, { ...changed(config, options), directory: folder }, options.locate),
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
