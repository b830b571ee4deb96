// @ts-check
/** That nothing grows too large: plugins, core, and the files that configure a package. */
import { codeLines, isProgram, packagesIn, report, sourcesOf } from './packages.mjs'

const MEDIAN_OF_PLUGINS = 60
const PLUGIN = 300
const MODEL = 400
const CORE = 1500
const MANIFEST = 30
/** More for each further entry of a package. */
const ENTRY = 3

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/**
 * Counts lines of code, without tests, comments and blank lines; in a package.json, lines that are more than a bracket.
 * @param {import('./packages.mjs').Package[]} packages
 */
export function budgets(packages) {
  const size = (/** @type {import('./packages.mjs').Package} */ each) =>
    sourcesOf(each).reduce((sum, [, text]) => sum + codeLines(text), 0)
  const plugins = packages.filter(({ group }) => group === 'plugins')
  const core = packages.filter(({ folder }) => folder === 'packages/core').map(size)[0] ?? 0
  // A model is an architecture whole, and has a budget of its own.
  const isModel = (/** @type {import('./packages.mjs').Package} */ { short }) => short.startsWith('model-')
  const middle = median(plugins.filter((each) => !isModel(each)).map(size))
  const problems = [
    ...(middle > MEDIAN_OF_PLUGINS
      ? [`the median plugin has ${middle} lines of code; ${MEDIAN_OF_PLUGINS} at most`]
      : []),
    ...(core > CORE ? [`packages/core has ${core} lines of code; ${CORE} at most`] : []),
  ]
  for (const plugin of plugins) {
    const most = isModel(plugin) ? MODEL : PLUGIN
    if (size(plugin) > most) problems.push(`${plugin.folder} has ${size(plugin)} lines of code; ${most} at most`)
  }
  for (const { folder, manifest, manifestText } of packages) {
    const most = MANIFEST + ENTRY * (Object.keys(manifest.exports ?? { '.': '' }).length - 1)
    const lines = manifestText.split('\n').filter((line) => /\w/.test(line)).length
    if (lines > most) problems.push(`${folder}/package.json says ${lines} things; ${most} at most`)
  }
  return { problems, summary: `median plugin ${middle} lines of code, core ${core}` }
}

if (isProgram(import.meta.url)) report(budgets(packagesIn()))
