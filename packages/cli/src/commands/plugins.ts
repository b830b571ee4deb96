import { type AnyPlugin, AttuneError, type Kind, nearest, userSpecifier } from '@attune/core'
import { findPlugin, installedPlugins } from '@attune/resolve'
import { table } from '@attune/terminal'
import { Command } from 'commander'
import { type OptionRow, optionRows } from '../option-rows.js'
import { searchPathsFrom } from '../search-paths.js'
import { newPluginCommand } from './new-plugin/new-plugin.js'

const searchPaths = searchPathsFrom()
const folders = [...searchPaths.folders, ...(searchPaths.local ?? [])]

/** @throws AttuneError `UNKNOWN_KIND` if plugins are installed, but none of that kind. */
function requireKind(kind: string): void {
  const kinds = [...new Set(installedPlugins(folders).map((plugin) => plugin.kind))]
  if (kinds.length === 0 || kinds.includes(kind)) return
  const near = nearest(kind, kinds)
  throw new AttuneError(
    'UNKNOWN_KIND',
    `no plugin of a kind "${kind}" is installed`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Installed kinds: ${kinds.join(', ')}.`,
  )
}

function listText(kind: string | undefined, json: boolean): string {
  if (kind !== undefined) requireKind(kind)
  const found = installedPlugins(folders).filter((plugin) => kind === undefined || plugin.kind === kind)
  if (json) return JSON.stringify(found)
  const rows = found.map(({ kind: of, name, version, package: from, description }) => [
    of,
    name,
    version,
    from,
    description,
  ])
  return found.length === 0
    ? 'No plugins are installed. For example: npm install @attune/optimizer-adamw'
    : table(['kind', 'name', 'version', 'package', 'description'], rows).join('\n')
}

/** The plugin of a kind and name, resolved as in a configuration. */
async function load(kind: string, name: string): Promise<{ plugin: AnyPlugin; version: string; package: string }> {
  requireKind(kind)
  const { plugin, origin } = await findPlugin({ name: kind } as Kind<unknown>, userSpecifier(name), searchPaths)
  return { plugin, version: origin.version ?? '', package: origin.package ?? '' }
}

const optionTable = (options: readonly OptionRow[]): string => {
  const rows = options.map((option) => [
    option.name,
    option.type,
    option.required ? 'required' : option.default,
    option.scheduled ? `${option.description} (can follow a schedule)` : option.description,
  ])
  return table(['option', 'type', 'default', 'description'], rows).join('\n')
}

async function infoText(kind: string, name: string, json: boolean): Promise<string> {
  const { plugin, version, package: from } = await load(kind, name)
  const { summary, source, exceptions } = plugin
  const options = optionRows(plugin.options)
  const common = plugin.kind.options === undefined ? [] : optionRows(plugin.kind.options)
  if (json) return JSON.stringify({ kind, name, version, package: from, summary, source, exceptions, options, common })
  return [
    `${kind} ${name}, ${from} ${version}`,
    summary,
    ...(source === undefined ? [] : [`Source: ${source}`]),
    ...Object.entries(exceptions ?? {}).map(([property, reason]) => `Exception: ${property}: ${reason}`),
    '',
    options.length === 0 ? 'It has no options.' : optionTable(options),
    ...(common.length === 0 ? [] : ['', `Every ${kind} also takes:`, optionTable(common)]),
  ].join('\n')
}

/** `attune plugins` */
export function pluginsCommand(): Command {
  const command = new Command('plugins')
    .summary('list installed plugins and their options, or write a new one')
    .description('Lists installed plugins, shows their options, and writes new ones.')
  command
    .command('list')
    .description('Lists the installed plugins.')
    .option('--kind <kind>', 'only of this kind')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx attune plugins list --kind optimizer')
    .action((flags: { kind?: string; json?: boolean }) => {
      process.stdout.write(`${listText(flags.kind, flags.json === true)}\n`)
    })
  command
    .command('info')
    .description('Shows what a plugin does, and its options with ranges and defaults.')
    .argument('<kind>')
    .argument('<name>')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx attune plugins info optimizer adamw')
    .action(async (kind: string, name: string, flags: { json?: boolean }) => {
      process.stdout.write(`${await infoText(kind, name, flags.json === true)}\n`)
    })
  return command.addCommand(newPluginCommand())
}
