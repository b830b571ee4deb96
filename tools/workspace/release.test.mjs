// @ts-check
/** Tests planning and dry-running a release without a network. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { packagesIn } from '../check/packages.mjs'
import { dependentsOf, planBreaking } from '../release/plan-breaking.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const copy = mkdtempSync(join(tmpdir(), 'attune-release-'))
const env = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false', FORCE_COLOR: '0' }

/** @param {string} command @param {string[]} args */
function must(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: copy, encoding: 'utf8', env })
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout + stderr
}
const nx = (/** @type {string[]} */ ...args) => must(process.execPath, 'node_modules/nx/dist/bin/nx.js', ...args)

before(() => {
  const files = ['package.json', 'package-lock.json', 'nx.json', 'tsconfig.base.json', '.gitignore', 'tools/workspace']
  for (const file of files) cpSync(join(root, file), join(copy, file), { recursive: true })
  for (const group of ['packages', 'plugins'])
    for (const name of readdirSync(join(root, group)))
      cpSync(join(root, group, name, 'package.json'), join(copy, group, name, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  must('git', 'init', '--quiet', '--initial-branch=main')
  must('git', 'add', '.')
  must('git', '-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '--quiet', '--message=All')
})
after(() => rmSync(copy, { recursive: true }))

test('a planned change bumps its package and adds its message to the changelog; a dry run writes nothing', () => {
  nx('release', 'plan', 'minor', '--only-touched=false', '--projects=@attune/metric-f1', '--message=Name the classes')
  const plans = readdirSync(join(copy, '.nx/version-plans'))
  assert.equal(plans.length, 1)
  const before = readFileSync(join(copy, 'plugins/metric-f1/package.json'), 'utf8')
  const said = nx('release', '--dry-run', '--skip-publish')
  assert.match(said, /@attune\/metric-f1.*New version 0\.1\.1/)
  assert.match(said, /Name the classes/)
  assert.doesNotMatch(said, /@attune\/metric-accuracy.*New version/)
  assert.equal(readFileSync(join(copy, 'plugins/metric-f1/package.json'), 'utf8'), before)
  assert.deepEqual(readdirSync(join(copy, '.nx/version-plans')), plans)
})

test('rejects a plan for a package that does not exist', () => {
  writeFileSync(join(copy, '.nx/version-plans/unknown.md'), "---\n'@attune/nothing': patch\n---\n\nNothing\n")
  assert.throws(() => nx('release', '--dry-run', '--skip-publish'), /@attune\/nothing/)
  rmSync(join(copy, '.nx/version-plans/unknown.md'))
})

/** The packages of the copy. @returns {Record<string, any>[]} */
const manifests = () => packagesIn(copy).map(({ manifest }) => manifest)

/** Plans a breaking core, tries it, and holds every version and range that would be written to what they must be. @param {string} from @param {string} to */
function breaksCore(from, to) {
  const { file, names } = planBreaking('@attune/core', 'Rename Engine.run to Engine.execute', copy)
  const said = nx('release', '--dry-run', '--skip-publish')
  rmSync(file)
  assert.deepEqual(names, dependentsOf(['@attune/core'], manifests()))
  const lines = (/** @type {string} */ sign) =>
    [...said.matchAll(new RegExp(`^\\${sign} +"([^"]+)": "([^"]+)"`, 'gm'))]
      .map(([, key, value]) => `${key} ${value}`)
      .sort()
  const needs = manifests().flatMap(({ dependencies, peerDependencies, devDependencies }) =>
    [dependencies, peerDependencies, devDependencies].flatMap((group) => Object.keys(group ?? {})),
  )
  const ranges = needs.filter((name) => names.includes(name))
  const written = (/** @type {string} */ version) =>
    [...names.map(() => `version ${version}`), ...ranges.map((name) => `${name} ^${version}`)].sort()
  assert.ok(ranges.filter((name) => name === '@attune/core').length >= 80)
  assert.deepEqual(lines('-'), written(from))
  assert.deepEqual(lines('+'), written(to))
  assert.match(said, /Rename Engine\.run/)
}

test('a breaking core before 1.0.0 raises the minor version and the ranges of all packages that depend on it', () => {
  breaksCore('0.1.0', '0.2.0')
  const [terminal] = manifests().filter(({ name }) => name === '@attune/terminal')
  assert.equal(terminal?.['version'], '0.1.0')
})

test('a breaking core after 1.0.0 raises the major version and the ranges of all packages that depend on it', () => {
  for (const { directory, manifestText } of packagesIn(copy))
    writeFileSync(
      join(directory, 'package.json'),
      manifestText
        .replace('"version": "0.1.0"', '"version": "1.4.0"')
        .replaceAll(/("@attune\/[\w-]+": "\^)0\.1\.0"/g, '$11.4.0"'),
    )
  breaksCore('1.4.0', '2.0.0')
})

test('a breaking plan rejects unknown packages, empty messages and a plan that exists', () => {
  assert.throws(() => planBreaking('@attune/nothing', 'x', copy), /No published package is called "@attune\/nothing"/)
  assert.throws(() => planBreaking('@attune/core', ' ', copy), /--message/)
  const { file, names } = planBreaking('@attune/metric-f1', 'Rename an option', copy)
  assert.deepEqual(names, ['@attune/metric-f1', '@attune/starter'])
  assert.throws(() => planBreaking('@attune/metric-f1', 'Rename an option', copy), /EEXIST/)
  rmSync(file)
})
