// @ts-check
/** That no file of a package imports itself by way of others. Between packages, the linter's floors see to it. */
import { importsOf, resolveRelative } from './imports.mjs'
import { isProgram, packagesIn, report } from './packages.mjs'

/**
 * A cycle through each file that is on one, each cycle once.
 * @param {Readonly<Record<string, readonly string[]>>} graph what each file imports
 * @returns {string[][]}
 */
export function cyclesIn(graph) {
  /** @type {Map<string, 'open' | 'done'>} */
  const state = new Map()
  /** @type {string[][]} */
  const found = []
  const visit = (/** @type {string} */ file, /** @type {string[]} */ path) => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') return void found.push([...path.slice(path.indexOf(file)), file])
    state.set(file, 'open')
    for (const next of graph[file] ?? []) visit(next, [...path, file])
    state.set(file, 'done')
  }
  for (const file of Object.keys(graph)) visit(file, [])
  return found
}

/** @param {import('./packages.mjs').Package[]} packages */
export function cycles(packages) {
  const problems = packages.flatMap(({ folder, files }) => {
    const graph = Object.fromEntries(
      Object.entries(files).map(([path, text]) => [
        path,
        importsOf(text)
          .filter((name) => name.startsWith('.'))
          .map((name) => resolveRelative(path, name)),
      ]),
    )
    return cyclesIn(graph).map((cycle) => `${folder}: ${cycle.join(' → ')}`)
  })
  const count = packages.reduce((sum, { files }) => sum + Object.keys(files).length, 0)
  return { problems, summary: `${count} files, none of which imports itself` }
}

if (isProgram(import.meta.url)) report(cycles(packagesIn()))
