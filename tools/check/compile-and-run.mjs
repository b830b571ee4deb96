// @ts-check
/** Compiles programs together, and runs each in a folder of its own from which the packages are found. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './packages.mjs'

/**
 * A program. Its name stands in messages, and is its folder unless that is given; `file` is its file without extension. `files` are
 * written to the folder before it runs. It runs unless `runs` is false, and must print something unless `silent`.
 * @typedef {{
 *   name: string, code: string, folder?: string, file?: string, files?: Record<string, string>, runs?: boolean, silent?: boolean
 * }} Snippet
 */

const COMPILER = join(root, 'node_modules/typescript-native/bin/tsc')
const JEST = join(root, 'node_modules/jest/bin/jest.js')
const PROGRAMS = join(import.meta.dirname, 'run-programs.mjs')
/** A program that runs longer is stopped, however busy the machine is. */
const TIMEOUT_SECONDS = 1800

/** Unlike in the packages, the value at an index counts as defined: snippets are written to be read. */
const COMPILER_OPTIONS = { target: 'ES2022', module: 'NodeNext', strict: true, skipLibCheck: true, types: ['node'] }

/** @param {Snippet} snippet */
const pathOf = ({ name, folder = name, file = 'snippet' }) => ({ folder, file })

/** Writes programs into their folders and compiles them; returns the compiler's errors. @param {string} folder @param {readonly Snippet[]} snippets */
export function compile(folder, snippets) {
  if (snippets.length === 0) return []
  const paths = snippets.map((snippet) => pathOf(snippet)).map((path) => `${path.folder}/${path.file}.ts`)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: paths }))
  for (const [i, { code }] of snippets.entries()) {
    const path = join(folder, String(paths[i]))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, code.includes('import ') ? code : `${code}\nexport {}\n`)
  }
  const { stdout } = spawnSync(process.execPath, [COMPILER, '-p', folder, '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const named = (/** @type {string} */ line) => {
    const at = paths.findIndex((path) => line.startsWith(`${path}(`))
    return at < 0 ? line : `${String(snippets[at]?.name)}: ${line.slice(String(paths[at]).length)}`
  }
  return stdout
    .split('\n')
    .filter((line) => /^\S.*: error /.test(line))
    .map(named)
}

/** True if a program is a test. @param {Snippet} snippet */
const isTest = ({ code }) => code.includes("from '@attune/testkit'")

/** The command that runs a program: Node.js, or Jest for a test. @param {string} cwd @param {Snippet} snippet */
function commandFor(cwd, snippet) {
  const { file } = pathOf(snippet)
  if (!isTest(snippet)) return [`${file}.js`]
  const config = { rootDir: cwd, testMatch: [`**/${file}.js`], transform: {}, testEnvironment: 'node' }
  return ['--experimental-vm-modules', '--no-warnings', JEST, '--config', JSON.stringify(config)]
}

/** Prepares the folder of a program: its files, and the repository's examples. @param {string} cwd @param {Record<string, string>} files */
export function prepare(cwd, files) {
  if (!existsSync(join(cwd, 'examples'))) symlinkSync(join(root, 'examples'), join(cwd, 'examples'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), text)
  }
}

/**
 * Runs one program; returns its problems.
 * @param {string} folder @param {Snippet} snippet @returns {Promise<string[]>}
 */
export const run = (folder, snippet, seconds = TIMEOUT_SECONDS) =>
  new Promise((resolve) => {
    const { name, files = {}, runs = true, silent = false } = snippet
    if (!runs) return resolve([])
    const cwd = join(folder, pathOf(snippet).folder)
    prepare(cwd, files)
    const child = spawn(process.execPath, commandFor(cwd, snippet), { cwd, timeout: 1000 * seconds })
    const output = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => void (output.stdout += chunk))
    child.stderr.on('data', (chunk) => void (output.stderr += chunk))
    child.on('close', (status, signal) => {
      if (signal !== null) resolve([`${name}: not done after ${seconds} seconds`])
      else if (status !== 0) resolve([`${name}: exit code ${status}\n${output.stderr.trim()}`])
      else resolve(silent || (output.stdout + output.stderr).trim() !== '' ? [] : [`${name}: printed nothing`])
    })
  })

/**
 * The process that a program shares with others: none for a test. Programs that compute with TF.js directly share one if they use its CPU
 * backend, and have none if they start another engine, which would replace the backend for those after them.
 * @param {Snippet} snippet @returns {'alone' | 'cpu' | 'any'}
 */
function processOf(snippet) {
  if (isTest(snippet)) return 'alone'
  if (!snippet.code.includes("from '@tensorflow/")) return 'any'
  return /from '@attune\/(jit|trainer|engine-(?!tfjs-cpu))/.test(snippet.code) ? 'alone' : 'cpu'
}

/**
 * Runs programs one after the other, most of them in two processes; returns their problems.
 * @param {string} folder @param {readonly Snippet[]} snippets
 */
export async function runTogether(folder, snippets) {
  const wanted = snippets.filter(({ runs = true }) => runs)
  // Programs of one folder stay in order: one may read what another wrote.
  const folderOf = (/** @type {Snippet} */ snippet) => pathOf(snippet).folder
  const separate = new Set(wanted.filter((snippet) => processOf(snippet) === 'alone').map(folderOf))
  const kindOf = (/** @type {Snippet} */ snippet) => (separate.has(folderOf(snippet)) ? 'alone' : processOf(snippet))
  const problems = []
  for (const kind of ['any', 'cpu']) {
    const together = wanted.filter((snippet) => kindOf(snippet) === kind)
    if (together.length > 0) problems.push(...(await inOneProcess(folder, together)))
  }
  for (const snippet of wanted.filter((one) => kindOf(one) === 'alone')) problems.push(...(await run(folder, snippet)))
  return problems
}

/** @param {string} folder @param {readonly Snippet[]} snippets @returns {Promise<string[]>} */
const inOneProcess = (folder, snippets) =>
  new Promise((resolve) => {
    const list = join(mkdtempSync(join(folder, 'programs-')), 'list.json')
    const programs = snippets.map((snippet) => {
      const path = pathOf(snippet)
      const cwd = join(folder, path.folder)
      return { cwd, file: join(cwd, `${path.file}.js`), files: snippet.files ?? {} }
    })
    writeFileSync(list, JSON.stringify(programs))
    const child = spawn(process.execPath, ['--no-warnings', PROGRAMS, list], { timeout: 1000 * TIMEOUT_SECONDS })
    const output = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => void (output.stdout += chunk))
    child.stderr.on('data', (chunk) => void (output.stderr += chunk))
    child.on('close', (status, signal) => {
      /** @type {import('./run-programs.mjs').Ended[]} */
      const ended = output.stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
      const problems = snippets.slice(0, ended.length).flatMap(({ name, silent = false }, i) => {
        const { errors, printed } = ended[i] ?? { errors: [], printed: false }
        return errors.length > 0 || silent || printed
          ? errors.map((e) => `${name}: ${e}`)
          : [`${name}: printed nothing`]
      })
      const unfinished = snippets[ended.length]
      if (unfinished !== undefined)
        problems.push(`${unfinished.name}: did not end (${signal ?? `exit code ${status}`})\n${output.stderr.trim()}`)
      resolve(problems)
    })
  })
