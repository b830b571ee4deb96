// @ts-check
/** Prints the lines of code of each package; never fails. */
import { codeLines, isProgram, isTest, packagesIn } from './packages.mjs'

/** @param {import('./packages.mjs').Package[]} packages */
export const lines = (packages) =>
  packages.map(({ folder, files }) => {
    const count = (/** @type {boolean} */ tests) =>
      Object.entries(files)
        .filter(([path]) => isTest(path) === tests)
        .reduce((sum, [, text]) => sum + codeLines(text), 0)
    return { package: folder, source: count(false), tests: count(true) }
  })

if (isProgram(import.meta.url)) {
  const rows = lines(packagesIn())
  const total = (/** @type {'source' | 'tests'} */ column) => rows.reduce((sum, row) => sum + row[column], 0)
  const print = (
    /** @type {string} */ name,
    /** @type {string | number} */ source,
    /** @type {string | number} */ tests,
  ) => console.log(`${name.padEnd(48)}${String(source).padStart(8)}${String(tests).padStart(8)}`)
  print('lines of code in', 'source', 'tests')
  for (const row of rows) print(row.package, row.source, row.tests)
  print('all', total('source'), total('tests'))
}
