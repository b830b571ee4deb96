// @ts-check
/**
 * A user's first run, outside this clone: all packages are packed and served, and in an empty folder one `npm install` must be enough
 * to write a configuration, train on a CSV file, evaluate and predict. Prints each command with its time, and the size of the install.
 *
 *     node tools/install/first-classifier.mjs [--rows 2000] [--keep]
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { root } from '../check/packages.mjs'
import { packAll, serve } from './registry.mjs'

/** Rows that are not trained on. */
const HELD_OUT = 300
const LARGEST = 5

const { values } = parseArgs({ options: { rows: { type: 'string', default: '2000' }, keep: { type: 'boolean' } } })
const folder = mkdtempSync(join(tmpdir(), 'attune-install-'))
const project = join(folder, 'project')
const tarballs = join(folder, 'tarballs')

/** Rows of examples/debian-sections, in the order of a hash, so that any number of them has all labels. @returns {{ text: string, label: string }[]} */
function rowsOf() {
  const file = join(root, 'examples/debian-sections/train.jsonl.gz')
  const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n')
  const hash = (/** @type {string} */ line) => createHash('sha256').update(line).digest('hex')
  return lines.sort((a, b) => (hash(a) < hash(b) ? -1 : 1)).map((line) => JSON.parse(line))
}

const field = (/** @type {string} */ text) => `"${text.replaceAll('"', '""')}"`

/** @param {string} name @param {{ text: string, label: string }[]} rows */
const writeCsv = (name, rows) =>
  writeFileSync(
    join(project, name),
    `text,label\n${rows.map(({ text, label }) => `${field(text)},${field(label)}\n`).join('')}`,
  )

/** The size of what lies in a folder, in bytes. @param {string} path @returns {number} */
const sizeOf = (path) =>
  readdirSync(path, { withFileTypes: true }).reduce((sum, entry) => {
    const inner = join(path, entry.name)
    return sum + (entry.isDirectory() ? sizeOf(inner) : lstatSync(inner).size)
  }, 0)

/** Runs a command in the project, as a user would type it. @param {string} registry @param {string[]} words @returns {Promise<string>} */
const type = (registry, ...words) =>
  new Promise((resolve, reject) => {
    const begun = performance.now()
    console.log(`\n$ ${words.map((word) => (/[^\w@/.:-]/.test(word) ? JSON.stringify(word) : word)).join(' ')}`)
    const env = { ...process.env, 'npm_config_@attune:registry': registry, NO_COLOR: '1' }
    const [program = '', ...rest] = words
    const child = spawn(program, rest, { cwd: project, env, shell: process.platform === 'win32' })
    child.stdin.end()
    child.stderr.pipe(process.stderr, { end: false })
    let said = ''
    child.stdout.on('data', (chunk) => {
      said += chunk
      process.stdout.write(chunk)
    })
    child.on('error', reject).on('close', (code) => {
      console.log(`  [${((performance.now() - begun) / 60_000).toFixed(2)} minutes]`)
      if (code === 0) resolve(said)
      else reject(new Error(`${words.join(' ')} ended with exit code ${code}`))
    })
  })

/** Reports the sizes of what the install wrote. @param {import('./registry.mjs').Packed[]} packed */
function report(packed) {
  const modules = join(project, 'node_modules')
  const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`
  const own = readdirSync(join(modules, '@attune'))
  const transferred = packed.filter(({ name }) => own.includes(name.slice('@attune/'.length)))
  const compressed = megabytes(transferred.reduce((sum, { size }) => sum + size, 0))
  const sizes = `${megabytes(sizeOf(join(modules, '@attune')))} (${compressed} to download)`
  console.log(`\nnode_modules: ${megabytes(sizeOf(modules))}; the ${own.length} packages of Attune: ${sizes}`)
  const others = readdirSync(modules).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((short) => `${name}/${short}`) : [name],
  )
  const ranked = others
    .filter((name) => lstatSync(join(modules, name)).isDirectory())
    .map((name) => /** @type {const} */ ([name, sizeOf(join(modules, name))]))
    .sort(([, a], [, b]) => b - a)
  console.log(
    `largest: ${ranked
      .slice(0, LARGEST)
      .map(([name, bytes]) => `${name} ${megabytes(bytes)}`)
      .join(', ')}`,
  )
}

mkdirSync(project)
mkdirSync(tarballs)
const packed = packAll(tarballs)
const { address, close } = await serve(tarballs, packed)
try {
  console.log(`${packed.length} packages packed`)
  const all = rowsOf()
  const [probe] = all
  if (probe === undefined) throw new Error('examples/debian-sections has no rows')
  writeCsv('test.csv', all.slice(0, HELD_OUT))
  writeCsv('packages.csv', all.slice(HELD_OUT, HELD_OUT + Number(values.rows)))
  await type(address, 'npm', 'install', '--ignore-scripts', '@attune/starter')
  report(packed)
  await type(address, 'npx', 'attune', 'init', '--data', 'packages.csv')
  await type(address, 'npx', 'attune', 'train', 'attune.yaml')
  await type(address, 'npx', 'attune', 'evaluate', 'run', '--data', 'test.csv')
  await type(address, 'npx', 'attune', 'predict', 'run', probe.text)
  await type(address, 'npx', 'attune', 'explain', 'UNKNOWN_PLUGIN')
  console.log(`\nThe package's section is ${probe.label}.`)
} finally {
  close()
  if (values.keep) console.log(`kept: ${folder}`)
  else rmSync(folder, { recursive: true })
}
