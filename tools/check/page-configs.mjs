// @ts-check
/**
 * Configurations in the `yaml` fences of pages: each is validated against the schemas and the options of its plugins, without training.
 * A fence marked `part` is merged into a minimal configuration first; one marked `no-check` is another kind of file.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import yaml from 'yaml'
import { fencesIn } from './fences.mjs'
import { root } from './packages.mjs'

/** @typedef {Record<string, any>} Config */

/** @type {Config} */
const MINIMAL = {
  data: { train: { use: 'jsonl', path: 'train.jsonl' } },
  tokenizer: 'wordpiece',
  model: 'bert',
  objective: 'sequence-classification',
  engine: 'tfjs-cpu',
}

const isRecord = (/** @type {unknown} */ value) => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Merges part of a configuration into another one; plugins are replaced as a whole. @param {Config} base @param {Config} part @returns {Config} */
export const merged = (base, part) => ({
  ...base,
  ...Object.fromEntries(
    Object.entries(part).map(([key, value]) => [
      key,
      isRecord(value) && isRecord(base[key]) && !('use' in value) ? merged(base[key], value) : value,
    ]),
  ),
})

/** Removes `from`, and the options that need it, where it is not a folder here: a repository of the Hub, or a folder of the reader. @param {any} node @returns {any} */
function withoutMissingModels(node) {
  if (Array.isArray(node)) return node.map(withoutMissingModels)
  if (!isRecord(node)) return node
  const { from, fromLayers: _, reinitialize: __, ...rest } = node
  const kept = typeof from === 'string' && !existsSync(join(root, from)) ? rest : node
  return Object.fromEntries(Object.entries(kept).map(([key, value]) => [key, withoutMissingModels(value)]))
}

/**
 * A function that validates a configuration, with its study if it has one, and throws the error of an invalid one.
 * @returns {Promise<(config: Config) => Promise<void>>}
 */
export async function validator() {
  const builtFile = (/** @type {string} */ short, /** @type {string} */ file) =>
    import(pathToFileURL(join(root, 'packages', short, 'dist', file)).href)
  const { planRun } = await builtFile('trainer', 'node.js')
  const { prepareStudy } = await builtFile('study', 'prepare.js')
  return async (given) => {
    const config = withoutMissingModels({ engine: MINIMAL['engine'], ...given })
    await ('study' in config ? prepareStudy : planRun)(config, { baseDirectory: root })
  }
}

/** The configurations of a page. @param {import('./pages.mjs').Page} page @returns {{ at: string, config: Config | Error }[]} */
export const configsOf = ({ path, text }) =>
  fencesIn(text)
    .filter(({ language, marks }) => /^ya?ml$/.test(language) && !marks.includes('no-check'))
    .map(({ marks, code, line }) => {
      const at = `${path}:${line}`
      const parsed = yaml.parse(code)
      if (!isRecord(parsed))
        return { at, config: new Error('expected a configuration; mark another file `yaml no-check`') }
      if (marks.includes('part')) return { at, config: merged(MINIMAL, parsed) }
      const missing = ['data', 'tokenizer', 'model', 'objective'].filter((key) => !(key in parsed))
      if (missing.length === 0) return { at, config: parsed }
      return {
        at,
        config: new Error(
          `the configuration lacks ${missing.join(', ')}; mark a part of one \`yaml part\`, another file \`yaml no-check\``,
        ),
      }
    })

/**
 * Problems of the configurations of pages.
 * @param {readonly import('./pages.mjs').Page[]} pages @param {(config: Config) => Promise<void>} validate
 */
export async function pageConfigs(pages, validate) {
  const problems = []
  const all = pages.flatMap(configsOf)
  for (const { at, config } of all) {
    const error =
      config instanceof Error
        ? config
        : await validate(config).then(
            () => undefined,
            (thrown) => thrown,
          )
    if (error !== undefined) problems.push(`${at}: ${error.message}`)
  }
  return { problems, summary: `${all.length} configurations are valid` }
}
