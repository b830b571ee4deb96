// @ts-check
/**
 * Checks the code in the documentation. Programs in READMEs ("## Use") and in docs/start, docs/concepts and docs/guides, and examples
 * in docstrings, are compiled together and run; configurations are validated without training; command lines are compared with the
 * program's definition. Arguments restrict the check to package folders; `root` is the front page, `docs` the pages under docs.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { commandLines } from './command-lines.mjs'
import { compile, run, runTogether } from './compile-and-run.mjs'
import { examplesOf } from './examples.mjs'
import { pageConfigs, validator } from './page-configs.mjs'
import { programsOf, shortened } from './page-programs.mjs'
import { TEACHING, pagesUnder } from './pages.mjs'
import { isProgram, packagesIn, report, root } from './packages.mjs'
import { fences } from './readmes.mjs'
import { programOf } from './reference/cli.mjs'
import { runExamples } from './run-all-examples.mjs'

/** @typedef {import('./compile-and-run.mjs').Snippet} Snippet */

export { compile, run }

const AT_ONCE = 2

/** Applies a function to each item, a few at once; the results in order. @template T, R @param {readonly T[]} items @param {(item: T) => Promise<R>} work */
async function eachOf(items, work) {
  /** @type {R[]} */
  const results = []
  const waiting = [...items.entries()]
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results[next[0]] = await work(next[1])
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return results
}

/** Deals programs out to a few processes; those of one folder stay together, in order. @param {readonly Snippet[]} programs */
function dealt(programs) {
  const folderOf = (/** @type {Snippet} */ { folder, name }) => folder ?? name
  const folders = [...new Set(programs.map(folderOf))]
  return Array.from({ length: AT_ONCE }, (_, share) =>
    programs.filter((program) => folders.indexOf(folderOf(program)) % AT_ONCE === share),
  )
}

/**
 * Compiles and runs programs and examples.
 * @param {readonly Snippet[]} programs @param {ReturnType<typeof examplesOf>['groups']} [groups]
 */
export async function snippets(programs, groups = []) {
  // Inside the repository, so that the packages are found; named dist, so that other checks ignore it.
  const dist = join(root, 'tools/check/dist')
  mkdirSync(dist, { recursive: true })
  const folder = mkdtempSync(join(dist, 'snippets-'))
  const examples = groups.flatMap((group) =>
    group.examples.map((example, i) => ({
      name: example.at,
      folder: group.folder,
      file: `example-${i}`,
      code: example.code,
    })),
  )
  try {
    const mistyped = compile(folder, [...programs, ...examples])
    const failed = await eachOf(dealt(programs), (share) => runTogether(folder, share))
    const wrong = await eachOf(groups, (group) => runExamples(folder, group))
    const summary = `${programs.length} programs and ${examples.length} examples compile and run`
    return { problems: [...mistyped, ...failed.flat(), ...wrong.flat()], summary }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The program of the root README, shortened. */
function rootProgram() {
  const [code = ''] = fences(readFileSync(join(root, 'README.md'), 'utf8'), 'Quick start', 'ts')
  return { name: 'root', code: shortened(code) }
}

/** The programs of packages' READMEs, by name of folder. @param {import('./packages.mjs').Package[]} packages */
export const snippetsOf = (packages) =>
  packages.flatMap(({ short, readme }) => fences(readme, 'Use', 'ts').map((code) => ({ name: short, code })))

if (isProgram(import.meta.url)) {
  const chosen = process.argv.slice(2)
  const isChosen = (/** @type {string} */ name) => chosen.length === 0 || chosen.includes(name)
  const all = packagesIn()
  const packages = all.filter(({ short }) => isChosen(short))
  const pages = isChosen('docs') ? pagesUnder(TEACHING) : []
  const readmes = packages.map(({ folder, readme }) => ({ path: `${folder}/README.md`, text: readme }))
  const front = isChosen('root') ? [{ path: 'README.md', text: readFileSync(join(root, 'README.md'), 'utf8') }] : []
  const everyPage = [...front, ...(isChosen('docs') ? pagesUnder(['docs']) : []), ...readmes]
  const { groups, problems } = examplesOf(packages)
  const findings = [
    commandLines(packages, everyPage, await programOf(all)),
    ...(pages.length === 0 ? [] : [await pageConfigs(pages, await validator())]),
    await snippets(
      [...(isChosen('root') ? [rootProgram()] : []), ...snippetsOf(packages), ...pages.flatMap(programsOf)],
      groups,
    ),
  ]
  report({
    problems: [...problems, ...findings.flatMap((finding) => finding.problems)],
    summary: findings.map(({ summary }) => summary).join('; '),
  })
}
