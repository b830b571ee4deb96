// @ts-check
/** Tiny models of every family with random weights and a tokenizer trained on a few texts, saved and exported to ONNX. */
import { join } from 'node:path'
import { ENGINE, MODEL, OBJECTIVE, TOKENIZER, deriveKey, key, mapParams, userSpecifier } from '@attune/core'
import { normal } from '@attune/nn'
import { exportOnnx } from '@attune/onnx'
import { findPlugin } from '@attune/resolve'
import { saveModel } from '@attune/trainer/node'
import { add } from '@tensorflow/tfjs-core'

/** @import { Engine, Model, Tokenizer } from '@attune/core' */

/** @typedef {{ family: string, tokenizer: string, options: object, name?: string }} Family */

export const search = { folders: [import.meta.dirname] }

export const TEXTS = [
  'a library that reads and writes images in many formats',
  'The quick brown fox, and 42 others: they jumped!',
  'a small mail client for the terminal',
  'x',
]

const ENCODER = { hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 48 }
const DECODER = { ...ENCODER, numKeyValueHeads: 2, maxPositionEmbeddings: 64 }
const DISTILBERT = { dim: 32, nLayers: 2, nHeads: 4, hiddenDim: 48 }
const WINDOWS = { slidingWindow: 4, layerTypes: ['sliding_attention', 'full_attention'] }
const T5 = { dModel: 32, dKv: 8, dFf: 48, numHeads: 4, numLayers: 2, relativeAttentionNumBuckets: 8 }
const BART = { dModel: 32, encoderLayers: 2, decoderLayers: 3, encoderFfnDim: 48, decoderFfnDim: 40 }

/** @type {Record<'encoders' | 'decoders' | 'encoderDecoders', readonly Family[]>} */
export const FAMILIES = {
  encoders: [
    { family: 'bert', tokenizer: 'wordpiece', options: ENCODER },
    { family: 'distilbert', tokenizer: 'wordpiece', options: DISTILBERT },
    { family: 'roberta', tokenizer: 'bpe', options: ENCODER },
    { family: 'albert', tokenizer: 'unigram', options: { ...ENCODER, embeddingSize: 16 } },
    { family: 'modernbert', tokenizer: 'bpe', options: { ...ENCODER, localAttention: 4 } },
  ],
  decoders: [
    { family: 'gpt2', tokenizer: 'bpe', options: { nEmbd: 32, nLayer: 2, nHead: 4, nPositions: 64 } },
    { family: 'llama', tokenizer: 'bpe', options: DECODER },
    {
      name: 'mistral',
      family: 'llama',
      tokenizer: 'bpe',
      options: { ...DECODER, modelType: 'mistral', slidingWindow: 4 },
    },
    { name: 'qwen3', family: 'llama', tokenizer: 'bpe', options: { ...DECODER, modelType: 'qwen3', headDim: 12 } },
    { family: 'gemma', tokenizer: 'bpe', options: { ...DECODER, headDim: 8 } },
    {
      name: 'gemma2',
      family: 'gemma',
      tokenizer: 'bpe',
      options: { ...DECODER, ...WINDOWS, modelType: 'gemma2', headDim: 8 },
    },
    {
      name: 'gemma3',
      family: 'gemma',
      tokenizer: 'bpe',
      options: { ...DECODER, ...WINDOWS, modelType: 'gemma3_text', headDim: 8 },
    },
  ],
  encoderDecoders: [
    { family: 't5', tokenizer: 'unigram', options: T5 },
    {
      name: 't5 v1.1',
      family: 't5',
      tokenizer: 'unigram',
      options: { ...T5, feedForwardProj: 'gated-gelu', tieWordEmbeddings: false },
    },
    { family: 'bart', tokenizer: 'bpe', options: { ...BART, encoderAttentionHeads: 4, decoderAttentionHeads: 2 } },
  ],
}

/** @param {Parameters<typeof findPlugin>[0]} kind @param {string} name @returns {Promise<any>} */
const plugin = async (kind, name) => (await findPlugin(kind, userSpecifier(name), search)).plugin

/** @returns {Promise<Engine>} */
export const makeEngine = async () => (await plugin(ENGINE, 'onnxruntime'))()

/** A tokenizer trained on the texts. @param {string} name @returns {Promise<Tokenizer>} */
async function trained(name) {
  const type = await plugin(TOKENIZER, name)
  async function* examples() {
    for (let times = 0; times < 4; times++) for (const text of TEXTS) yield { text }
  }
  return type(await type.fit(type.options.parse({}), examples))
}

/** Options that name a special token. @param {readonly string[]} names @param {Tokenizer} tokenizer */
function specialOptions(names, { special, vocabularySize }) {
  const ids = {
    padTokenId: special.pad ?? 0,
    bosTokenId: special.begin ?? 1,
    eosTokenId: special.end ?? vocabularySize - 1,
    decoderStartTokenId: special.pad ?? 0,
    clsTokenId: special.begin ?? 0,
    sepTokenId: special.end ?? 0,
  }
  return Object.fromEntries(Object.entries(ids).filter(([name]) => names.includes(name)))
}

/**
 * Saves a tiny model with random weights in all parameters, and exports it.
 * @param {Engine} engine @param {Family} of @param {string} task @param {object} settings options of the objective @param {string} folder
 */
export async function saveAndExport(
  engine,
  { family, tokenizer: type, options, name = family },
  task,
  settings,
  folder,
) {
  const [tokenizer, makeModel, makeObjective] = [
    await trained(type),
    await plugin(MODEL, family),
    await plugin(OBJECTIVE, task),
  ]
  const names = Object.keys(makeModel.options.shape)
  /** @type {Model} */
  const model = makeModel({ ...specialOptions(names, tokenizer), ...options, vocabSize: tokenizer.vocabularySize })
  const objective = makeObjective(settings, { model, tokenizer })
  let number = 0
  const params = engine.compile(() =>
    mapParams(
      (p) => add(/** @type {any} */ (p), normal(deriveKey(key(1), number++), /** @type {any} */ (p).shape, 0.3)),
      { ...model.init(key(2)), ...objective.init(key(3)) },
    ),
  )()
  const saved = join(folder, `${name} ${task}`.replaceAll(/\W/g, '-'))
  await saveModel(saved, { engine, model, objective, tokenizer }, /** @type {any} */ (params))
  const { files } = await exportOnnx(saved, { searchPaths: search })
  return { folder: saved, files, model, tokenizer, objective, params: /** @type {any} */ (params) }
}
