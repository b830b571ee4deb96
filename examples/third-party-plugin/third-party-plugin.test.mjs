// @ts-check
/** Packs the plugin, installs it into an empty project with only `core` and `resolve` of Attune, and loads it by name. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'attune-empty-project-'))
const installed = join(project, 'node_modules/attune-plugin-metric-kappa/package.json')

/** @type {NodeJS.ProcessEnv} */
const env = { ...process.env, NODE_OPTIONS: '', FORCE_COLOR: '0' }
// Set by the runner of this test; with it, a test runner started from here runs nothing.
delete env.NODE_TEST_CONTEXT

/** @param {string} command @param {string[]} args */
const run = (command, args, cwd = project) => spawnSync(command, args, { cwd, encoding: 'utf8', env })

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** The folder of a dependency: the nested copy if there is one, else the hoisted one. @param {string} name @param {string} by */
function folderOf(name, by) {
  const own = join(by, 'node_modules', name)
  return existsSync(own) ? own : join(modules, name)
}

/**
 * The installed folders of a package and its transitive dependencies, each with the folder of its dependent.
 * @param {string} folder @param {string} by @param {Map<string, string>} found
 */
function withDependencies(folder, by = folder, found = new Map()) {
  if (found.has(folder)) return found
  found.set(folder, by)
  const { dependencies, peerDependencies, peerDependenciesMeta } = readJson(join(folder, 'package.json'))
  for (const each of Object.keys({ ...dependencies, ...peerDependencies }))
    if (peerDependenciesMeta?.[each]?.optional !== true) withDependencies(folderOf(each, folder), folder, found)
  return found
}

/** Loads the metric by name and returns its score, or the code and message of the error. @param {string} name */
function score(name) {
  const program = `
    import { METRIC, userSpecifier } from '@attune/core'
    import { findPlugin } from '@attune/resolve'
    try {
      const metric = (await findPlugin(METRIC, userSpecifier('${name}'), { folders: ['.'] })).plugin()
      const state = metric.add(metric.init(), ['a', 'b', 'b', 'a'], ['a', 'b', 'a', 'a'])
      console.log(metric.result(state).value)
    } catch (error) {
      console.log(error.code, error.message)
    }`
  const { stdout, stderr } = run(process.execPath, ['--input-type=module', '--eval', program])
  return stdout.trim() || stderr
}

before(() => {
  // Third-party dependencies are packed from node_modules too, so the test needs no network.
  const dependencies = withDependencies(join(modules, '@attune/resolve'))
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'packing', private: true }))
  const packed = run('npm', ['pack', '--json', '--ignore-scripts', here, ...dependencies.keys()])
  assert.equal(packed.status, 0, packed.stderr)
  /** @type {string[]} */
  const [plugin, ...others] = JSON.parse(packed.stdout).map((/** @type {{ filename: string }} */ each) => each.filename)
  const tarballs = [`./${plugin}`]
  /** @type {Record<string, Record<string, string>>} */
  const overrides = {}
  for (const [i, [folder, by]] of [...dependencies].entries()) {
    const nested = folder.startsWith(join(by, 'node_modules'))
    if (nested) (overrides[basename(by)] ??= {})[basename(folder)] = `file:./${others[i]}`
    else tarballs.push(`./${others[i]}`)
  }
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, type: 'module', overrides }),
  )
  const { status, stderr } = run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', ...tarballs])
  assert.equal(status, 0, stderr)
})
after(() => rmSync(project, { recursive: true }))

test('the plugin passes the contract suite of metrics', () => {
  const { status, stdout } = run(process.execPath, ['--test', '--test-reporter=tap', 'kappa.test.js'], here)
  assert.equal(status, 0, stdout)
  assert.match(stdout, /^# pass [1-9]\d*$/m)
})

test('findPlugin loads the plugin by name with only core and resolve installed', () => {
  assert.deepEqual(run('ls', ['node_modules/@attune']).stdout.trim(), 'core\nresolve')
  assert.equal(Number(score('kappa')), 0.5)
})

test('findPlugin rejects a misspelled name and suggests the right one', () => {
  assert.match(score('kapa'), /^UNKNOWN_PLUGIN .*kapa[^]*kappa/)
})

test('findPlugin rejects the plugin if it requires another version of core', () => {
  const manifest = readJson(installed)
  const changed = { ...manifest, peerDependencies: { '@attune/core': '^9.0.0' } }
  writeFileSync(installed, JSON.stringify(changed))
  try {
    assert.match(score('kappa'), /^CORE_MISMATCH .*attune-plugin-metric-kappa 0\.1\.0 .*@attune\/core \^9\.0\.0/)
  } finally {
    writeFileSync(installed, JSON.stringify(manifest))
  }
})
