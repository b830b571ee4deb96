// @ts-check
/**
 * That the snippet under "## Use" of every README is right: all are compiled together, then each is run in a folder of its
 * own from which the packages are found, and must print something. Names of packages' folders narrow it down to them.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isProgram, packagesIn, report, root } from './packages.mjs'
import { fences } from './readmes.mjs'

const COMPILER = join(root, 'node_modules/typescript-native/bin/tsc')
const JEST = join(root, 'node_modules/jest/bin/jest.js')
/** After them a snippet is given up as one that does not end, however busy the machine is. */
const TIMEOUT_SECONDS = 1800
const AT_ONCE = 2

/** Unlike the packages, a snippet may index arrays freely: it is written to be read. */
const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    skipLibCheck: true,
    types: ['node'],
  },
  include: ['*/snippet.ts'],
}

/** Writes the snippets into a folder each and compiles them; what the compiler says. @param {string} folder @param {{ name: string, code: string }[]} snippets */
export function compile(folder, snippets) {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  for (const { name, code } of snippets) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'snippet.ts'), code)
  }
  const { stdout } = spawnSync(process.execPath, [COMPILER, '-p', folder, '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return stdout.split('\n').filter((line) => /^\S.*: error /.test(line))
}

/** How a snippet is run: by Node, or, where it is a test, by Jest. @param {string} cwd @param {string} code */
function commandFor(cwd, code) {
  if (!code.includes("from '@attune/testkit'")) return ['snippet.js']
  const config = { rootDir: cwd, testMatch: ['**/snippet.js'], transform: {}, testEnvironment: 'node' }
  return ['--experimental-vm-modules', '--no-warnings', JEST, '--config', JSON.stringify(config)]
}

/**
 * Runs one snippet; what is wrong with how it went, if anything.
 * @param {string} folder @param {{ name: string, code: string }} snippet @returns {Promise<string[]>}
 */
export const run = (folder, { name, code }, seconds = TIMEOUT_SECONDS) =>
  new Promise((resolve) => {
    const cwd = join(folder, name)
    const child = spawn(process.execPath, commandFor(cwd, code), { cwd, timeout: 1000 * seconds })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => void (said.stdout += chunk))
    child.stderr.on('data', (chunk) => void (said.stderr += chunk))
    child.on('close', (status, signal) => {
      if (signal !== null) resolve([`${name}: not done after ${seconds} seconds`])
      else if (status !== 0) resolve([`${name}: exit code ${status}\n${said.stderr.trim()}`])
      else resolve((said.stdout + said.stderr).trim() === '' ? [`${name}: printed nothing`] : [])
    })
  })

/** Does something with each item, a few at once; the results in order. @template T, R @param {T[]} items @param {(item: T) => Promise<R>} work */
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

/** @param {{ name: string, code: string }[]} all */
export async function snippets(all) {
  // Inside the repository, so that the packages are found; called dist, so that nothing else looks at it.
  const dist = join(root, 'tools/check/dist')
  mkdirSync(dist, { recursive: true })
  const folder = mkdtempSync(join(dist, 'snippets-'))
  try {
    const mistyped = compile(folder, all)
    const failed = await eachOf(all, (snippet) => run(folder, snippet))
    return { problems: [...mistyped, ...failed.flat()], summary: `${all.length} snippets compile, run and print` }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The program of the root's README, cut short: it trains for one pass over the test file, from wherever it is run. */
function rootProgram() {
  const [code = ''] = fences(readFileSync(join(root, 'README.md'), 'utf8'), 'Fifteen lines', 'ts')
  const short = code
    .replace(/epochs: \d+/, 'epochs: 1')
    .replaceAll('train.jsonl.gz', 'test.jsonl.gz')
    .replaceAll("'examples/", `'${root}/examples/`)
  return { name: 'root', code: short }
}

/** The snippets of packages, by name of folder. @param {import('./packages.mjs').Package[]} packages */
export const snippetsOf = (packages) =>
  packages.flatMap(({ short, readme }) => fences(readme, 'Use', 'ts').map((code) => ({ name: short, code })))

if (isProgram(import.meta.url)) {
  const chosen = process.argv.slice(2)
  const packages = packagesIn().filter(({ short }) => chosen.length === 0 || chosen.includes(short))
  const all = snippetsOf(packages)
  report(await snippets(chosen.length === 0 || chosen.includes('root') ? [rootProgram(), ...all] : all))
}
