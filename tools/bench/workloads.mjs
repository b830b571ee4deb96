// @ts-check
/**
 * What is measured. All peers start from the same weights and see the same batches: token `j` of batch `i` is
 * `(7919·j + 104729·i) mod vocabulary`, the label of row `j` is `(i + j) mod 16`, and nothing is padding.
 *
 * @typedef {{ vocabSize: number, hiddenSize: number, numHiddenLayers: number, numAttentionHeads: number, intermediateSize: number, maxPositionEmbeddings: number }} Shape
 * @typedef {{ name: string, title: string, task: 'train' | 'infer' | 'write', batch: number, length: number, dropout: number, model: Shape | Writing, rounds: number }} Workload
 * @typedef {{ plugin: string, model_type: string } & Record<string, unknown>} Writing a Hugging Face config, and the plugin that reads it
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
/** `length` is how many tokens are written after prompts of {@link PROMPT}. */
const GPT2 = {
  plugin: 'gpt2',
  model_type: 'gpt2',
  vocab_size: 50257,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
  n_positions: 1024,
}
const LLAMA_135M = {
  plugin: 'llama',
  model_type: 'llama',
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 2048,
  tie_word_embeddings: true,
  eos_token_id: 0,
  bos_token_id: 0,
  pad_token_id: 0,
}
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
  {
    name: '6a',
    title: 'GPT-2 small, greedy, 64 tokens after 16',
    task: 'write',
    batch: 1,
    length: 64,
    dropout: 0,
    model: GPT2,
    rounds: 8,
  },
  {
    name: '6b',
    title: 'a Llama of 135 M parameters, greedy, 64 tokens after 16',
    task: 'write',
    batch: 1,
    length: 64,
    dropout: 0,
    model: LLAMA_135M,
    rounds: 8,
  },
]

/** Tokens of a prompt. */
export const PROMPT = 16

/** The prompt of a number. @param {number} i @param {number} vocabulary */
export const promptOf = (i, vocabulary) =>
  Array.from({ length: PROMPT }, (_, j) => (7919 * j + 104_729 * i) % vocabulary)

/** One number for what was written: the same for the same tokens. @param {readonly number[]} tokens */
export const checksum = (tokens) => tokens.reduce((sum, token) => (31 * sum + token) % 1_000_003, 0)

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
  if (task === 'write') return undefined
  const { hiddenSize: h, intermediateSize: f, numHiddenLayers } = /** @type {Shape} */ (model)
  const forToken = numHiddenLayers * (2 * (4 * h * h + 2 * h * f) + 4 * length * h)
  return (task === 'train' ? 3 : 1) * batch * length * forToken
}
