// @ts-check
/** Checks that every package.json is complete, and that its dependencies are exactly the packages that the code imports or names. */
import { isBuiltin } from 'node:module'
import { importsOf, packageOf } from './imports.mjs'
import { fieldsLacking } from '../release/registry-fields.mjs'
import { isProgram, isTest, packagesIn, report, sourcesOf } from './packages.mjs'

const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/
const CARET = /^\^\d+\.\d+\.\d+$/
const TILDE = /^~\d+\.\d+\.\d+$/

/**
 * Ranges that users install. A caret lets npm share one copy with the user's own dependencies. Exceptions, with the reason: jit calls
 * `dist/binding.js` of onnxruntime-node, which is not public, and works around faults of single minor versions.
 */
const RANGES = { 'onnxruntime-common': TILDE, 'onnxruntime-node': TILDE }

/** Problems with the ranges of one group of dependencies. @param {Record<string, string>} group @param {boolean} isPublished */
const looseIn = (group, isPublished) =>
  Object.entries(group).flatMap(([name, range]) => {
    const own = isPublished ? (RANGES[/** @type {keyof typeof RANGES} */ (name)] ?? CARET) : EXACT
    const wanted = name.startsWith('@attune/') ? CARET : own
    const words = wanted === EXACT ? 'an exact version' : `a range with ${wanted === TILDE ? 'a tilde' : 'a caret'}`
    return wanted.test(range) ? [] : [`${name} must be ${words}, got ${range}`]
  })

/** Packages imported by files. @param {[string, string][]} files @param {string} own */
const imported = (files, own) =>
  new Set(
    files
      .flatMap(([, text]) => importsOf(text))
      .filter((name) => !/^[.#]/.test(name) && !isBuiltin(name))
      .map(packageOf)
      .filter((name) => name !== own),
  )

/** @param {import('./packages.mjs').Package} each */
function fieldProblems({ folder, group, short, manifest }) {
  const at = `${folder}/package.json`
  // Importing an engine registers TF.js' gradients and its backend.
  const sideEffects = manifest.attune?.kind === 'engine' ? undefined : false
  const wanted = /** @type {[boolean, string][]} */ ([
    [manifest.name === `@attune/${short}`, `name must be @attune/${short}`],
    [EXACT.test(manifest.version ?? ''), 'version must be set'],
    [(manifest.description ?? '').length > 10, 'description must be set'],
    [manifest.license === 'Apache-2.0', 'license must be Apache-2.0'],
    [manifest.type === 'module', 'type must be module'],
    [manifest.sideEffects === sideEffects, `sideEffects must be ${sideEffects ?? 'absent'}`],
    [manifest.exports?.['.'] !== undefined, 'exports must be set'],
    [
      /(^|,)dist,!dist\/\*\*\/\*\.test\.\*$/.test(`${manifest.files}`),
      'files must end with "dist", "!dist/**/*.test.*"',
    ],
    [manifest.private !== true, 'private must not be set'],
  ])
  if (group === 'plugins')
    wanted.push(
      [
        `${manifest.attune?.kind}-${manifest.attune?.name}` === short,
        'attune must contain the kind and name of its folder',
      ],
      [manifest.peerDependencies?.['@attune/core'] !== undefined, '@attune/core must be a peer dependency'],
      [manifest.dependencies?.['@attune/core'] === undefined, '@attune/core must not be a regular dependency as well'],
    )
  return wanted.filter(([holds]) => !holds).map(([, words]) => `${at}: ${words}`)
}

/** Peer dependencies of the workspace packages that a package depends on: it must list them without importing them. @param {Record<string, any>} manifest @param {import('./packages.mjs').Package[]} packages */
const peersOfDependencies = (manifest, packages) =>
  packages
    .filter((other) => other.manifest.name in (manifest.dependencies ?? {}))
    .flatMap((other) => Object.keys(other.manifest.peerDependencies ?? {}))

/** @param {import('./packages.mjs').Package} each @param {import('./packages.mjs').Package[]} packages */
function dependencyProblems(each, packages) {
  const { folder, files, manifest } = each
  const at = `${folder}/package.json`
  const { dependencies = {}, peerDependencies = {}, devDependencies = {}, optionalDependencies = {} } = manifest
  const published = { ...dependencies, ...peerDependencies, ...optionalDependencies }
  const installed = [dependencies, peerDependencies, optionalDependencies]
  const loose = [...installed.flatMap((group) => looseIn(group, true)), ...looseIn(devDependencies, false)]
  const all = Object.entries(files)
  const inSource = imported(
    all.filter(([path]) => !isTest(path)),
    manifest.name,
  )
  const inTests = imported(
    all.filter(([path]) => isTest(path)),
    manifest.name,
  )
  const passedOn = peersOfDependencies(manifest, packages)
  const stated = sourcesOf(each)
    .map(([, text]) => text)
    .join('\n')
  const idle = Object.keys({ ...published, ...devDependencies }).filter(
    (name) => !inSource.has(name) && !inTests.has(name) && !passedOn.includes(name) && !stated.includes(`'${name}'`),
  )
  const unmet = passedOn.filter((name) => !(name in published))
  return [
    ...loose.map((words) => `${at}: ${words}`),
    ...[...inSource]
      .filter((name) => !(name in published))
      .map((name) => `${at} lacks ${name}, which the source imports`),
    ...[...inTests]
      .filter((name) => !(name in published) && !(name in devDependencies) && name !== '@jest/globals')
      .map((name) => `${at} lacks ${name}, which a test imports`),
    ...unmet.map((name) => `${at} lacks ${name}, a peer dependency of one of its dependencies`),
    ...idle.map((name) => `${at} lists ${name}, which is neither imported nor named`),
  ]
}

/** @param {import('./packages.mjs').Package[]} packages */
export const manifests = (packages) => ({
  problems: packages.flatMap((each) => [
    ...fieldProblems(each),
    ...fieldsLacking(each),
    ...dependencyProblems(each, packages),
  ]),
  summary: `${packages.length} package.json files whose dependencies match the imports`,
})

if (isProgram(import.meta.url)) report(manifests(packagesIn()))
