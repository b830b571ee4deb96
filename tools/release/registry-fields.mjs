// @ts-check
/**
 * The fields of a package.json that a registry shows or applies: where the source is, where to report bugs, which Node.js runs it,
 * what to search for. All but the keywords follow from the package's folder. `--write` sets them in every package, and copies the
 * license beside them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isProgram, packagesIn, root } from '../check/packages.mjs'

const rootManifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const repository = String(rootManifest.repository.url)
const address = repository.replace(/^git\+/, '').replace(/\.git$/, '')

/** The text of the license that every package carries. */
export const LICENSE = readFileSync(join(root, 'LICENSE'), 'utf8')

/** The fields that follow from a package's folder, relative to the root. @param {string} folder */
export const fieldsOf = (folder) => ({
  homepage: `${address}/tree/main/${folder}#readme`,
  repository: { type: 'git', url: repository, directory: folder },
  bugs: `${address}/issues`,
  engines: { node: String(rootManifest.engines.node) },
  publishConfig: { access: 'public', provenance: true },
})

/** The names of these fields. */
export const REGISTRY_FIELDS = ['homepage', 'repository', 'bugs', 'keywords', 'engines', 'publishConfig']

/** Terms of the field by which a plugin of a kind is searched for. */
const TERMS = {
  adapter: ['fine-tuning', 'parameter-efficient'],
  augmenter: ['data-augmentation', 'nlp'],
  balancer: ['class-imbalance', 'nlp'],
  callback: ['training-loop', 'fine-tuning'],
  cleaner: ['text-preprocessing', 'nlp'],
  engine: ['deep-learning', 'backend'],
  filter: ['dataset', 'data-cleaning'],
  loss: ['loss-function', 'deep-learning'],
  metric: ['evaluation', 'machine-learning'],
  model: ['language-model', 'deep-learning'],
  objective: ['fine-tuning', 'training-objective'],
  optimizer: ['gradient-descent', 'deep-learning'],
  protocol: ['validation', 'machine-learning'],
  pruner: ['hyperparameter-optimization', 'machine-learning'],
  regularizer: ['regularization', 'deep-learning'],
  sampler: ['batching', 'deep-learning'],
  scheduler: ['learning-rate-schedule', 'deep-learning'],
  source: ['dataset', 'data-loader'],
  tokenizer: ['tokenization', 'nlp'],
  tracker: ['experiment-tracking', 'logging'],
  tuner: ['hyperparameter-optimization', 'machine-learning'],
}

/** The keywords that a new plugin begins with. @param {string} kind @param {string} name */
export const keywordsOf = (kind, name) => [
  ...new Set(['attune', 'attune-plugin', kind, name, ...(TERMS[/** @type {keyof typeof TERMS} */ (kind)] ?? ['nlp'])]),
]

/** Keywords that a package must have in addition to terms of the field. @param {string} short @param {Record<string, any>} manifest */
export const keywordsNeeded = (short, { attune }) =>
  attune === undefined ? ['attune', short] : ['attune', String(attune.kind), String(attune.name)]

/**
 * A manifest with the fields, in the order in which every package has them: what the package is, what it holds, what it needs.
 * @param {string} folder @param {Record<string, any>} manifest
 */
export function withFields(folder, { name, version, description, license, keywords, ...rest }) {
  const { homepage, repository, bugs, engines, publishConfig } = fieldsOf(folder)
  const { dependencies, peerDependencies, peerDependenciesMeta, devDependencies, ...others } = rest
  const content = Object.fromEntries(Object.entries(others).filter(([field]) => !REGISTRY_FIELDS.includes(field)))
  const [, short = ''] = folder.split('/')
  const chosen = keywords ?? (rest.attune ? keywordsOf(rest.attune.kind, rest.attune.name) : ['attune', short])
  return {
    ...{ name, version, description, license, homepage, repository, bugs, keywords: chosen },
    ...{ ...content, engines, publishConfig },
    ...{ dependencies, peerDependencies, peerDependenciesMeta, devDependencies },
  }
}

/** Problems of a package's fields and license. @param {import('../check/packages.mjs').Package} each @returns {string[]} */
export function fieldsLacking({ folder, short, manifest, license }) {
  const at = `${folder}/package.json`
  const wanted = Object.entries(fieldsOf(folder))
  const keywords = /** @type {string[]} */ (manifest.keywords ?? [])
  const needed = keywordsNeeded(short, manifest)
  const lacking = needed.filter((word) => !keywords.includes(word))
  return [
    ...wanted
      .filter(([field, value]) => JSON.stringify(manifest[field]) !== JSON.stringify(value))
      .map(([field, value]) => `${at}: ${field} must be ${JSON.stringify(value)}`),
    ...lacking.map((word) => `${at}: keywords must include ${word}`),
    ...(keywords.length > needed.length ? [] : [`${at}: keywords must include a term of the field`]),
    ...(license === LICENSE ? [] : [`${folder}/LICENSE must be a copy of the root's LICENSE`]),
  ]
}

if (isProgram(import.meta.url))
  for (const { folder, directory, manifest } of process.argv.includes('--write') ? packagesIn() : []) {
    writeFileSync(join(directory, 'package.json'), `${JSON.stringify(withFields(folder, manifest), null, 2)}\n`)
    writeFileSync(join(directory, 'LICENSE'), LICENSE)
    console.log(folder)
  }
