// @ts-check
/**
 * The workloads. All peers start from the same weights and use the same batches. In training and inference, token `j` of batch `i` is
 * `1 + (7919·j + 104729·i) mod (vocabulary − 1)`: the embedding of token 0 is all zeros, where norms have no finite gradient through many
 * layers. The label of row `j` is `(i + j) mod 16`, and there is no padding.
 *
 * @typedef {{ plugin: string, model_type: string, vocab_size: number } & Record<string, number | string | boolean>} Network a transformers config and its plugin
 * @typedef {'sequence-classification' | 'causal-language-modeling'} Objective
 * @typedef {{ rank: number, alpha: number, targets: readonly string[] }} LowRank
 * @typedef {{ name: string, title: string, task: 'train' | 'infer' | 'write', objective: Objective, lora?: LowRank, learningRate: number, batch: number, length: number, model: Network, rounds: number }} Workload
 */

export const CLASSES = 16

const MINILM = {
  plugin: 'bert',
  model_type: 'bert',
  vocab_size: 30522,
  hidden_size: 384,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  intermediate_size: 1536,
  max_position_embeddings: 512,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
}
const BASE = { ...MINILM, hidden_size: 768, num_hidden_layers: 12, intermediate_size: 3072 }
const GPT2 = {
  plugin: 'gpt2',
  model_type: 'gpt2',
  vocab_size: 50257,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
  n_positions: 1024,
  resid_pdrop: 0.1,
  embd_pdrop: 0.1,
  attn_pdrop: 0.1,
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
const OF_GPT2 = { rank: 8, alpha: 16, targets: ['c_attn'] }
const OF_BERT = { rank: 8, alpha: 16, targets: ['query', 'value'] }
const OF_LLAMA = { rank: 8, alpha: 16, targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj'] }

const classifying = /** @type {const} */ ({ objective: 'sequence-classification', learningRate: 5e-5 })
const predicting = /** @type {const} */ ({ objective: 'causal-language-modeling', learningRate: 2e-4 })

/** In generation workloads, `length` is the number of tokens after prompts of {@link PROMPT} tokens. @type {readonly Workload[]} */
export const WORKLOADS = [
  {
    name: '1',
    title: 'MiniLM-L6 size encoder, full fine-tuning, 16 × 128 tokens',
    task: 'train',
    ...classifying,
    batch: 16,
    length: 128,
    model: MINILM,
    rounds: 12,
  },
  {
    name: '2',
    title: 'BERT-base, full fine-tuning, 8 × 128 tokens',
    task: 'train',
    ...classifying,
    batch: 8,
    length: 128,
    model: BASE,
    rounds: 6,
  },
  {
    name: '3',
    title: 'GPT-2 small, causal language modeling, LoRA of rank 8 on attention (`c_attn`), 4 × 256 tokens',
    task: 'train',
    ...predicting,
    lora: OF_GPT2,
    batch: 4,
    length: 256,
    model: GPT2,
    rounds: 6,
  },
  {
    name: '4',
    title:
      'Llama with 135 M parameters, causal language modeling, LoRA of rank 8 on attention (`q`, `k`, `v`, `o`), 2 × 512 tokens',
    task: 'train',
    ...predicting,
    lora: OF_LLAMA,
    batch: 2,
    length: 512,
    model: LLAMA_135M,
    rounds: 6,
  },
  {
    name: '5a',
    title: 'MiniLM-L6 size encoder, inference, 1 × 128 tokens',
    task: 'infer',
    ...classifying,
    batch: 1,
    length: 128,
    model: MINILM,
    rounds: 40,
  },
  {
    name: '5b',
    title: 'MiniLM-L6 size encoder, inference, 32 × 128 tokens',
    task: 'infer',
    ...classifying,
    batch: 32,
    length: 128,
    model: MINILM,
    rounds: 12,
  },
  {
    name: '6a',
    title: 'GPT-2 small, greedy decoding, 64 tokens after a prompt of 16',
    task: 'write',
    ...predicting,
    batch: 1,
    length: 64,
    model: GPT2,
    rounds: 8,
  },
  {
    name: '6b',
    title: 'Llama with 135 M parameters, greedy decoding, 64 tokens after a prompt of 16',
    task: 'write',
    ...predicting,
    batch: 1,
    length: 64,
    model: LLAMA_135M,
    rounds: 8,
  },
]

/** LoRA on a classifier, compared with peft by costs.mjs. @type {Workload} */
export const LORA = {
  name: 'lora',
  title: 'MiniLM-L6 size encoder, classification, LoRA of rank 8 on attention (`query`, `value`), 16 × 128 tokens',
  task: 'train',
  ...classifying,
  lora: OF_BERT,
  batch: 16,
  length: 128,
  model: MINILM,
  rounds: 9,
}

/** Number of tokens in a prompt. */
export const PROMPT = 16

/** The prompt of an index. @param {number} i @param {number} vocabulary */
export const promptOf = (i, vocabulary) =>
  Array.from({ length: PROMPT }, (_, j) => (7919 * j + 104_729 * i) % vocabulary)

/** Hash of the generated tokens. @param {readonly number[]} tokens */
export const checksum = (tokens) => tokens.reduce((sum, token) => (31 * sum + token) % 1_000_003, 0)

const checking = /** @type {const} */ ({ task: 'train', learningRate: 1e-2, batch: 4, length: 16, rounds: 4 })

/** @type {Workload} */
const TINY_ENCODER = {
  name: 'check',
  title: 'a tiny encoder',
  ...checking,
  objective: 'sequence-classification',
  model: {
    ...MINILM,
    vocab_size: 500,
    hidden_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 64,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
  },
}

/**
 * Workloads to verify the peers before timing: without dropout, all must have the same losses in a few steps. The learning rate is large,
 * so that a different update shows. By the plugin of the workloads that they represent.
 * @type {Readonly<Record<string, Workload>>}
 */
export const CHECKS = {
  bert: TINY_ENCODER,
  gpt2: {
    name: 'check',
    title: 'tiny GPT-2 with LoRA',
    ...checking,
    objective: 'causal-language-modeling',
    lora: OF_GPT2,
    model: {
      ...GPT2,
      vocab_size: 500,
      n_embd: 32,
      n_layer: 2,
      n_head: 2,
      n_positions: 32,
      resid_pdrop: 0,
      embd_pdrop: 0,
      attn_pdrop: 0,
    },
  },
  llama: {
    name: 'check',
    title: 'tiny Llama with LoRA',
    ...checking,
    objective: 'causal-language-modeling',
    lora: OF_LLAMA,
    model: {
      ...LLAMA_135M,
      vocab_size: 500,
      hidden_size: 32,
      intermediate_size: 64,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
    },
  },
}

/** The check of {@link LORA}. @type {Workload} */
export const LORA_CHECK = { ...TINY_ENCODER, title: 'a tiny encoder with LoRA', lora: OF_BERT }
