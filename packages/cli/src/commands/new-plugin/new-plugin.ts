import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AttuneError, nearest } from '@attune/core'
import { Command } from 'commander'
import { type PackageFiles, isImported, packageNameOf, pluginFiles, templateKinds, variableOf } from './plugin-files.js'

/** Words that are not allowed as variables in a module. */
const RESERVED =
  /^(arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|undefined|var|void|while|with|yield)$/

/** @throws AttuneError `UNKNOWN_KIND` */
function requireTemplate(kind: string): void {
  const kinds = templateKinds()
  if (kinds.includes(kind)) return
  const near = nearest(kind, kinds)
  throw new AttuneError(
    'UNKNOWN_KIND',
    `expected a kind of plugin, got "${kind}"`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Use one of: ${kinds.join(', ')}.`,
  )
}

/** @throws AttuneError `BAD_USAGE` */
function requireName(kind: string, name: string): void {
  const remedy = `Choose another name, such as "my-${kind}".`
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new AttuneError('BAD_USAGE', `expected a name in kebab-case, got "${name}"`, remedy)
  const variable = variableOf(name)
  if (RESERVED.test(variable) || isImported(kind, variable))
    throw new AttuneError(
      'BAD_USAGE',
      `expected a name that is free as a variable in the code of the plugin, got "${name}"`,
      remedy,
    )
}

/** @throws AttuneError `FILE_EXISTS` unless the folder is absent or empty */
function requireFree(directory: string): void {
  if (!existsSync(directory) || (statSync(directory).isDirectory() && readdirSync(directory).length === 0)) return
  throw new AttuneError(
    'FILE_EXISTS',
    `${directory} exists, and is not overwritten`,
    'Name another folder: --directory FOLDER.',
  )
}

/** @throws AttuneError `CANNOT_WRITE` */
function write(directory: string, files: PackageFiles): void {
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), text, { flag: 'wx' })
    }
  } catch (cause) {
    throw new AttuneError(
      'CANNOT_WRITE',
      `${directory} could not be written: ${(cause as Error).message}`,
      'Name a folder in a writable one: --directory FOLDER.',
      { cause },
    )
  }
}

function newPlugin(kind: string, name: string, flags: { readonly directory?: string }): void {
  requireTemplate(kind)
  requireName(kind, name)
  const { directory = packageNameOf(kind, name) } = flags
  requireFree(directory)
  write(directory, pluginFiles(kind, name))
  process.stdout.write(
    [
      `Wrote ${directory}: a working ${kind}, a README and a test with the contract suite of its kind.`,
      `Try it: cd ${directory} && npm install && npm test`,
      'Then replace the technique, its texts and the expected values of the test.',
      '',
    ].join('\n'),
  )
}

/** `attune plugins new` */
export const newPluginCommand = (): Command =>
  new Command('new')
    .description('Writes a package with a working plugin of a kind, for you to change, a README and a contract test.')
    .argument('<kind>', templateKinds().join(', '))
    .argument('<name>', 'name in configurations, in kebab-case')
    .option('--directory <folder>', 'folder to write (default: attune-plugin-<kind>-<name>)')
    .addHelpText('after', '\nExample:\n  npx attune plugins new metric kappa')
    .action(newPlugin)
