// @ts-check
/** Floating-point operations of the matrix products in a step, counted analytically. */

/** @typedef {import('./workloads.mjs').Workload} Workload */
/**
 * A linear layer: its name, input and output sizes; `first`: true if its input is the output of the layer below, at most normalized.
 * @typedef {{ name: string, inputs: number, outputs: number, first?: boolean }} Dense
 * @typedef {{ layers: number, attended: number, dense: readonly Dense[], hidden: number, pooled?: readonly string[] }} Shape `attended`: number
 * of heads times head size; `pooled`: the linear layers of the last layer that run on all tokens if only the first hidden state is read
 */

/** @param {string} name @param {number} inputs @param {number} outputs @returns {Dense} */
const dense = (name, inputs, outputs) => ({ name, inputs, outputs })
/** @param {string} name @param {number} inputs @param {number} outputs @returns {Dense} */
const first = (name, inputs, outputs) => ({ name, inputs, outputs, first: true })

/** Layers of a network, by model plugin. @type {Readonly<Record<string, (config: any) => Shape>>} */
const SHAPES = {
  bert: ({ hidden_size: h, intermediate_size: f, num_hidden_layers: layers }) => ({
    layers,
    hidden: h,
    attended: h,
    pooled: ['key', 'value'],
    dense: [
      ...['query', 'key', 'value'].map((name) => first(name, h, h)),
      dense('output.dense', h, h),
      dense('intermediate.dense', h, f),
      dense('output.dense', f, h),
    ],
  }),
  gpt2: ({ n_embd: h, n_layer: layers }) => ({
    layers,
    hidden: h,
    attended: h,
    dense: [first('c_attn', h, 3 * h), dense('c_proj', h, h), dense('c_fc', h, 4 * h), dense('c_proj', 4 * h, h)],
  }),
  llama({ hidden_size: h, intermediate_size: f, num_hidden_layers: layers, ...rest }) {
    const shared = (h / rest.num_attention_heads) * rest.num_key_value_heads
    return {
      layers,
      hidden: h,
      attended: h,
      dense: [
        first('q_proj', h, h),
        first('k_proj', h, shared),
        first('v_proj', h, shared),
        dense('o_proj', h, h),
        dense('gate_proj', h, f),
        dense('up_proj', h, f),
        dense('down_proj', f, h),
      ],
    }
  },
}

/**
 * Matrix products of a linear layer, each with `2 · inputs · outputs` operations per token. In full fine-tuning: the layer itself, and the
 * gradients of its input and of its weight. A frozen weight has no gradient. With LoRA, nothing below the projections of the lowest
 * layer is trainable, so the gradient of their input is not computed either.
 * @param {Dense} layer @param {number} depth @param {Workload} workload
 */
function forDense({ name, inputs, outputs, first: reads = false }, depth, { task, lora }) {
  const one = 2 * inputs * outputs
  if (task !== 'train') return one
  if (lora === undefined) return 3 * one
  const lowest = reads && depth === 0
  const frozen = (lowest ? 1 : 2) * one
  if (!lora.targets.includes(name)) return frozen
  const [down, up] = [2 * inputs * lora.rank, 2 * lora.rank * outputs]
  return frozen + (lowest ? 2 : 3) * down + 3 * up
}

/**
 * Floating-point operations of the matrix products that a step needs: those of the layers and, for language modeling, of the head, which
 * shares the word embeddings and is frozen with LoRA. If only the first token's hidden state is read, the last layer counts the keys and
 * values of all tokens, and the rest for the first token. Undefined for generation.
 * @param {Workload} workload
 */
export function matrixOperations(workload) {
  const { task, objective, lora, batch, length, model } = workload
  const shape = SHAPES[model.plugin]?.(model)
  if (task === 'write' || shape === undefined) return undefined
  const passes = task === 'train' ? 3 : 1
  const scores = passes * 4 * length * shape.attended // Q·Kᵀ and attention weights · V
  let forText = 0
  for (let depth = 0; depth < shape.layers; depth++) {
    const only = depth === shape.layers - 1 ? shape.pooled : undefined
    const tokens = (/** @type {Dense} */ { name }) => (only === undefined || only.includes(name) ? length : 1)
    forText += (only === undefined ? length : 1) * scores
    for (const layer of shape.dense) forText += tokens(layer) * forDense(layer, depth, workload)
  }
  const head = objective === 'causal-language-modeling' ? 2 * shape.hidden * model.vocab_size : 0
  return batch * (forText + length * (lora === undefined ? passes : Math.min(passes, 2)) * head)
}
