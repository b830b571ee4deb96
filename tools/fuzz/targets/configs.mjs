// @ts-check
/** Model descriptions: the config.json of every model plugin, generation_config.json, and a complete folder. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { generationDefaults } from '@attune/generate'
import { configFromOptions, optionsFromConfig } from '@attune/weights'
import { describeModel } from '../../../packages/trainer/dist/files/model-folder.js'
import { modelFor } from '../../../packages/trainer/dist/files/saved-plugin.js'
import { WORDS } from '../atoms.mjs'
import { changedInput } from '../mutate.mjs'
import { pick } from '../random.mjs'
import { loadPlugin, pluginsOf } from '../plugins.mjs'
import { TEXTS, builtPlugins, configSeeds, root, tokenizerSeeds } from '../seeds.mjs'

/** @import { AnyPlugin } from '@attune/core' */
/** @import { Target } from '../target.mjs' */

const CONFIG = 'config.json'
const GENERATION = 'generation_config.json'

const GENERATIONS = [
  { do_sample: true, temperature: 0.6, top_k: 40, top_p: 0.9, eos_token_id: [1, 2], max_length: 200 },
  { num_beams: 4, length_penalty: 2, early_stopping: true, no_repeat_ngram_size: 3, max_new_tokens: 40 },
  { bad_words_ids: [[1, 2], [3]], forced_bos_token_id: 0, repetition_penalty: 1.2, decoder_start_token_id: 2 },
]

/** @param {string} folder @param {AnyPlugin} plugin @returns {Target} */
function ofPlugin(folder, plugin) {
  const found = configSeeds(folder)
  const seeds = found.length > 0 ? found : [JSON.stringify(configFromOptions(plugin.options.parse({})))]
  return {
    name: `config.json, ${folder}`,
    files: true,
    valid: seeds.map((text) => ({ [CONFIG]: text })),
    read: (_, path) => void plugin(optionsFromConfig(plugin.options, describeModel(path).config)),
  }
}

/** @returns {Target} */
function generation() {
  return {
    name: 'generation_config.json',
    files: true,
    valid: GENERATIONS.map((config) => ({ [CONFIG]: '{"model_type":"gpt2"}', [GENERATION]: JSON.stringify(config) })),
    read: (_, path) => void generationDefaults(describeModel(path).generation ?? {}, join(path, GENERATION)),
  }
}

/** Manifests of packages, by which plugins are found, and their folders. */
const MANIFESTS = new RegExp(
  `^${root.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(node_modules(/@[^/]+)?|[a-z]+/[^/]+(/[^/]+)?/package\\.json)$`,
)

/** Loads plugins and resolves their packages before anything is read. @param {readonly string[]} kinds */
async function known(kinds) {
  await pluginsOf(kinds)
  const require = createRequire(join(root, 'package.json'))
  for (const { folder } of kinds.flatMap((kind) => builtPlugins(kind))) require.resolve(`@attune/${folder}`)
}

/** A folder whose files select the plugins that read them. @returns {Promise<Target>} */
async function modelFolder() {
  await known(['tokenizer', 'model'])
  const seeds = [...tokenizerSeeds().values()].map(([tokenizer = '']) => tokenizer)
  const configs = builtPlugins('model').flatMap(({ folder }) => configSeeds(folder).slice(0, 1))
  const valid = configs.map((config, i) => ({
    [CONFIG]: config,
    'tokenizer.json': seeds[i % seeds.length],
    'tokenizer_config.json': '{"model_max_length":512,"unk_token":"[UNK]"}',
    'x.mjs': 'throw new Error("a module of the folder ran")\n',
  }))
  return {
    name: 'model folder',
    files: true,
    mayRead: [MANIFESTS],
    valid,
    make(random) {
      const input = pick(valid, random)
      if (random() < 0.7) return changedInput(input, random)
      const [file, config] = [JSON.parse(input['tokenizer.json'] ?? ''), JSON.parse(input[CONFIG])]
      const type = random() < 0.5 ? pick(WORDS, random) : file.model.type
      return {
        ...input,
        [CONFIG]: JSON.stringify({ ...config, model_type: random() < 0.5 ? pick(WORDS, random) : config.model_type }),
        'tokenizer.json': JSON.stringify({ ...file, model: { ...file.model, type } }),
      }
    },
    async read(_, folder) {
      const search = { folders: [root] }
      const { config, tokenizer } = describeModel(folder)
      await modelFor(config, folder, search)
      ;(await tokenizer(search)).encode(TEXTS[1])
    },
  }
}

/** @returns {Promise<Target[]>} */
export async function targets() {
  const models = await Promise.all(
    builtPlugins('model').map(async ({ folder, module }) => ofPlugin(folder, await loadPlugin(module))),
  )
  return [...models, generation(), await modelFolder()]
}
