// @ts-check
/**
 * What is measured. All peers start from the same weights and see the same batches: token `j` of batch `i` is
 * `(7919·j + 104729·i) mod vocabulary`, the label of row `j` is `(i + j) mod 16`, and nothing is padding.
 *
 * @typedef {{ vocabSize: number, hiddenSize: number, numHiddenLayers: number, numAttentionHeads: number, intermediateSize: number, maxPositionEmbeddings: number }} Shape
 * @typedef {{ name: string, title: string, task: 'train' | 'infer', batch: number, length: number, dropout: number, model: Shape, rounds: number }} Workload
 */

export const CLASSES = 16

const MINILM = {
  vocabSize: 30522,
  hiddenSize: 384,
  numHiddenLayers: 6,
  numAttentionHeads: 12,
  intermediateSize: 1536,
  maxPositionEmbeddings: 512,
}
const BASE = { ...MINILM, hiddenSize: 768, numHiddenLayers: 12, intermediateSize: 3072 }
const TINY = {
  ...MINILM,
  vocabSize: 500,
  hiddenSize: 32,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 64,
}

/** @type {readonly Workload[]} */
export const WORKLOADS = [
  {
    name: '1',
    title: 'MiniLM-L6 size encoder, full fine-tuning, 16 × 128 tokens',
    task: 'train',
    batch: 16,
    length: 128,
    dropout: 0.1,
    model: MINILM,
    rounds: 12,
  },
  {
    name: '2',
    title: 'BERT-base, full fine-tuning, 8 × 128 tokens',
    task: 'train',
    batch: 8,
    length: 128,
    dropout: 0.1,
    model: BASE,
    rounds: 6,
  },
  {
    name: '5a',
    title: 'MiniLM-L6 size encoder, inference, 1 × 128 tokens',
    task: 'infer',
    batch: 1,
    length: 128,
    dropout: 0,
    model: MINILM,
    rounds: 40,
  },
  {
    name: '5b',
    title: 'MiniLM-L6 size encoder, inference, 32 × 128 tokens',
    task: 'infer',
    batch: 32,
    length: 128,
    dropout: 0,
    model: MINILM,
    rounds: 12,
  },
]

/**
 * Trained for a few steps before anything is timed: without dropout all peers must have the same losses.
 * @type {Workload}
 */
export const CHECK = {
  name: 'check',
  title: 'a tiny encoder',
  task: 'train',
  batch: 4,
  length: 16,
  dropout: 0,
  model: TINY,
  rounds: 4,
}

/** Floating-point operations of a step's matrix products; the gradient takes two products for each of the forward pass. */
export function matrixOperations(/** @type {Workload} */ { task, batch, length, model }) {
  const { hiddenSize: h, intermediateSize: f, numHiddenLayers } = model
  const forToken = numHiddenLayers * (2 * (4 * h * h + 2 * h * f) + 4 * length * h)
  return (task === 'train' ? 3 : 1) * batch * length * forToken
}
