import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

/**
 * An installed package that declares a plugin in its package.json:
 * `"attune": { "kind": …, "name": …, "reads"?: […], "preference"?: … }`.
 */
export interface PluginPackage {
  readonly kind: string
  readonly name: string
  /** File types that the plugin reads: the `model_type` of a checkpoint or the type of a tokenizer. Default: its name. */
  readonly reads: readonly string[]
  readonly package: string
  readonly version: string
  readonly description: string
  readonly directory: string
  /** Priority among plugins that can do the same work, if none is named: the highest one is chosen. */
  readonly preference?: number
}

/** Returns the content of a package.json; undefined if it is missing or not JSON. */
export function readManifest(directory: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Record<string, unknown>
  } catch {
    return undefined
  }
}

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : [])

/** Returns the `node_modules` folders that a module in `folder` would search, nearest first. */
export function moduleFolders(folder: string): string[] {
  const parent = dirname(folder)
  const rest = parent === folder ? [] : moduleFolders(parent)
  return [join(folder, 'node_modules'), ...rest].filter((path) => existsSync(path))
}

/** Returns the folders of potential plugin packages, Attune's own first, so that other scopes cannot take their names. */
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
  const manifest = readManifest(directory)
  const attune = manifest?.['attune'] as Record<'kind' | 'name' | 'reads' | 'preference', unknown> | undefined
  if (manifest === undefined || typeof attune?.kind !== 'string' || typeof attune.name !== 'string') return undefined
  const text = (key: string): string => (typeof manifest[key] === 'string' ? manifest[key] : '')
  return {
    kind: attune.kind,
    name: attune.name,
    reads: Array.isArray(attune.reads) ? attune.reads.map(String) : [attune.name],
    package: text('name'),
    version: text('version'),
    description: text('description'),
    directory,
    ...(typeof attune.preference === 'number' ? { preference: attune.preference } : {}),
  }
}

/**
 * Returns all plugin packages installed for these folders, including duplicates, in resolution order. Within a folder and scope,
 * packages under their own names precede aliases (`npm install attune-plugin-old@npm:attune-plugin-x@1`).
 */
export function pluginCopies(folders: readonly string[]): PluginPackage[] {
  const searched = [...new Set(folders.flatMap((folder) => moduleFolders(resolve(folder))))]
  return searched.flatMap((modules) => {
    const found = candidates(modules).flatMap((directory) => declared(directory) ?? [])
    const rank = ({ package: name, directory }: PluginPackage): number => {
      const folder = relative(modules, directory).replaceAll(sep, '/')
      return (folder.startsWith('@attune/') ? 0 : 2) + (folder === name ? 0 : 1)
    }
    return found.sort((a, b) => rank(a) - rank(b))
  })
}

/** Returns the plugin packages installed for these folders; the first of each kind and name in resolution order. */
export function installedPlugins(folders: readonly string[]): PluginPackage[] {
  const found = new Map<string, PluginPackage>()
  for (const plugin of pluginCopies(folders)) {
    const name = `${plugin.kind} ${plugin.name}`
    if (!found.has(name)) found.set(name, plugin)
  }
  return [...found.values()].sort((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1))
}
