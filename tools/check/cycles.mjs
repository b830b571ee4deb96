// @ts-check
/** Rejects import cycles between the files of a package. Cycles between packages are prevented by the lint rules. */
import { importsOf, resolveRelative } from './imports.mjs'
import { isProgram, packagesIn, report } from './packages.mjs'

/**
 * One cycle for each file that is part of a cycle, without duplicates.
 * @param {Readonly<Record<string, readonly string[]>>} graph imports of each file
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
  return { problems, summary: `${count} files without import cycles` }
}

if (isProgram(import.meta.url)) report(cycles(packagesIn()))
