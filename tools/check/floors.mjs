// @ts-check
/**
 * The table of imports by floor: how many modules of a floor import packages of another. An import must not point up, and no plugin
 * imports a plugin.
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

/** Imports of Attune's packages, from package to package. @param {import('./packages.mjs').Package[]} packages */
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
        `${from.folder}/${path} on floor ${floorOf(from)} imports ${to.manifest.name} on floor ${floorOf(to)}`,
    )
  return { problems, summary: `${edges.length} imports between ${packages.length} packages, none up` }
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
  return table(['floor', 'packages', 'lines of code', ...NAMES.map((_, floor) => `imports of ${floor}`)], rows)
}

if (isProgram(import.meta.url)) {
  const packages = packagesIn()
  console.log(floorsTable(packages))
  report(floors(packages))
}
