// @ts-check
/**
 * Imports between package layers: counts the imports of each layer from every other one. Rejects imports of a higher layer, and imports
 * between plugins.
 */
import { FLOORS } from '../workspace/infer-projects.mjs'
import { importsOf, packageOf } from './imports.mjs'
import { codeLines, isProgram, packagesIn, report, sourcesOf } from './packages.mjs'
import { table } from './table.mjs'

const PLUGINS = 3
const NAMES = ['core', 'building blocks', 'trainer and its like', 'plugins', 'command line']

/** @param {import('./packages.mjs').Package} each */
const floorOf = ({ group, short }) =>
  group === 'plugins' ? PLUGINS : FLOORS[/** @type {keyof typeof FLOORS} */ (short)]

/** Imports between Attune's packages. @param {import('./packages.mjs').Package[]} packages */
export function edgesOf(packages) {
  const known = new Map(packages.map((each) => [each.manifest.name, each]))
  return packages.flatMap((from) =>
    sourcesOf(from).flatMap(([path, text]) =>
      importsOf(text).flatMap((name) => {
        const to = known.get(packageOf(name))
        return to === undefined || to === from ? [] : [{ from, to, path }]
      }),
    ),
  )
}

/** @param {import('./packages.mjs').Package[]} packages @returns {import('./packages.mjs').Finding} */
export function floors(packages) {
  const edges = edgesOf(packages)
  const problems = edges
    .filter(({ from, to }) => floorOf(to) > floorOf(from) || (from.group === 'plugins' && to.group === 'plugins'))
    .map(
      ({ from, to, path }) =>
        `${from.folder}/${path} in layer ${floorOf(from)} imports ${to.manifest.name} in layer ${floorOf(to)}`,
    )
  return { problems, summary: `${edges.length} imports between ${packages.length} packages, none of a higher layer` }
}

/** @param {import('./packages.mjs').Package[]} packages */
export function floorsTable(packages) {
  const edges = edgesOf(packages)
  const rows = NAMES.map((name, floor) => {
    const here = packages.filter((each) => floorOf(each) === floor)
    const lines = here.flatMap(sourcesOf).reduce((sum, [, text]) => sum + codeLines(text), 0)
    const imports = NAMES.map((_, other) =>
      String(edges.filter(({ from, to }) => floorOf(from) === floor && floorOf(to) === other).length),
    )
    return [`${floor} ${name}`, String(here.length), String(lines), ...imports]
  })
  return table(['layer', 'packages', 'lines of code', ...NAMES.map((_, floor) => `imports of ${floor}`)], rows)
}

if (isProgram(import.meta.url)) {
  const packages = packagesIn()
  console.log(floorsTable(packages))
  report(floors(packages))
}
