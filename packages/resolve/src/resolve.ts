import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type AnyPlugin,
  type FileName,
  type Found,
  type Kind,
  type Origin,
  type UserSpecifier,
  AttuneError,
  isPlugin,
  nearest,
} from '@attune/core'
import { type PluginPackage, installedPlugins, pluginCopies, readManifest } from './installed.js'
import { locateModule, mainModule, packageAt } from './module-entry.js'
import { admits, coreVersion } from './version.js'

/** Places to look for plugins. */
export interface SearchPlaces {
  /** Plugins that need no looking up, such as ones defined in the calling program. */
  readonly registered?: readonly AnyPlugin[]
  /** The installation: folders whose `node_modules`, and whose parents' `node_modules`, are trusted. Searched in this order. */
  readonly folders: readonly string[]
  /**
   * Folders that the user works in, such as the configuration's. They are searched after the installation, and only for what the
   * user wrote; relative paths count from the first. Default: none.
   */
  readonly local?: readonly string[]
}

/** Refuses a package that was built for another version of core. */
function checkCore(directory: string, where: string): void {
  const manifest = readManifest(directory)
  const range = (manifest?.['peerDependencies'] as Record<string, string> | undefined)?.['@attune/core']
  if (range === undefined || admits(range, coreVersion())) return
  throw new AttuneError(
    'CORE_MISMATCH',
    `${where} ${String(manifest?.['version'])} is made for @attune/core ${range}, and ${coreVersion()} is installed`,
    `Install versions that fit: npm install ${where}@latest @attune/core@latest`,
  )
}

/** The module at an entry, or an error that says that it cannot be loaded. */
async function importModule(entry: () => string, where: string): Promise<{ default?: unknown }> {
  try {
    return (await import(pathToFileURL(entry()).href)) as { default?: unknown }
  } catch (cause) {
    throw new AttuneError(
      'PLUGIN_BROKEN',
      `${where} is installed, and cannot be loaded: ${String((cause as Error).message).split('\n')[0]}`,
      `Install it again: npm install ${where}@latest (or build it, if it is your own).`,
      { cause },
    )
  }
}

async function load(entry: () => string, kind: Kind<unknown>, where: string): Promise<AnyPlugin> {
  const module = await importModule(entry, where)
  if (isPlugin(module.default) && module.default.kind.name === kind.name) return module.default
  throw new AttuneError(
    'NOT_A_PLUGIN',
    `${where} does not export a ${kind.name} plugin as its default`,
    'Its module must end with `export default definePlugin({ kind, name, summary, options, create })`.',
  )
}

/** Where an installed package comes from: a package.json need not state a version. */
const originOf = (specifier: string, { package: name, version }: PluginPackage): Origin => ({
  specifier,
  package: name,
  ...(version === '' ? {} : { version }),
})

async function loadInstalled(kind: Kind<unknown>, specifier: string, entry: PluginPackage, isLocal: boolean) {
  const { directory, package: name } = entry
  checkCore(directory, name)
  const path = (): string => mainModule(directory)
  const plugin = await load(path, kind, name)
  return { plugin, origin: { ...originOf(specifier, entry), ...(isLocal ? { path: path() } : {}) } }
}

const registeredAs = (kind: Kind<unknown>, name: string, { registered = [] }: SearchPlaces): Found | undefined => {
  const plugin = registered.find((each) => each.kind.name === kind.name && each.name === name)
  return plugin && { plugin, origin: { specifier: name } }
}

function unknownPlugin(kind: Kind<unknown>, name: string, places: SearchPlaces, at: string | undefined): AttuneError {
  const folders = [...places.folders, ...(places.local ?? [])]
  const names = [
    ...(places.registered ?? []).filter((plugin) => plugin.kind.name === kind.name).map((plugin) => plugin.name),
    ...installedPlugins(folders)
      .filter((plugin) => plugin.kind === kind.name)
      .map((plugin) => plugin.name),
  ]
  const near = nearest(name, names)
  const hint =
    near.length > 0
      ? `Did you mean ${near.join(' or ')}?`
      : `Installed: ${names.length > 0 ? names.join(', ') : `no ${kind.name} at all`}.`
  return new AttuneError(
    'UNKNOWN_PLUGIN',
    `no ${kind.name} is called ${JSON.stringify(name.slice(0, 200))}${at === undefined ? '' : ` (${at})`}; searched from ${[...new Set(folders.map((folder) => resolve(folder)))].join(', ')}`,
    /^[\w-]{1,100}$/.test(name) ? `${hint} If it is a package: npm install @attune/${kind.name}-${name}` : hint,
  )
}

/**
 * Finds a plugin that the user named: one already registered; one of the installation, by its name; one that is installed in a local
 * folder; or a path or package that exports one. `at` is where the name stands, for the error.
 * @throws AttuneError `UNKNOWN_PLUGIN`, `NOT_A_PLUGIN`, `PLUGIN_BROKEN`, `CORE_MISMATCH`.
 */
export async function findPlugin(
  kind: Kind<unknown>,
  name: UserSpecifier,
  places: SearchPlaces,
  at?: string,
): Promise<Found> {
  const registered = registeredAs(kind, name, places)
  if (registered !== undefined) return registered
  const { folders, local = [] } = places
  for (const [isLocal, searched] of [folders, local].entries()) {
    const installed = installedPlugins(searched).find((entry) => entry.kind === kind.name && entry.name === name)
    if (installed !== undefined) return loadInstalled(kind, name, installed, isLocal === 1)
  }
  const path = locateModule(name, [...local, ...folders])
  if (path === undefined) throw unknownPlugin(kind, name, places, at)
  return loadFrom(kind, path, name)
}

/**
 * Finds a plugin that a file names: registered or of the installation, by its exact name. No path, package or local folder is
 * looked at, and nothing is imported unless there is such a plugin.
 * @param recorded the package and version that the file states, too: of several copies of the plugin, the one that is both is taken,
 * else the first of that package, else the first
 * @throws AttuneError `UNKNOWN_PLUGIN`, `NOT_A_PLUGIN`, `PLUGIN_BROKEN`, `CORE_MISMATCH`.
 */
export async function findInstalled(
  kind: Kind<unknown>,
  name: FileName,
  places: SearchPlaces,
  recorded: Pick<Origin, 'package' | 'version'> = {},
): Promise<Found> {
  const registered = registeredAs(kind, name, places)
  if (registered !== undefined) return registered
  const copies = pluginCopies(places.folders).filter((entry) => entry.kind === kind.name && entry.name === name)
  const ofPackage = copies.filter((entry) => entry.package === recorded.package)
  const installed = ofPackage.find(({ version }) => version === (recorded.version ?? '')) ?? ofPackage[0] ?? copies[0]
  if (installed === undefined) throw unknownPlugin(kind, name, { ...places, local: [] }, 'as a file states it')
  return loadInstalled(kind, name, installed, false)
}

/**
 * Completes the origin of a plugin that a program gave as a value: the package and version of the installed plugin that it is, if it
 * is one.
 */
export async function identify<T extends Found>(found: T, { folders }: SearchPlaces): Promise<T> {
  const { plugin, origin } = found
  if (origin.package !== undefined || origin.path !== undefined) return found
  for (const entry of pluginCopies(folders)) {
    if (entry.kind !== plugin.kind.name || entry.name !== plugin.name) continue
    const module = await importModule(() => mainModule(entry.directory), entry.package).catch(() => undefined)
    if (module?.default === plugin) return { ...found, origin: originOf(origin.specifier, entry) }
  }
  return found
}

/**
 * Finds the plugin of the installation whose package declares that it reads files of a type, as a file states it. Otherwise as
 * {@link findInstalled}.
 * @returns undefined if there is none
 */
export async function findReader(
  kind: Kind<unknown>,
  type: FileName,
  places: SearchPlaces,
): Promise<Found | undefined> {
  const installed = installedPlugins(places.folders).find(
    (entry) => entry.kind === kind.name && entry.reads.includes(type),
  )
  return installed && loadInstalled(kind, installed.name, installed, false)
}

/**
 * Imports the plugin that a file exports. Whoever calls this has made sure that the user named the file or trusts it.
 * @throws AttuneError `NOT_A_PLUGIN`, `PLUGIN_BROKEN`, `CORE_MISMATCH`.
 */
export async function loadFrom(kind: Kind<unknown>, path: string, specifier: string): Promise<Found> {
  const { directory, ...of } = packageAt(path) ?? {}
  if (directory !== undefined) checkCore(directory, specifier)
  return { plugin: await load(() => path, kind, specifier), origin: { specifier, ...of, path } }
}
