// @ts-check
/**
 * Prints the disk usage of an install by package, largest first: of the given packages, or of everything that `npm start` needs. Counts the
 * installed files; never fails.
 *
 *     node tools/check/install-size.mjs [package …]
 */
import { existsSync, lstatSync, readFileSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { isProgram, root } from './packages.mjs'
import { table } from './table.mjs'

const MAIN_JOB = ['@attune/core', '@attune/trainer', '@attune/cli'].concat(
  ['tokenizer-wordpiece', 'model-bert', 'objective-sequence-classification', 'adapter-full', 'engine-onnxruntime'].map(
    (name) => `@attune/${name}`,
  ),
  ['optimizer-adamw', 'scheduler-linear', 'metric-accuracy', 'metric-f1', 'source-jsonl', 'protocol-holdout'].map(
    (name) => `@attune/${name}`,
  ),
  ['callback-checkpoint', 'tracker-console', 'tracker-jsonl'].map((name) => `@attune/${name}`),
)

/** Size in bytes of the published files of a package; for packages of this repository, of the build. @param {string} folder @returns {number} */
const bytesIn = (folder) =>
  readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sum + (['node_modules', 'src'].includes(entry.name) ? 0 : bytesIn(path))
    return sum + (/\.test\./.test(entry.name) ? 0 : lstatSync(path).size)
  }, 0)

/** Folder of a dependency: the nested copy if there is one, else the hoisted one. @param {string} name @param {string} by */
const folderOf = (name, by) =>
  [join(by, 'node_modules', name), join(root, 'node_modules', name)].find((folder) => existsSync(folder))

/** Folders of packages and all their dependencies. @param {readonly string[]} names */
export function needed(names) {
  /** @type {Map<string, string>} */
  const found = new Map()
  const enter = (/** @type {string} */ name, /** @type {string} */ by) => {
    const folder = folderOf(name, by)
    if (folder === undefined || found.has(folder)) return
    found.set(folder, name)
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const optional = manifest.peerDependenciesMeta ?? {}
    const peers = Object.keys(manifest.peerDependencies ?? {}).filter((peer) => optional[peer]?.optional !== true)
    const own = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
    for (const each of [...own, ...peers]) enter(each, realpathSync(folder))
  }
  for (const name of names) enter(name, root)
  return found
}

if (isProgram(import.meta.url)) {
  const named = process.argv.slice(2)
  const sizes = [...needed(named.length > 0 ? named : MAIN_JOB)]
    .map(([folder, name]) => /** @type {const} */ ([name, bytesIn(realpathSync(folder))]))
    .sort(([, a], [, b]) => b - a)
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1)
  const own = sizes.filter(([name]) => name.startsWith('@attune/'))
  const sum = (/** @type {typeof sizes} */ rows) => megabytes(rows.reduce((total, [, bytes]) => total + bytes, 0))
  console.log(
    table(
      ['package', 'MB'],
      [
        ...sizes.slice(0, 12).map(([name, bytes]) => [name, megabytes(bytes)]),
        [`${own.length} packages of Attune`, sum(own)],
        [`all ${sizes.length} packages`, sum(sizes)],
      ],
    ),
  )
}
