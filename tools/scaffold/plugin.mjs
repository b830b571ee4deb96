// @ts-check
/**
 * Generates `plugins/<kind>-<name>`: a simple, working plugin for its author to change, with a README and a test, from the templates in
 * packages/cli/templates: the README is in package, the source, test and snippet of a kind are in kinds/<kind>. Files of this repository
 * alone are in files/package.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import devkit from '@nx/devkit'
import words from '../../packages/cli/templates/words.json' with { type: 'json' }
import { LICENSE, withFields } from '../release/registry-fields.mjs'
import { tfjsPeer, versions } from './versions.mjs'

const { formatFiles, generateFiles, installPackagesTask, names } = devkit
const root = join(import.meta.dirname, '../..')
const files = join(import.meta.dirname, 'files')
/** The templates, which `attune plugins new` reads too. */
const templates = join(root, 'packages/cli/templates')

/** The kinds of plugin in core, without those whose instances are created by the run itself. */
export async function kindsOfCore() {
  const core = await import(pathToFileURL(join(root, 'packages/core/dist/index.js')).href)
  const made = ['randomness', 'events', 'encoder']
  return Object.values(core)
    .filter((value) => typeof value === 'object' && value !== null && typeof value.token === 'symbol')
    .map(({ name }) => String(name))
    .filter((name) => !made.includes(name))
    .sort()
}

/** @param {readonly string[]} wanted @param {Record<string, string>} from @returns {Record<string, string>} */
const pick = (wanted, from) => Object.fromEntries([...wanted].sort().map((name) => [name, String(from[name])]))

/** @param {string} kind @param {string} name */
function manifestOf(kind, name) {
  const { summary, dependencies } = words[/** @type {keyof typeof words} */ (kind)]
  const peer = { ...versions(), '@tensorflow/tfjs-core': tfjsPeer() }
  const tensors = dependencies.some((each) => each === '@attune/nn' || each === '@tensorflow/tfjs-core')
  return withFields(`plugins/${kind}-${name}`, {
    name: `@attune/${kind}-${name}`,
    version: '0.1.0',
    description: summary,
    license: 'Apache-2.0',
    type: 'module',
    ...(kind === 'engine' ? {} : { sideEffects: false }),
    attune: { kind, name },
    exports: { '.': { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` } },
    files: ['dist', '!dist/**/*.test.*'],
    dependencies: pick([...dependencies.filter((each) => each !== '@tensorflow/tfjs-core'), 'zod'], versions()),
    peerDependencies: pick(['@attune/core', ...(tensors ? ['@tensorflow/tfjs-core'] : [])], peer),
    devDependencies: pick(['@attune/testkit'], versions()),
  })
}

/** @param {import('@nx/devkit').Tree} tree @param {{ kind: string, name: string }} options */
export default async function plugin(tree, { kind, name }) {
  const kinds = await kindsOfCore()
  if (!kinds.includes(kind))
    throw new Error(`expected a kind of plugin, got "${kind}". Use one of: ${kinds.join(', ')}.`)
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new Error(`expected a name in kebab-case, such as "my-${kind}", got "${name}".`)
  const folder = `plugins/${kind}-${name}`
  if (tree.exists(folder)) throw new Error(`${folder} already exists.`)
  const given = {
    ...words[/** @type {keyof typeof words} */ (kind)],
    kind,
    name,
    package: `@attune/${kind}-${name}`,
    camel: names(name).propertyName,
    pascal: names(name).className,
  }
  for (const from of [join(files, 'package'), join(templates, 'package'), join(templates, 'kinds', kind)])
    generateFiles(tree, from, folder, given)
  tree.write(`${folder}/package.json`, JSON.stringify(manifestOf(kind, name), null, 2))
  tree.write(`${folder}/LICENSE`, LICENSE)
  const use = String(tree.read(`${folder}/use.ts`)).trim()
  tree.write(
    `${folder}/README.md`,
    String(tree.read(`${folder}/README.md`)).replace('SNIPPET', () => use),
  )
  tree.delete(`${folder}/use.ts`)
  await formatFiles(tree)
  return () => {
    installPackagesTask(tree, true)
    console.log(`\nNext, in ${folder}: adapt the code, the texts and the golden values. Then, from the root:
  npx nx run-many -t lint build test -p ${given.package}
  node tools/check/generated.mjs --write && node tools/check/exports.mjs --write\n`)
  }
}
