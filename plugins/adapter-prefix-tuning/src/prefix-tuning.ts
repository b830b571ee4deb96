import { ADAPTER, type Adapter, ENGINE, type Params, RANDOMNESS, definePlugin } from '@attune/core'
import {
  adaptPrompt,
  cacheLayout,
  describeVirtualTokens,
  initialEncoder,
  initialVectors,
  linear,
  prefixedModel,
  readPrompt,
  requireSame,
  savedTokens,
  tokensOption,
} from '@attune/nn'
import { tanh } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const [NAME, TYPE] = ['prefix-tuning', 'PREFIX_TUNING']
const AT = 'prompt_encoder'

/** Shapes of the MLP that computes keys and values from embeddings of virtual tokens, with the names of peft. */
const projectionShapes = (count: number, inputs: number, hidden: number, outputs: number) => ({
  [`${AT}.embedding.weight`]: [count, inputs],
  [`${AT}.transform.0.weight`]: [hidden, inputs],
  [`${AT}.transform.0.bias`]: [hidden],
  [`${AT}.transform.2.weight`]: [outputs, hidden],
  [`${AT}.transform.2.bias`]: [outputs],
})

/** Keys and values by the MLP, `[count, outputs]`. */
const projected = (params: Params) =>
  linear(params, `${AT}.transform.2`, tanh(linear(params, `${AT}.transform.0`, params[`${AT}.embedding.weight`]!)))

/**
 * Prefix tuning: every attention layer of a decoder also attends to trained keys and values of virtual tokens before each text; the
 * weights of the model are frozen. With `hiddenSize`, an MLP computes the keys and values from trained embeddings, as in the paper,
 * which stabilizes training. A head of the objective trains too, except one with a row for each token of the vocabulary. Only the
 * keys and values are saved, as in peft: training that continues from a saved adapter trains these themselves.
 *
 * The model's maximum length for texts is reduced by the virtual tokens. Keys are those after the rotary embedding. Throws AttuneError
 * `ADAPTER_MISMATCH` for a model without a KV cache.
 */
export const prefixTuning = definePlugin({
  kind: ADAPTER,
  name: NAME,
  summary:
    'Prefix tuning: trained keys and values before each text in every layer of a decoder; the model stays frozen',
  source: 'Li and Liang, Prefix-Tuning: Optimizing Continuous Prompts for Generation, 2021, section 4',
  exceptions: {
    initialFunction: 'virtual tokens are additional keys and values from the start',
    merge: 'keys and values of virtual tokens are inputs, which weights cannot replace',
    saved: 'the MLP is replaced with the keys and values that it computes',
  },
  options: z.strictObject({
    tokens: tokensOption,
    hiddenSize: z
      .int()
      .min(1)
      .max(65_536)
      .optional()
      .describe('Hidden size of an MLP that computes keys and values. Default: none, they train directly'),
  }),
  needs: { engine: ENGINE, randomness: RANDOMNESS },
  create: ({ tokens, hiddenSize }, { engine, randomness }): Adapter => ({
    describe: (model, saved) =>
      describeVirtualTokens(model, { adapter: NAME, count: saved === undefined ? tokens : savedTokens(saved, TYPE) }),
    adapt(model, params, { saved } = {}) {
      const count = saved === undefined ? tokens : savedTokens(saved.config, TYPE)
      requireSame(NAME, 'tokens', tokens, tokensOption.parse(undefined), count)
      const layout = cacheLayout(NAME, engine, model)
      const [{ heads, size }] = layout.entries as [(typeof layout.entries)[number]]
      const initial = () =>
        hiddenSize === undefined
          ? initialVectors(engine, randomness, [count, layout.width], model.initializerRange)
          : initialEncoder(engine, randomness, projectionShapes(count, heads * size, hiddenSize, layout.width))
      const tensors = saved === undefined ? initial() : readPrompt(model, params, saved, [count, layout.width])
      return adaptPrompt(model, params, {
        adapter: NAME,
        count,
        tensors,
        encode: projected,
        config: {
          peft_type: TYPE,
          prefix_projection: hiddenSize !== undefined,
          encoder_hidden_size: hiddenSize ?? null,
        },
        insert: (described, virtual) => prefixedModel(described, virtual, layout),
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter prefix-tuning': typeof prefixTuning
  }
}

export default prefixTuning
