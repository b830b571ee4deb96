// @ts-check
/**
 * Trains a BERT with dropout on onnxruntime in a separate process, to measure the memory of the steps. Prints {@link Memory} as JSON. The
 * argument is a {@link Job} as JSON.
 */
import { ENGINE, MODEL, OBJECTIVE, OPTIMIZER, key, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { chain, clipByGlobalNorm } from '@attune/nn'
import { trainingStep } from '@attune/trainer'
import { root } from './measure-model.mjs'

/** @import { Model, Objective, Optimizer } from '@attune/core' */

/**
 * Batches have `rows` texts of one of the `lengths`, in rotation.
 * @typedef {{ layers: number, width: number, rows: number, lengths: number[], steps: number, gradientCheckpointing: boolean }} Job
 */

/**
 * Memory of the process in megabytes before training, at its peak, and after each step (after garbage collection at every fiftieth); live
 * tensors after each step; losses; and the number of compiled and open sessions.
 * @typedef {{ before: number, peak: number, resident: number[], live: number[], losses: number[], sessions: { compiled: number, open: number } }} Memory
 */

/** @type {Job} */
const { layers, width, rows, lengths, steps, gradientCheckpointing } = JSON.parse(process.argv[2] ?? '{}')
const VOCABULARY = 500

const find = async (/** @type {any} */ kind, /** @type {string} */ name, /** @type {any[]} */ ...how) =>
  (await findPlugin(kind, userSpecifier(name), { folders: [root] })).plugin(...how)
/** @type {import('@attune/core').Engine} */
const engine = await find(ENGINE, 'onnxruntime')
await engine.start()
/** @type {Model} */
const model = await find(MODEL, 'bert', {
  vocabSize: VOCABULARY,
  hiddenSize: width,
  numHiddenLayers: layers,
  numAttentionHeads: 4,
  intermediateSize: 4 * width,
  maxPositionEmbeddings: Math.max(...lengths),
})
const tokenizer = { vocabularySize: VOCABULARY, special: { pad: 0 } }
/** @type {Objective<any, any, any>} */
const objective = await find(OBJECTIVE, 'sequence-classification', { labels: ['no', 'yes'] }, { model, tokenizer })
/** @type {Optimizer} */
const optimizer = chain(clipByGlobalNorm(1), await find(OPTIMIZER, 'adamw'))

const batches = lengths.map((length) =>
  objective.collate(
    Array.from({ length: rows }, (_, i) => {
      const ids = Array.from({ length }, (_id, j) => 1 + ((i * 31 + j * j * 7) % (VOCABULARY - 1)))
      return { ids, typeIds: ids.map(() => 0), length, truncated: false, label: i % 2 }
    }),
  ),
)
/** @returns {any} */
const scalar = (/** @type {number} */ value) => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })
const megabytes = (/** @type {number} */ bytes) => bytes / 2 ** 20

const trainable = engine.compile(() => ({ ...model.init(key(1)), ...objective.init(key(2)) }))()
/** @type {any} */
let state = { trainable, optimizer: engine.compile(() => optimizer.init(/** @type {any} */ (trainable)))() }
const step = engine.compile(trainingStep({ model, objective, optimizer, gradientCheckpointing }), { donate: [0, 2, 3] })
/** @type {Memory} */
const found = {
  before: megabytes(process.memoryUsage.rss()),
  peak: 0,
  resident: [],
  live: [],
  losses: [],
  sessions: { compiled: 0, open: 0 },
}
for (let i = 0; i < steps; i++) {
  const seed = { shape: [2], dtype: 'int32', values: Int32Array.of(i, 3) }
  /** @type {any} */
  const inputs = { learningRate: scalar(1e-4), step: scalar(i + 1), steps: scalar(9), seed, scheduled: {} }
  const given = /** @type {any} */ (engine.put({ batch: batches[i % batches.length], inputs }))
  const { state: next, ...result } = step(state, {}, given.batch, given.inputs)
  state = next
  found.losses.push(/** @type {number} */ ((await engine.read(result.loss)).values[0]))
  engine.release(result)
  if (i % 50 === 49) globalThis.gc?.()
  found.resident.push(megabytes(process.memoryUsage.rss()))
  found.live.push(engine.live())
}
const { compiled, open } = /** @type {any} */ (step).sessions
found.sessions = { compiled, open }
found.peak = megabytes(process.resourceUsage().maxRSS * 1024)
console.log(JSON.stringify(found))
