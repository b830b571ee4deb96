// @ts-check
/** The cache of Hub models, which other programs also write, and names of models, revisions and paths. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findCached, hubSettings, isModelName, modelFolder, parseModelName } from '@attune/hub'
import { checkedPath } from '../../../packages/hub/dist/model-name.js'
import { asText } from '../input.mjs'
import { parsedContainer } from '../mutate-json.mjs'
import { changedInput } from '../mutate.mjs'
import { pick } from '../random.mjs'

/** @import { Target } from '../target.mjs' */

const COMMIT = 'a'.repeat(40)
const MODEL = 'models--org--toy'
const CONFIG = '{"model_type":"toy"}'
const WEIGHTS = 'no weights, but bytes'
const SNAPSHOT = `${MODEL}/snapshots/${COMMIT}`
const TREE = JSON.stringify({
  format_version: 1,
  files: {
    'config.json': { size: CONFIG.length, blob_id: '1'.repeat(40) },
    'model.safetensors': { size: 130, blob_id: '2'.repeat(40), lfs_sha256: '3'.repeat(64), lfs_size: WEIGHTS.length },
  },
})
const CACHE = {
  [`${MODEL}/refs/main`]: COMMIT,
  [`${SNAPSHOT}/config.json`]: CONFIG,
  [`${MODEL}/blobs/${'3'.repeat(64)}`]: WEIGHTS,
}
const LINKS = [[`${SNAPSHOT}/model.safetensors`, `../../blobs/${'3'.repeat(64)}`]]
const INDEX = JSON.stringify({ weight_map: { a: 'model-00001-of-00001.safetensors' } })

/** Creates the links of an input, none outside its folder. @param {unknown} links @param {string} folder */
function makeLinks(links, folder) {
  for (const link of Array.isArray(links) ? links : []) {
    const [path, target] = Array.isArray(link) ? link.map(asText) : []
    if (
      path === undefined ||
      target === undefined ||
      /\0/.test(path + target) ||
      !join(folder, path).startsWith(`${folder}/`)
    )
      continue
    try {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      symlinkSync(target, join(folder, path))
    } catch {
      continue // the file exists, or the name is too long
    }
  }
}

/** @returns {Target} */
function cache() {
  const links = JSON.stringify(LINKS)
  const withTree = { ...CACHE, [`${MODEL}/trees/${COMMIT}.json`]: TREE, links }
  const withoutTree = { ...CACHE, links }
  const shard = `${SNAPSHOT}/model-00001-of-00001.safetensors`
  const sharded = { ...CACHE, [`${SNAPSHOT}/model.safetensors.index.json`]: INDEX, [shard]: WEIGHTS, links: '[]' }
  return {
    name: 'cache of the Hub',
    files: true,
    valid: [withTree, withoutTree, sharded],
    make(random) {
      const input = pick([withTree, withoutTree, sharded], random)
      const target = pick(['/etc/passwd', '../../../../..', '.', 'config.json', 'x'.repeat(300)], random)
      const lead = JSON.stringify([...LINKS, [`${SNAPSHOT}/${pick(['config.json', 'x', '../y'], random)}`, target]])
      return changedInput(random() < 0.2 ? { ...input, links: lead } : input, random)
    },
    prepare: (input, folder) => makeLinks(parsedContainer(String(input.links)), folder),
    read: (_, folder) => findCached('org/toy', hubSettings({ cache: folder, offline: true, environment: {} })),
  }
}

/** @returns {Target} */
function names() {
  const names = ['org/toy', 'org/toy@v1.0', `google-bert/bert-base@${COMMIT}`, 'a.b/c_d@refs/pr/1']
  return {
    name: 'names of models, revisions and paths',
    files: true,
    valid: names.map((name) => ({ name, path: 'onnx/model.onnx' })),
    async read(input, folder) {
      const [name, path] = [String(input.name), String(input.path)]
      const { revision } = parseModelName(name)
      if (!isModelName(name)) throw new Error(`${name} is not a model name, but was accepted`)
      const checked = join(folder, checkedPath(path, 'fuzzed'))
      if (!checked.startsWith(folder) || revision === '') throw new Error(`${path} escapes its folder`)
      const missing = await modelFolder(name, { cache: folder, offline: true, environment: {} }).then(
        () => undefined,
        (error) => error,
      )
      if (!['HUB_OFFLINE', 'FILE_NOT_FOUND'].includes(missing?.code))
        throw missing ?? new Error(`${name} was found in an empty cache`)
    },
  }
}

/** @returns {Target[]} */
export const targets = () => [cache(), names()]
