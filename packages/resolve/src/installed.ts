import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

/**
 * An installed package that declares a plugin in its package.json:
 * `"attune": { "kind": …, "name": …, "reads"?: […], "preference"?: … }`.
 */
export interface PluginPackage {
  readonly kind: string
  readonly name: string
  /** Types of files that the plugin reads, as the files state them (`model_type`, the type of a tokenizer). Default: its name. */
  readonly reads: readonly string[]
  readonly package: string
  readonly version: string
  readonly description: string
  readonly directory: string
  /** Where several plugins can do the same work and none is named, the one with the greatest is taken. */
  readonly preference?: number
}

/** The content of a package.json; undefined if it is absent or not JSON. */
export function readManifest(directory: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Record<string, unknown>
  } catch {
    return undefined
  }
}

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : [])

/** Every `node_modules` folder that a module in `folder` would search, nearest first. */
export function moduleFolders(folder: string): string[] {
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
 * All plugin packages that are installed for these folders, copies of one another among them, in the order in which names lead to
 * them. In a folder and scope, packages under their own names precede aliases (`npm install attune-plugin-old@npm:attune-plugin-x@1`).
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

/** The plugin packages that are installed for these folders; of two with the same kind and name, the one found first. */
export function installedPlugins(folders: readonly string[]): PluginPackage[] {
  const found = new Map<string, PluginPackage>()
  for (const plugin of pluginCopies(folders)) {
    const name = `${plugin.kind} ${plugin.name}`
    if (!found.has(name)) found.set(name, plugin)
  }
  return [...found.values()].sort((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1))
}
