import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { AttuneError } from './error.js'
import type { Kind } from './kind.js'
import { nearest } from './nearest.js'
import { type AnyPlugin, isPlugin } from './plugin.js'

/** Where plugins are looked for. */
export interface SearchPlaces {
  /** Plugins that need no looking up, such as ones defined in the calling program. */
  readonly registered?: readonly AnyPlugin[]
  /** Folders whose `node_modules`, and whose parents' `node_modules`, are searched, in this order. */
  readonly folders: readonly string[]
}

/** An installed package that declares a plugin in its package.json: `"attune": { "kind": …, "name": … }`. */
export interface PluginPackage {
  readonly kind: string
  readonly name: string
  readonly package: string
  readonly version: string
  readonly description: string
  readonly directory: string
}

const readJson = (path: string): Record<string, unknown> | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  } catch {
    return undefined
  }
}

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : [])

/** Every `node_modules` folder that a module in `folder` would search, nearest first. */
function moduleFolders(folder: string): string[] {
  const parent = dirname(folder)
  const rest = parent === folder ? [] : moduleFolders(parent)
  return [join(folder, 'node_modules'), ...rest].filter((path) => existsSync(path))
}

function candidates(modules: string): string[] {
  return list(modules).flatMap((entry) => {
    if (entry === '@attune') return list(join(modules, entry)).map((name) => join(modules, entry, name))
    if (entry.startsWith('attune-plugin-')) return [join(modules, entry)]
    if (!entry.startsWith('@')) return []
    return list(join(modules, entry))
      .filter((name) => name.startsWith('attune-plugin-'))
      .map((name) => join(modules, entry, name))
  })
}

function declared(directory: string): PluginPackage | undefined {
  const manifest = readJson(join(directory, 'package.json'))
  const attune = manifest?.['attune'] as { kind?: unknown; name?: unknown } | undefined
  if (manifest === undefined || typeof attune?.kind !== 'string' || typeof attune.name !== 'string') return undefined
  const text = (key: string): string => (typeof manifest[key] === 'string' ? manifest[key] : '')
  return {
    kind: attune.kind,
    name: attune.name,
    package: text('name'),
    version: text('version'),
    description: text('description'),
    directory,
  }
}

/** The plugin packages that are installed for these folders; of two with the same kind and name, the one found first. */
export function installedPlugins(folders: readonly string[]): PluginPackage[] {
  const found = new Map<string, PluginPackage>()
  const searched = [...new Set(folders.flatMap((folder) => moduleFolders(resolve(folder))))]
  for (const modules of searched) {
    for (const directory of candidates(modules)) {
      const plugin = declared(directory)
      if (plugin === undefined) continue
      const name = `${plugin.kind} ${plugin.name}`
      if (!found.has(name)) found.set(name, plugin)
    }
  }
  return [...found.values()].sort((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1))
}

/** The version of this package, read from its package.json. */
export const coreVersion = (): string =>
  String(readJson(fileURLToPath(new URL('../package.json', import.meta.url)))?.['version'])

/** Whether a caret range such as `^0.1.0` (what plugins declare) or an exact version admits a version. */
export function admits(range: string, version: string): boolean {
  if (!range.startsWith('^')) return range === '*' || range === version
  const parts = (text: string): number[] => text.split('-')[0]!.split('.').map(Number)
  const [least, actual] = [parts(range.slice(1)), parts(version)]
  const fixed = least.findIndex((part) => part > 0)
  const significant = fixed < 0 ? least.length : fixed + 1
  const differs = actual.findIndex((part, i) => part !== least[i])
  return differs < 0 || (differs >= significant && actual[differs]! > least[differs]!)
}

/** Refuses a package that was built for another version of core. */
function checkCore(directory: string, where: string): void {
  const manifest = readJson(join(directory, 'package.json'))
  const range = (manifest?.['peerDependencies'] as Record<string, string> | undefined)?.['@attune/core']
  if (range === undefined || admits(range, coreVersion())) return
  throw new AttuneError(
    'CORE_MISMATCH',
    `${where} ${String(manifest?.['version'])} is made for @attune/core ${range}, and ${coreVersion()} is installed`,
    `Install versions that fit: npm install ${where}@latest @attune/core@latest`,
  )
}

async function load(entry: string, kind: Kind<unknown>, where: string): Promise<AnyPlugin> {
  const module = (await import(pathToFileURL(entry).href)) as { default?: unknown }
  if (isPlugin(module.default) && module.default.kind.name === kind.name) return module.default
  throw new AttuneError(
    'NOT_A_PLUGIN',
    `${where} does not export a ${kind.name} plugin as its default`,
    'Its module must end with `export default definePlugin({ kind, name, summary, options, create })`.',
  )
}

/** The file that `specifier` leads to from one of the folders: a path to a file, or a package. */
function locateModule(specifier: string, folders: readonly string[]): string | undefined {
  for (const folder of folders) {
    try {
      const found = createRequire(join(resolve(folder), 'attune.config')).resolve(specifier)
      if (isAbsolute(found)) return found
    } catch {
      continue
    }
  }
  return undefined
}

function unknownPlugin(kind: Kind<unknown>, name: string, places: SearchPlaces, at: string | undefined): AttuneError {
  const names = [
    ...(places.registered ?? []).filter((plugin) => plugin.kind.name === kind.name).map((plugin) => plugin.name),
    ...installedPlugins(places.folders)
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
    `no ${kind.name} is called "${name}"${at === undefined ? '' : ` (${at})`}; searched from ${[...new Set(places.folders.map((folder) => resolve(folder)))].join(', ')}`,
    `${hint} If it is a package: npm install @attune/${kind.name}-${name}`,
  )
}

/**
 * Finds a plugin by name: one already registered; an installed `@attune/<kind>-<name>`; an installed `attune-plugin-*`
 * that declares the kind and name; or a path or package that exports one. `at` is where the name stands, for the error.
 * @throws AttuneError `UNKNOWN_PLUGIN`, `NOT_A_PLUGIN`, `CORE_MISMATCH`.
 */
export async function findPlugin(
  kind: Kind<unknown>,
  name: string,
  places: SearchPlaces,
  at?: string,
): Promise<AnyPlugin> {
  const registered = places.registered?.find((plugin) => plugin.kind.name === kind.name && plugin.name === name)
  if (registered !== undefined) return registered
  const installed = installedPlugins(places.folders).find((entry) => entry.kind === kind.name && entry.name === name)
  if (installed !== undefined) {
    checkCore(installed.directory, installed.package)
    const entry = createRequire(join(installed.directory, 'package.json')).resolve(installed.package)
    return load(entry, kind, installed.package)
  }
  const entry = locateModule(name, places.folders)
  if (entry === undefined) throw unknownPlugin(kind, name, places, at)
  return load(entry, kind, name)
}
