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

/** Search locations for plugins, in order. */
export interface SearchPaths {
  /** Plugins that are available without a search, such as those defined in the calling program. */
  readonly registered?: readonly AnyPlugin[]
  /** The installation: folders whose `node_modules` (and those of their parents) are trusted, in search order. */
  readonly folders: readonly string[]
  /**
   * Working folders of the user, such as that of the configuration. Searched after the installation, and only for specifiers that
   * the user wrote; relative paths start at the first. Default: none.
   */
  readonly local?: readonly string[]
}

/** Throws for a package that was built for another version of core. */
function checkCore(directory: string, where: string): void {
  const manifest = readManifest(directory)
  const range = (manifest?.['peerDependencies'] as Record<string, string> | undefined)?.['@attune/core']
  if (range === undefined || admits(range, coreVersion())) return
  throw new AttuneError(
    'CORE_MISMATCH',
    `${where} ${String(manifest?.['version'])} needs @attune/core ${range}, but ${coreVersion()} is installed`,
    `Install compatible versions: npm install ${where}@latest @attune/core@latest`,
  )
}

/** Imports a module. @throws AttuneError `PLUGIN_BROKEN` */
async function importModule(entry: () => string, where: string): Promise<{ default?: unknown }> {
  try {
    return (await import(pathToFileURL(entry()).href)) as { default?: unknown }
  } catch (cause) {
    throw new AttuneError(
      'PLUGIN_BROKEN',
      `${where} is installed but cannot be loaded: ${String((cause as Error).message).split('\n')[0]}`,
      `Reinstall it: npm install ${where}@latest (or build it, if it is your own).`,
      { cause },
    )
  }
}

async function load(entry: () => string, kind: Kind<unknown>, where: string): Promise<AnyPlugin> {
  const module = await importModule(entry, where)
  if (isPlugin(module.default) && module.default.kind.name === kind.name) return module.default
  throw new AttuneError(
    'NOT_A_PLUGIN',
    `expected a ${kind.name} plugin as the default export of ${where}`,
    'Export it with `export default definePlugin({ kind, name, summary, options, create })`.',
  )
}

/** Returns the origin of an installed package, whose package.json may lack a version. */
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

const registeredAs = (kind: Kind<unknown>, name: string, { registered = [] }: SearchPaths): Found | undefined => {
  const plugin = registered.find((each) => each.kind.name === kind.name && each.name === name)
  return plugin && { plugin, origin: { specifier: name } }
}

function unknownPlugin(kind: Kind<unknown>, name: string, search: SearchPaths, at: string | undefined): AttuneError {
  const folders = [...search.folders, ...(search.local ?? [])]
  const names = [
    ...(search.registered ?? []).filter((plugin) => plugin.kind.name === kind.name).map((plugin) => plugin.name),
    ...installedPlugins(folders)
      .filter((plugin) => plugin.kind === kind.name)
      .map((plugin) => plugin.name),
  ]
  const near = nearest(name, names)
  const installed = `Installed: ${names.length > 0 ? names.join(', ') : `no ${kind.name} at all`}.`
  const install = /^[\w-]{1,100}$/.test(name) ? ` If it is a package: npm install @attune/${kind.name}-${name}` : ''
  return new AttuneError(
    'UNKNOWN_PLUGIN',
    `unknown ${kind.name} ${JSON.stringify(name.slice(0, 200))}${at === undefined ? '' : ` (${at})`}; searched from ${[...new Set(folders.map((folder) => resolve(folder)))].join(', ')}`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : installed + install,
  )
}

/**
 * Resolves a plugin specifier of the user, in this order: a registered plugin, an installed plugin by name, a plugin installed in a
 * local folder, a path or package that exports a plugin.
 * @param at location of the specifier in the configuration, for error messages
 * @throws AttuneError `UNKNOWN_PLUGIN`, `NOT_A_PLUGIN`, `PLUGIN_BROKEN`, `CORE_MISMATCH`.
 *
 * @example
 * ```ts
 * import { SCHEDULER, userSpecifier } from '@attune/core'
 * import { findPlugin } from '@attune/resolve'
 * const { plugin, origin } = await findPlugin(SCHEDULER, userSpecifier('cosine'), { folders: [process.cwd()] })
 * console.log(plugin.name, origin.specifier) // cosine cosine
 * ```
 */
export async function findPlugin(
  kind: Kind<unknown>,
  name: UserSpecifier,
  search: SearchPaths,
  at?: string,
): Promise<Found> {
  const registered = registeredAs(kind, name, search)
  if (registered !== undefined) return registered
  const { folders, local = [] } = search
  for (const [isLocal, searched] of [folders, local].entries()) {
    const installed = installedPlugins(searched).find((entry) => entry.kind === kind.name && entry.name === name)
    if (installed !== undefined) return loadInstalled(kind, name, installed, isLocal === 1)
  }
  const path = locateModule(name, [...local, ...folders])
  if (path === undefined) throw unknownPlugin(kind, name, search, at)
  return loadFrom(kind, path, name)
}

/**
 * Resolves a plugin name from a file: a registered or installed plugin of exactly that name. Paths, packages and local folders are
 * not searched, and nothing else is imported.
 * @param recorded the package and version in the file: among several copies of the plugin, the one that matches both is preferred,
 *   then the first of that package, then the first
 * @throws AttuneError `UNKNOWN_PLUGIN`, `NOT_A_PLUGIN`, `PLUGIN_BROKEN`, `CORE_MISMATCH`.
 */
export async function findInstalled(
  kind: Kind<unknown>,
  name: FileName,
  search: SearchPaths,
  recorded: Pick<Origin, 'package' | 'version'> = {},
): Promise<Found> {
  const registered = registeredAs(kind, name, search)
  if (registered !== undefined) return registered
  const copies = pluginCopies(search.folders).filter((entry) => entry.kind === kind.name && entry.name === name)
  const ofPackage = copies.filter((entry) => entry.package === recorded.package)
  const installed = ofPackage.find(({ version }) => version === (recorded.version ?? '')) ?? ofPackage[0] ?? copies[0]
  if (installed === undefined) throw unknownPlugin(kind, name, { ...search, local: [] }, 'named in a file')
  return loadInstalled(kind, name, installed, false)
}

/**
 * Completes the origin of a plugin that a program passed as a value: adds its package and version if it is an installed plugin.
 */
export async function identify<T extends Found>(found: T, { folders }: SearchPaths): Promise<T> {
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
 * Resolves the installed plugin whose package declares that it reads a file type. Otherwise like {@link findInstalled}.
 * @returns undefined if there is none
 */
export async function findReader(kind: Kind<unknown>, type: FileName, search: SearchPaths): Promise<Found | undefined> {
  const installed = installedPlugins(search.folders).find(
    (entry) => entry.kind === kind.name && entry.reads.includes(type),
  )
  return installed && loadInstalled(kind, installed.name, installed, false)
}

/**
 * Imports the plugin that a module exports. The caller must ensure that the user named or trusts the module.
 * @throws AttuneError `NOT_A_PLUGIN`, `PLUGIN_BROKEN`, `CORE_MISMATCH`.
 */
export async function loadFrom(kind: Kind<unknown>, path: string, specifier: string): Promise<Found> {
  const { directory, ...of } = packageAt(path) ?? {}
  if (directory !== undefined) checkCore(directory, specifier)
  return { plugin: await load(() => path, kind, specifier), origin: { specifier, ...of, path } }
}
