import { ADAPTER, AttuneError, type Found, type SavedAdapter, excerpt, fileName, userSpecifier } from '@attune/core'
import { type SearchPaths, findPlugin, findReader, installedPlugins } from '@attune/resolve'

/**
 * File types of a saved adapter, most specific first: its `peft_type` with each of its switches, as in `LORA use_dora`, then the
 * `peft_type` alone. A plugin declares the types that it reads in its package.json: `"attune": { "reads": ["LORA"] }`.
 */
function typesOf(config: SavedAdapter['config']): readonly string[] {
  const type = config['peft_type']
  if (typeof type !== 'string') return []
  const switches = Object.keys(config).filter((name) => name.startsWith('use_') && config[name] === true)
  return [...switches.sort().map((name) => `${type} ${name}`), type]
}

/**
 * Finds the installed plugin for a saved adapter. Its type is untrusted data: it only selects among the installed plugins by their
 * package metadata.
 * @param use specifier of the plugin; takes precedence
 * @throws AttuneError `BAD_ADAPTER` if no installed plugin reads the type, `UNKNOWN_PLUGIN`
 */
export async function adapterPlugin(
  config: SavedAdapter['config'],
  folder: string,
  searchPaths: SearchPaths,
  use?: string,
): Promise<Found> {
  if (use !== undefined) return findPlugin(ADAPTER, userSpecifier(use), searchPaths)
  for (const type of typesOf(config)) {
    const found = await findReader(ADAPTER, fileName(type), searchPaths)
    if (found !== undefined) return found
  }
  const names = installedPlugins(searchPaths.folders).flatMap(({ kind, name }) => (kind === ADAPTER.name ? [name] : []))
  throw new AttuneError(
    'BAD_ADAPTER',
    `the saved adapter in ${folder} has peft_type ${excerpt(config['peft_type'] ?? null)}, which no installed plugin reads`,
    `Install the plugin of its method, or name it with --use. Installed: ${names.join(', ') || 'none'}.`,
  )
}
