// @ts-check
/** Fine-tuning runs on texts of different lengths, and their peak memory in Attune and in PyTorch, one process each. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../check/packages.mjs'
import { attune, firstRows } from './estimates.mjs'

/**
 * A BERT of these sizes, trained on the first rows of examples/debian-sections.
 * @typedef {{ name: string, rows: number, batch: number, length: number, layers: number, width: number, heads: number, vocabulary: number }} Run
 */

/** @type {readonly Run[]} */
export const RUNS = [
  {
    name: 'MiniLM, batches of 16 × 64',
    ...{ rows: 199, batch: 16, length: 64, layers: 6, width: 384, heads: 12, vocabulary: 30522 },
  },
  {
    name: 'BERT-base, batches of 8 × 128',
    ...{ rows: 16, batch: 8, length: 128, layers: 12, width: 768, heads: 12, vocabulary: 30522 },
  },
]

const TOKENIZER = join(root, 'examples/models/debian-bert')
const python = process.env['PYTHON'] ?? 'python3'

/** Configuration of a run. @param {Run} run @param {string} folder */
const configOf = ({ batch, length, layers, width, heads, vocabulary }, folder) => ({
  seed: 7,
  directory: join(folder, 'run'),
  data: { train: { use: 'jsonl', path: 'train.jsonl' }, validation: { use: 'jsonl', path: 'train.jsonl' } },
  tokenizer: { use: 'wordpiece', path: TOKENIZER },
  model: {
    use: 'bert',
    vocabSize: vocabulary,
    hiddenSize: width,
    numHiddenLayers: layers,
    numAttentionHeads: heads,
    intermediateSize: 4 * width,
    maxPositionEmbeddings: 512,
  },
  objective: { use: 'sequence-classification', maximumLength: length },
  engine: 'onnxruntime',
  optimizer: { use: 'adamw', weightDecay: 0.01 },
  tracker: 'jsonl',
  training: { epochs: 1, batchSize: batch, learningRate: 5e-5, evaluateEvery: 1_000_000 },
})

/** Peak memory of a process in bytes, and the number of its steps. @typedef {{ peak: number, steps: number }} Measured */

/** Runs a command of Attune; returns its output and peak memory. @param {string[]} args @param {string} folder */
function peakOf(args, folder) {
  const file = join(folder, 'peak')
  const output = attune(args, file)
  return { output, peak: Number(readFileSync(file, 'utf8')) }
}

/** Number of steps of the run in a folder. @param {string} folder */
const stepsIn = (folder) =>
  readFileSync(join(folder, 'run/events.jsonl'), 'utf8').split('"type":"step.completed"').length - 1

/** @param {Run} run @param {string} train @returns {Measured} */
function pytorch({ batch, length, layers, width, heads, vocabulary }, train) {
  const model = {
    ...{ vocab_size: vocabulary, hidden_size: width, num_hidden_layers: layers, num_attention_heads: heads },
    ...{ intermediate_size: 4 * width, max_position_embeddings: 512 },
  }
  const tokenizer = join(TOKENIZER, 'tokenizer.json')
  const given = { threads: availableParallelism(), train, tokenizer, maximumLength: length, batchSize: batch, model }
  const program = join(import.meta.dirname, 'peer_pytorch_texts.py')
  const { status, stdout, stderr } = spawnSync(python, [program, JSON.stringify(given)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${python} failed: ${stderr.trim().split('\n').at(-1)}`)
  return JSON.parse(stdout)
}

/**
 * Measures a run, its plan, and the same run in PyTorch.
 * @param {Run} run @param {{ withPyTorch?: boolean }} [how]
 * @returns {{ name: string, trained: Measured, planned: { peak: number, estimated: number }, pytorch: Measured | undefined }}
 */
export function measureMemory(run, { withPyTorch = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-memory-'))
  try {
    const train = firstRows(run.rows, folder)
    const path = join(folder, 'config.json')
    writeFileSync(path, JSON.stringify(configOf(run, folder)))
    const plan = peakOf(['plan', path, '--json'], folder)
    const { peak } = peakOf(['train', path], folder)
    return {
      name: run.name,
      trained: { peak, steps: stepsIn(folder) },
      planned: { peak: plan.peak, estimated: JSON.parse(plan.output).peakBytes },
      pytorch: withPyTorch ? pytorch(run, train) : undefined,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const COLUMNS = ['run', 'steps', 'peak MB', 'of the plan', 'estimated', 'PyTorch', 'times PyTorch']

const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed()

/** @param {ReturnType<typeof measureMemory>} measured @returns {string[]} */
export const rowOf = ({ name, trained, planned, pytorch: peer }) => [
  name,
  String(trained.steps),
  ...[trained.peak, planned.peak, planned.estimated].map(megabytes),
  ...(peer === undefined ? ['', ''] : [megabytes(peer.peak), (trained.peak / peer.peak).toFixed(2)]),
]
