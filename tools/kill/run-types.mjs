// @ts-check
/** Types of runs that are killed: every combination of an engine that starts here, an adapter and a set of callbacks. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENGINE, fileName } from '@attune/core'
import { findInstalled, installedPlugins } from '@attune/resolve'

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))
const places = { folders: [join(root, 'packages/cli/dist')] }

/** Engines that start on this machine. @returns {Promise<string[]>} */
async function enginesHere() {
  const names = []
  for (const { kind, name } of installedPlugins(places.folders)) {
    if (kind !== ENGINE.name) continue
    const engine = /** @type {import('@attune/core').Engine} */ (
      (await findInstalled(ENGINE, fileName(name), places)).plugin()
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

/** Options of an adapter, and of the training that goes with it. @type {Record<string, { options: object, training?: object }>} */
const ADAPTERS = {
  full: { options: {} },
  'frozen-layers': { options: { count: 2 }, training: { microBatchSize: 4, gradientCheckpointing: true } },
  lora: { options: { rank: 2, dropout: 0.1 } },
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

/** One type of run. @typedef {{ name: string, engine: string, adapter: object, callback: object[], training: object }} RunType */

/**
 * @param {boolean} all every combination; else so many that each pair of an engine, an adapter and a set of callbacks is among them
 * @returns {Promise<RunType[]>}
 */
export async function runTypes(all) {
  const callbacks = Object.entries(CALLBACKS)
  return (await enginesHere()).flatMap((engine, e) =>
    Object.entries(ADAPTERS).flatMap(([adapter, { options, training = {} }], a) =>
      callbacks
        .filter((_, c) => all || c === (e + a) % callbacks.length)
        .map(([name, callback]) => ({
          name: `${engine}, ${adapter}, ${name}`,
          engine,
          adapter: { use: adapter, ...options },
          callback,
          training,
        })),
    ),
  )
}

const WORDS = ['cat', 'dog', 'horse', 'bird', 'parser', 'linker', 'compiler', 'debugger']

/** Rows of short texts of several lengths, as JSON lines. */
export const rows = Array.from({ length: 70 }, (_, i) => {
  const text = Array.from({ length: 2 + (i % 9) }, (_word, j) => WORDS[(i * i + 3 * j) % 8]).join(' ')
  return JSON.stringify({ text, label: i % 3 === 0 ? 'animal' : 'tool' })
}).join('\n')

/** The configuration of a small BERT with its dropout, for rows in train.jsonl. @param {RunType} type */
export const configOf = ({ engine, adapter, callback, training }) => ({
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
  training: { epochs: 4, batchSize: 8, learningRate: 0.01, evaluateEvery: 5, ...training },
})
