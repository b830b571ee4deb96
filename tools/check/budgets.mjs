// @ts-check
/** Size limits of plugins, core and package.json files. */
import { REGISTRY_FIELDS } from '../release/registry-fields.mjs'
import { codeLines, isProgram, packagesIn, report, sourcesOf } from './packages.mjs'

const MEDIAN_OF_PLUGINS = 60
const PLUGIN = 300
const MODEL = 400
/** Limits of plugins that are built on a function of floor 1, by its name: a task with one target per text, and a BERT-like family. */
const BUILT_ON = { classificationItems: 80, encoderModel: 100 }
const CORE = 1500
const MANIFEST = 30
/** The plugin's entry in NamedPlugins, which has the same size everywhere and is not counted. */
const REGISTRATION = /^declare module '@attune\/core' \{\n {2}interface NamedPlugins \{[\s\S]*?\n\}\n/m
/** Fields that say what is packed, which are not counted. */
const PACKED = ['bin', 'files', 'scripts']

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** Number of Attune packages among the dependencies. @param {Record<string, any>} manifest */
const ownDependencies = ({ dependencies = {} }) =>
  Object.keys(dependencies).filter((name) => name.startsWith('@attune/')).length

/** True if the sources of a package name a function. @param {import('./packages.mjs').Package} each @param {string} name */
const uses = (each, name) => sourcesOf(each).some(([, text]) => new RegExp(`\\b${name}\\b`).test(text))

/**
 * Counts lines of code without tests, comments and blank lines; in a package.json, lines that contain a word, without the fields for
 * the registry.
 * @param {import('./packages.mjs').Package[]} packages
 */
export function budgets(packages) {
  const size = (/** @type {import('./packages.mjs').Package} */ each) =>
    sourcesOf(each).reduce((sum, [, text]) => sum + codeLines(text.replace(REGISTRATION, '')), 0)
  const plugins = packages.filter(({ group }) => group === 'plugins')
  const core = packages.filter(({ folder }) => folder === 'packages/core').map(size)[0] ?? 0
  // A model is a complete architecture and has its own limit.
  const isModel = (/** @type {import('./packages.mjs').Package} */ { short }) => short.startsWith('model-')
  const middle = median(plugins.filter((each) => !isModel(each)).map(size))
  const problems = [
    ...(middle > MEDIAN_OF_PLUGINS
      ? [`expected at most ${MEDIAN_OF_PLUGINS} lines of code in the median plugin, got ${middle}`]
      : []),
    ...(core > CORE ? [`expected at most ${CORE} lines of code in packages/core, got ${core}`] : []),
  ]
  for (const plugin of plugins) {
    const general = isModel(plugin) ? MODEL : PLUGIN
    const limit = Math.min(
      general,
      ...Object.entries(BUILT_ON).map(([name, most]) => (uses(plugin, name) ? most : general)),
    )
    if (size(plugin) > limit)
      problems.push(`expected at most ${limit} lines of code in ${plugin.folder}, got ${size(plugin)}`)
  }
  for (const { folder, manifest } of packages) {
    // A separate entry for Node.js and dependencies on other Attune packages are not counted: they keep installs small.
    const excluded = 3 * (Object.keys(manifest.exports ?? {}).length - 1) + Math.max(0, ownDependencies(manifest) - 8)
    const own = Object.fromEntries(
      Object.entries(manifest).filter(([field]) => ![...REGISTRY_FIELDS, ...PACKED].includes(field)),
    )
    const counted = JSON.stringify(own, null, 2)
      .split('\n')
      .filter((line) => /\w/.test(line)).length
    const lines = counted - Math.max(0, excluded)
    if (lines > MANIFEST) problems.push(`expected at most ${MANIFEST} lines in ${folder}/package.json, got ${lines}`)
  }
  return { problems, summary: `median plugin ${middle} lines of code, core ${core}` }
}

if (isProgram(import.meta.url)) report(budgets(packagesIn()))
