// @ts-check
/**
 * Checks that the main entries of core, nn, data, weights and the trainer do not load Node.js modules: follows the imports of the built
 * modules, including dynamic imports and other workspace packages, like a bundler for browsers.
 */
import { existsSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { importsOf, packageOf } from './imports.mjs'
import { isProgram, packagesIn, report, root } from './packages.mjs'

const ENTRIES = ['core', 'nn', 'data', 'weights', 'trainer']

/**
 * Resolves an import to a file; undefined for a package outside the workspace.
 * @param {string} from @param {string} name @param {import('./packages.mjs').Package[]} packages
 */
function fileOf(from, name, packages) {
  if (name.startsWith('.')) return join(dirname(from), name)
  const owner = packages.find(({ directory, manifest }) =>
    name.startsWith('#') ? from.startsWith(`${directory}/`) : manifest.name === packageOf(name),
  )
  if (owner === undefined) return undefined
  const { exports = {}, imports = {} } = owner.manifest
  const target = name.startsWith('#') ? imports[name] : exports[name.replace(owner.manifest.name, '.')]
  return join(owner.directory, target?.browser ?? target?.default ?? `has no ${name}`)
}

/**
 * Node.js modules that an entry loads, each with its import chain.
 * @param {string} entry @param {import('./packages.mjs').Package[]} packages
 */
export function reached(entry, packages) {
  /** @type {{ name: string, chain: string[] }[]} */
  const builtins = []
  const seen = new Set([entry])
  const queue = [{ file: entry, chain: [relative(root, entry)] }]
  for (const { file, chain } of queue) {
    if (!existsSync(file)) throw new Error(`${chain.join(' → ')} is not built: npm run build`)
    for (const name of importsOf(readFileSync(file, 'utf8'))) {
      if (isBuiltin(name)) builtins.push({ name, chain })
      const next = isBuiltin(name) ? undefined : fileOf(file, name, packages)
      if (next === undefined || seen.has(next)) continue
      seen.add(next)
      queue.push({ file: next, chain: [...chain, relative(root, next)] })
    }
  }
  return { builtins, files: seen.size }
}

/** @param {import('./packages.mjs').Package[]} packages */
export function nodeFree(packages) {
  const found = packages
    .filter(({ folder }) => ENTRIES.some((name) => folder === `packages/${name}`))
    .map((each) => reached(join(each.directory, each.manifest.exports['.'].default), packages))
  const problems = found.flatMap(({ builtins }) =>
    builtins.map(({ name, chain }) => `${chain[0]} imports ${name}: ${chain.join(' → ')}`),
  )
  const files = found.reduce((sum, each) => sum + each.files, 0)
  return { problems, summary: `${found.length} entries with ${files} files import no Node.js module` }
}

if (isProgram(import.meta.url)) report(nodeFree(packagesIn()))
