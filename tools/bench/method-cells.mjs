// @ts-check
/**
 * Cells of the comparison of fine-tuning methods: what is trained, on which data, with which seed and learning rate. A cell is one short run
 * of the small pretrained BERT of examples/models/debian-bert (4 layers, 256 hidden units) on one core.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../check/packages.mjs'

/** @typedef {'sections' | 'spam'} DataSet */
/** @typedef {'optimizer and schedule' | 'partial fine-tuning' | 'low-rank and other adapters' | 'regularizer'} Group */
/** A method under comparison. @typedef {{ group: Group, name: string, config: Readonly<Record<string, unknown>>, rated: string, rate: number }} Method `rated` names the methods that share a learning rate */
/** One run. @typedef {Method & { set: DataSet, seed: number, split: 'validation' | 'test' }} Cell */

export const GROUPS = /** @type {const} */ ([
  'optimizer and schedule',
  'partial fine-tuning',
  'low-rank and other adapters',
  'regularizer',
])

const OPTIMIZERS = /** @type {const} */ ([
  ['adamw', { use: 'adamw', weightDecay: 0.01 }, 5e-4],
  ['lion', { use: 'lion', weightDecay: 0.01 }, 1e-4],
  ['sgd with momentum', { use: 'sgd', momentum: 0.9 }, 3e-2],
  ['muon', { use: 'muon' }, 1e-3],
])
const SCHEDULES = ['constant', 'linear', 'cosine']

/** Adapters that train a part of the model's own parameters, and their learning rates. */
const PARTIAL = /** @type {const} */ ([
  ['top half of the layers', { use: 'top-layers', count: 2 }, 5e-4],
  ['frozen embeddings and lower half', { use: 'frozen-layers', count: 3 }, 5e-4],
  ['bitfit', { use: 'bitfit' }, 5e-3],
  ['attention-only', { use: 'attention-only' }, 1e-3],
  ['norms-only', { use: 'norms-only' }, 5e-3],
  ['head-only', { use: 'head-only' }, 5e-3],
])
/** Adapters that need a decoder with a KV cache: peft refuses prefix tuning for BERT too, which takes no past keys and values. */
const NEEDS_DECODER = new Set(['prefix-tuning'])
const IS_PARTIAL = new Set(['full', ...PARTIAL.map(([, { use }]) => use)])
/** Options of adapters for this comparison; other adapters have their defaults. @type {Readonly<Record<string, object>>} */
const ADAPTER_OPTIONS = { lora: { rank: 8, alpha: 16 } }

const STRENGTHS = /** @type {const} */ ({
  l2: ['strength', [1e-5, 1e-4, 1e-3]],
  'r-drop': ['strength', [0.5, 1, 5]],
  neftune: ['alpha', [1, 5, 15]],
})
const FULL_RATE = OPTIMIZERS[0][2]

/** Names of the adapters in the plugins folder for this model that are not partial fine-tuning: LoRA and its family, prompts, bottlenecks. */
export const otherAdapters = (folder = join(root, 'plugins')) =>
  readdirSync(folder)
    .filter((name) => name.startsWith('adapter-'))
    .map((name) => name.replace('adapter-', ''))
    .filter((name) => !IS_PARTIAL.has(/** @type {any} */ (name)) && !NEEDS_DECODER.has(name))
    .sort()

/** @returns {Method[]} */
const optimizerMethods = () =>
  OPTIMIZERS.flatMap(([name, optimizer, rate]) =>
    SCHEDULES.map((scheduler) => ({
      group: GROUPS[0],
      name: `${name}, ${scheduler}`,
      config: { optimizer, scheduler },
      rated: name,
      rate,
    })),
  )

/** @returns {Method[]} */
const adapterMethods = () => [
  { group: GROUPS[1], name: 'full', config: {}, rated: 'adamw', rate: FULL_RATE },
  ...PARTIAL.map(([name, adapter, rate]) => ({ group: GROUPS[1], name, config: { adapter }, rated: name, rate })),
  ...otherAdapters().map((use) => ({
    group: GROUPS[2],
    name: use,
    config: { adapter: { use, ...ADAPTER_OPTIONS[use] } },
    rated: use,
    rate: 2e-3,
  })),
]

/** Regularizers on full fine-tuning; `r-drop` compares two dropout masks, so all of these runs have dropout. @returns {Method[]} */
const regularizerMethods = () => {
  const dropout = { hiddenDropoutProb: 0.1, attentionProbsDropoutProb: 0.1 }
  const method = (/** @type {string} */ name, /** @type {object[]} */ regularizer) => ({
    group: GROUPS[3],
    name,
    config: { regularizer, dropout },
    rated: 'adamw',
    rate: FULL_RATE,
  })
  const sweeps = Object.entries(STRENGTHS).flatMap(([use, [option, values]]) =>
    values.map((value) => method(`${use}, ${option} ${value}`, [{ use, [option]: value }])),
  )
  return [method('none', []), ...sweeps]
}

export const allMethods = () => [...optimizerMethods(), ...adapterMethods(), ...regularizerMethods()]

/** Factors on the learning rates that are tried on the validation split. */
const FACTORS = [0.3, 1, 3]
const LINEAR = /^(?!.*, (constant|cosine)$)/

/** Runs that select learning rates: one for each rate of a method, on the validation split of the sections. @returns {Cell[]} */
export function rateCells() {
  const seen = new Set()
  const methods = allMethods().filter(({ group, name, rated }) => {
    if (group === 'regularizer' || !LINEAR.test(name) || seen.has(rated)) return false
    return seen.add(rated)
  })
  return methods.flatMap((method) =>
    FACTORS.map((factor) => ({
      ...method,
      rate: Number((method.rate * factor).toPrecision(2)),
      set: /** @type {const} */ ('sections'),
      seed: 0,
      split: /** @type {const} */ ('validation'),
    })),
  )
}

/** Cells of the comparison. On spam, adapters only: they are what a second data set can reorder most. @param {readonly number[]} seeds @returns {Cell[]} */
export const testCells = (seeds) =>
  /** @type {const} */ (['sections', 'spam']).flatMap((set) =>
    allMethods()
      .filter(({ group }) => set === 'sections' || group === GROUPS[1] || group === GROUPS[2])
      .flatMap((method) => seeds.map((seed) => ({ ...method, set, seed, split: /** @type {const} */ ('test') }))),
  )

/** Identifies a cell among the results. @param {Cell} cell */
export const keyOf = ({ group, name, set, seed, split, rate }) => [set, split, group, name, seed, rate].join(' | ')

export const [EPOCHS, BATCH, LENGTH] = [1, 16, 32]

/** Configuration of the run of a cell. @param {Cell} cell @param {string} folder with `SET-SPLIT.jsonl` */
export const runOf = ({ config, set, seed, split, rate }, folder) => {
  const { dropout = {}, ...rest } = /** @type {{ dropout?: object }} */ (config)
  const start = join(root, 'examples/models/debian-bert')
  return {
    seed,
    data: {
      train: { use: 'jsonl', path: join(folder, `${set}-train.jsonl`) },
      validation: { use: 'jsonl', path: join(folder, `${set}-${split}.jsonl`) },
    },
    tokenizer: { use: 'wordpiece', path: start },
    model: { use: 'bert', from: start, ...dropout },
    objective: { use: 'sequence-classification', maximumLength: LENGTH, padToMultipleOf: LENGTH },
    engine: { use: 'onnxruntime', device: 'cpu', threads: 1 },
    optimizer: { use: 'adamw', weightDecay: 0.01 },
    scheduler: 'linear',
    metric: ['accuracy', 'f1'],
    ...rest,
    training: { epochs: EPOCHS, batchSize: BATCH, learningRate: rate },
  }
}
