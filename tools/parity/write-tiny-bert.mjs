// @ts-check
/**
 * Writes a randomly initialized BERT classifier in Attune's format (config.json, model.safetensors), example.json with a batch and its
 * logits, and types.safetensors with a tensor of each data type, into the given folder. All weights are random, so a wrong name would show.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENGINE, MODEL, OBJECTIVE, deriveKey, key, mapParams, stream, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { normal } from '@attune/nn'
import { encodeSafetensors } from '@attune/weights'
import { add } from '@tensorflow/tfjs-core'

const folder = process.argv[2] ?? fileURLToPath(new URL('written', import.meta.url))
const search = { folders: [fileURLToPath(new URL('../..', import.meta.url))] }
const [bert, classification, engines] = await Promise.all([
  findPlugin(MODEL, userSpecifier('bert'), search).then(({ plugin }) => plugin),
  findPlugin(OBJECTIVE, userSpecifier('sequence-classification'), search).then(({ plugin }) => plugin),
  findPlugin(ENGINE, userSpecifier('tfjs-cpu'), search).then(({ plugin }) => plugin),
])
const size = { vocabSize: 90, hiddenSize: 24, numHiddenLayers: 3, numAttentionHeads: 2, intermediateSize: 40 }
const model = bert({ ...size, maxPositionEmbeddings: 32, hiddenAct: 'gelu_new', layerNormEps: 1e-6 })
const objective = classification(
  { labels: ['no', 'perhaps', 'yes', '日本語 "quoted"'] },
  { model, tokenizer: { vocabularySize: size.vocabSize, special: { pad: 0 } } },
)
const engine = engines()
await engine.start()
let number = 0
const params = engine.compile(() =>
  mapParams(
    (p) => add(/** @type {any} */ (p), normal(deriveKey(key(1), number++), /** @type {any} */ (p).shape, 0.3)),
    {
      ...model.init(key(2)),
      ...objective.init(key(3)),
    },
  ),
)()

const random = stream(key(4))
const items = [5, 11, 32, 1].map((length) => ({
  length,
  truncated: false,
  label: 0,
  ids: Array.from({ length }, () => 1 + Math.floor(89 * random())),
  typeIds: Array.from({ length }, (_, i) => (i > length / 2 ? 1 : 0)),
}))
const { inputs } = objective.collate(items)
const infer = engine.compile((/** @type {any} */ p, /** @type {any} */ given) => {
  const mode = /** @type {const} */ ({ training: false })
  return objective.head(p, model.forward(p, given, mode), mode, { inputs: given })
})
const logits = /** @type {any} */ (await engine.read(infer(params, engine.put(inputs))))

mkdirSync(folder, { recursive: true })
const plain = (/** @type {any} */ { shape, values }) => ({ shape, values: [...values] })
const json = (/** @type {unknown} */ value) => `${JSON.stringify(value, null, 2)}\n`
writeFileSync(join(folder, 'config.json'), json({ ...model.config, ...objective.config }))
writeFileSync(
  join(folder, 'model.safetensors'),
  encodeSafetensors(/** @type {any} */ (await engine.read(params)), { format: 'pt' }),
)
writeFileSync(join(folder, 'example.json'), json({ inputs: mapParams(plain, inputs), logits: plain(logits) }))

/** @type {Record<string, import('@attune/core').HostArray>} */
const types = {
  floats: { shape: [2, 2], dtype: 'float32', values: Float32Array.of(1.5, -0, 1e-45, Infinity) },
  integers: { shape: [3], dtype: 'int32', values: Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1) },
  truths: { shape: [3], dtype: 'bool', values: Uint8Array.of(1, 0, 1) },
  scalar: { shape: [], dtype: 'float32', values: Float32Array.of(7) },
  empty: { shape: [0, 3], dtype: 'float32', values: new Float32Array(0) },
  'ünï "code"': { shape: [1], dtype: 'int32', values: Int32Array.of(3) },
}
writeFileSync(join(folder, 'types.safetensors'), encodeSafetensors(types))
