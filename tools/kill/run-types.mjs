// @ts-check
/** Types of runs to kill: combinations of an available engine, techniques (see techniques.mjs) and a set of callbacks. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENGINE, fileName } from '@attune/core'
import { findInstalled, installedPlugins } from '@attune/resolve'
import { TECHNIQUES } from './techniques.mjs'

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))
/** Folders to search for plugins. */
export const search = { folders: [join(root, 'packages/cli/dist')] }

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

/** Sets of callbacks by name. @type {Record<string, object[]>} */
const CALLBACKS = {
  'checkpoint by steps': [{ use: 'checkpoint', everySteps: 4 }],
  'checkpoint of the best': [{ use: 'checkpoint', everySteps: 6, best: 'accuracy' }],
  'early stopping': [
    { use: 'checkpoint', everySteps: 3 },
    { use: 'early-stopping', metric: 'loss', patience: 3 },
  ],
}

/** One type of run. @typedef {{ name: string, config: object }} RunType */

/** Techniques of the runs that are killed at random moments, for each set of callbacks. */
const AT_RANDOM_MOMENTS = ['full', 'frozen-layers', 'lora']

/** Every set of callbacks on one engine, and one of them on each other engine. @returns {Promise<RunType[]>} */
export async function typesOfEngines() {
  const pairs = Object.keys(CALLBACKS).map((callbacks, i) => [callbacks, AT_RANDOM_MOMENTS[i] ?? 'full'])
  return (await availableEngines()).flatMap((engine, e) =>
    pairs
      .filter((_, i) => e === 0 || i === e % pairs.length)
      .map(([callbacks = '', technique = '']) => typeOf(engine, technique, callbacks)),
  )
}

/** Every technique on the compiled engine, by its name. */
export const typesOfTechniques = () =>
  new Map(Object.keys(TECHNIQUES).map((name) => [name, typeOf('onnxruntime', name, 'checkpoint by steps')]))

const WORDS = ['cat', 'dog', 'horse', 'bird', 'parser', 'linker', 'compiler', 'debugger']

/** Rows of short texts of different lengths, as JSON Lines. */
export const rows = Array.from({ length: 70 }, (_, i) => {
  const text = Array.from({ length: 2 + (i % 9) }, (_word, j) => WORDS[(i * i + 3 * j) % 8]).join(' ')
  return JSON.stringify({ text, label: i % 3 === 0 ? 'animal' : 'tool', origin: i % 4 === 0 ? 'a' : 'b' })
}).join('\n')

/**
 * A run of a small BERT with dropout, unless the technique has another model, for rows in train.jsonl.
 * @param {string} engine @param {string} name of a technique @param {string} callbacks name of a set @returns {RunType}
 */
function typeOf(engine, name, callbacks) {
  const technique = /** @type {import('./techniques.mjs').Technique} */ (TECHNIQUES[name])
  const { options, optimizer, regularizer = [], training, model } = technique
  const config = {
    seed: 5,
    data: { train: { use: 'jsonl', path: 'train.jsonl' } },
    tokenizer: { use: 'wordpiece', vocabularySize: 120 },
    model: model ?? {
      use: 'bert',
      hiddenSize: 16,
      numHiddenLayers: 2,
      numAttentionHeads: 2,
      intermediateSize: 32,
      maxPositionEmbeddings: 16,
      hiddenDropoutProb: 0.2,
      attentionProbsDropoutProb: 0.2,
    },
    objective: { use: 'sequence-classification', padToMultipleOf: 12 },
    // More threads would wait for one another in operations as small as these.
    engine: engine === 'onnxruntime' ? { use: engine, threads: 1 } : engine,
    adapter: { use: name, ...options },
    optimizer,
    regularizer,
    metric: ['accuracy'],
    callback: CALLBACKS[callbacks],
    training: { epochs: 3, batchSize: 8, learningRate: 0.01, evaluateEvery: 6, ...training },
  }
  return { name: `${engine}, ${name}, ${callbacks}`, config }
}
