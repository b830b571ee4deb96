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

/** An installed package that declares a plugin in its package.json: `"attune": { "kind": …, "name": …, "preference"?: … }`. */
export interface PluginPackage {
  readonly kind: string
  readonly name: string
  readonly package: string
  readonly version: string
  readonly description: string
  readonly directory: string
  /** Where several plugins can do the same work and none is named, the one with the greatest is taken. */
  readonly preference?: number
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

/** Folders of packages that may be plugins, Attune's own first: no other scope can take a name of theirs. */
function candidates(modules: string): string[] {
  const own = list(join(modules, '@attune')).map((name) => join(modules, '@attune', name))
  const others = list(modules).flatMap((entry) => {
    if (entry === '@attune') return []
    if (entry.startsWith('attune-plugin-')) return [join(modules, entry)]
    if (!entry.startsWith('@')) return []
    return list(join(modules, entry))
      .filter((name) => name.startsWith('attune-plugin-'))
      .map((name) => join(modules, entry, name))
  })
  return [...own, ...others]
}

function declared(directory: string): PluginPackage | undefined {
  const manifest = readJson(join(directory, 'package.json'))
  const attune = manifest?.['attune'] as Record<'kind' | 'name' | 'preference', unknown> | undefined
  if (manifest === undefined || typeof attune?.kind !== 'string' || typeof attune.name !== 'string') return undefined
  const text = (key: string): string => (typeof manifest[key] === 'string' ? manifest[key] : '')
  return {
    kind: attune.kind,
    name: attune.name,
    package: text('name'),
    version: text('version'),
    description: text('description'),
    directory,
    ...(typeof attune.preference === 'number' ? { preference: attune.preference } : {}),
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

type Version = readonly [number, number, number]

const isBefore = (a: Version, b: Version): boolean => {
  const at = a.findIndex((part, i) => part !== b[i])
  return at >= 0 && a[at]! < b[at]!
}

/** The version that is just beyond what `^`, `~` or a bare version of so many parts allows. */
function beyond(operator: string, [major, minor, patch]: Version, parts: number): Version {
  if (parts === 1 || (operator === '^' && major > 0)) return [major + 1, 0, 0]
  if (operator === '~' || parts === 2 || (operator === '^' && minor > 0)) return [major, minor + 1, 0]
  return [major, minor, patch + 1]
}

function satisfies(comparator: string, version: Version): boolean {
  const match = /^(\^|~|>=|<=|>|<|=)?v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(comparator)
  if (match === null) return comparator === '*' || comparator === ''
  const [, operator = '', ...given] = match
  const numbers = given.filter((part) => part !== undefined).map(Number)
  const least: Version = [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0]
  if (operator === '>=') return !isBefore(version, least)
  if (operator === '<') return isBefore(version, least)
  const end = beyond(operator, least, numbers.length)
  if (operator === '>') return !isBefore(version, end)
  if (operator === '<=') return isBefore(version, end)
  return !isBefore(version, least) && isBefore(version, end)
}

/** Whether an npm version range (`^0.1.0`, `~1.2`, `>=1 <3`, `1.x || 2.x`) admits a version; pre-release tags are ignored. */
export function admits(range: string, version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[-+]/)[0]!.split('.').map(Number)
  const actual: Version = [major, minor, patch]
  const alternatives = range.replace(/([<>=^~])\s+/g, '$1').split('||')
  return alternatives.some((part) =>
    part
      .trim()
      .split(/\s+/)
      .every((comparator) => satisfies(comparator, actual)),
  )
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
    const require = createRequire(join(installed.directory, 'package.json'))
    return load(() => require.resolve(installed.package), kind, installed.package)
  }
  const entry = locateModule(name, places.folders)
  if (entry === undefined) throw unknownPlugin(kind, name, places, at)
  return load(() => entry, kind, name)
}
