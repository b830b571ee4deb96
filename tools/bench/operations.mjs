// @ts-check
/** The work in a step: the floating-point operations of its matrix products, counted by hand. */

/** @typedef {import('./workloads.mjs').Workload} Workload */
/**
 * A dense layer: its name, inputs and outputs, and whether it reads what the layer below gives, normed at most.
 * @typedef {{ name: string, inputs: number, outputs: number, first?: boolean }} Dense
 * @typedef {{ layers: number, attended: number, dense: readonly Dense[], hidden: number, pooled?: readonly string[] }} Shape `attended`: heads
 * times their width; `pooled`: the dense layers of the last layer that are needed of all tokens, where only the first one's state is read
 */

/** @param {string} name @param {number} inputs @param {number} outputs @returns {Dense} */
const dense = (name, inputs, outputs) => ({ name, inputs, outputs })
/** @param {string} name @param {number} inputs @param {number} outputs @returns {Dense} */
const first = (name, inputs, outputs) => ({ name, inputs, outputs, first: true })

/** The layers of a network, by its plugin. @type {Readonly<Record<string, (config: any) => Shape>>} */
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
 * Products of a dense layer, each of `2 · inputs · outputs` for a token. Where all trains: the layer itself, the gradient of
 * its input and that of its weight. A frozen weight has no gradient; and with LoRA nothing below the lowest layer's
 * projections learns, so that the gradient of their input is not made either.
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
 * Floating-point operations of a step's matrix products, as far as the step needs them: those of the layers and, where tokens
 * are predicted, of the head, which is the word embeddings, frozen with LoRA. Where only the first token's state is read, the
 * last layer counts with the keys and values of all tokens and the rest of the first. Nothing where text is written.
 * @param {Workload} workload
 */
export function matrixOperations(workload) {
  const { task, objective, lora, batch, length, model } = workload
  const shape = SHAPES[model.plugin]?.(model)
  if (task === 'write' || shape === undefined) return undefined
  const passes = task === 'train' ? 3 : 1
  const scores = passes * 4 * length * shape.attended // queries with keys, weights with values
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
