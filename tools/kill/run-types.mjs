// @ts-check
/** Types of runs to kill: every combination of an available engine, an adapter and a set of callbacks. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENGINE, fileName } from '@attune/core'
import { findInstalled, installedPlugins } from '@attune/resolve'

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))
const search = { folders: [join(root, 'packages/cli/dist')] }

/** Engines that start on this machine. @returns {Promise<string[]>} */
async function availableEngines() {
  const names = []
  for (const { kind, name } of installedPlugins(search.folders)) {
    if (kind !== ENGINE.name) continue
    const engine = /** @type {import('@attune/core').Engine} */ (
      (await findInstalled(ENGINE, fileName(name), search)).plugin()
    )
    const starts = await engine.start().then(
      () => true,
      () => false,
    )
    await engine.close()
    if (starts) names.push(name)
  }
  return names
}

/** A small decoder, for adapters that need a KV cache. */
const DECODER = {
  use: 'gpt2',
  nEmbd: 32,
  nLayer: 2,
  nHead: 2,
  nPositions: 24,
  embdPdrop: 0.2,
  residPdrop: 0.2,
}

/** Optimizers with state beyond the moments, and regularizers that sample, prepare, or compare passes: one run for all of them. */
const CHAINS = {
  optimizer: [
    'adaptive-gradient-clipping',
    'gradient-centralization',
    'gradient-noise',
    'adamw-8bit',
    'lookahead',
    { use: 'exponential-moving-average', decay: 0.9 },
  ],
  regularizer: ['l2-sp', 'neftune', 'stochastic-depth', 'spectral-norm', 'r-drop'],
}

/**
 * Options of an adapter, and the training options and other parts of the configuration that go with it.
 * @type {Record<string, { options: object, training?: object, rest?: object }>}
 */
const ADAPTERS = {
  full: { options: {} },
  'frozen-layers': { options: { count: 2 }, training: { microBatchSize: 4, gradientCheckpointing: true } },
  lora: { options: { rank: 2, dropout: 0.1 } },
  pissa: { options: { rank: 2 } },
  adalora: { options: { initialRank: 3, targetRank: 2, every: 2 }, training: { microBatchSize: 4 } },
  bottleneck: { options: { size: 4 } },
  dora: { options: { rank: 2 } },
  ia3: { options: {} },
  'p-tuning': { options: { tokens: 2, hiddenSize: 8 } },
  'prefix-tuning': { options: { tokens: 2 }, rest: { model: DECODER } },
  'prompt-tuning': { options: { tokens: 2 } },
  qlora: { options: { rank: 2 } },
  vera: { options: { rank: 8, dropout: 0.1 } },
  'movement-pruning': { options: { fraction: 0.4 } },
  'attention-statistics': { options: { by: 'low-entropy', fraction: 0.5 } },
  'top-layers': { options: { count: 1 }, rest: CHAINS },
}

/** Sets of callbacks by name. @type {Record<string, object[]>} */
const CALLBACKS = {
  'checkpoint by steps': [{ use: 'checkpoint', everySteps: 4 }],
  'checkpoint of the best': [{ use: 'checkpoint', everySteps: 6, best: 'accuracy' }],
  'early stopping': [
    { use: 'checkpoint', everySteps: 3 },
    { use: 'early-stopping', metric: 'loss', patience: 3 },
  ],
}

/** One type of run. @typedef {{ name: string, engine: string, adapter: object, callback: object[], training: object, rest: object }} RunType */

/**
 * @param {boolean} all every combination; else a subset that covers each pair of engine, adapter and set of callbacks
 * @returns {Promise<RunType[]>}
 */
export async function runTypes(all) {
  const callbacks = Object.entries(CALLBACKS)
  return (await availableEngines()).flatMap((engine, e) =>
    Object.entries(ADAPTERS).flatMap(([adapter, { options, training = {}, rest = {} }], a) =>
      callbacks
        .filter((_, c) => all || c === (e + a) % callbacks.length)
        .map(([name, callback]) => ({
          name: `${engine}, ${adapter}, ${name}`,
          engine,
          adapter: { use: adapter, ...options },
          callback,
          training,
          rest,
        })),
    ),
  )
}

const WORDS = ['cat', 'dog', 'horse', 'bird', 'parser', 'linker', 'compiler', 'debugger']

/** Rows of short texts of different lengths, as JSON Lines. */
export const rows = Array.from({ length: 70 }, (_, i) => {
  const text = Array.from({ length: 2 + (i % 9) }, (_word, j) => WORDS[(i * i + 3 * j) % 8]).join(' ')
  return JSON.stringify({ text, label: i % 3 === 0 ? 'animal' : 'tool' })
}).join('\n')

/** Configuration of a small BERT with dropout, unless the type has another model, for rows in train.jsonl. @param {RunType} type */
export const configOf = ({ engine, adapter, callback, training, rest }) => ({
  seed: 5,
  data: { train: { use: 'jsonl', path: 'train.jsonl' } },
  tokenizer: { use: 'wordpiece', vocabularySize: 120 },
  model: {
    use: 'bert',
    hiddenSize: 32,
    numHiddenLayers: 2,
    numAttentionHeads: 2,
    intermediateSize: 64,
    maxPositionEmbeddings: 24,
    hiddenDropoutProb: 0.2,
    attentionProbsDropoutProb: 0.2,
  },
  objective: { use: 'sequence-classification', padToMultipleOf: 4 },
  engine,
  adapter,
  metric: ['accuracy'],
  callback,
  ...rest,
  training: { epochs: 4, batchSize: 8, learningRate: 0.01, evaluateEvery: 5, ...training },
})
