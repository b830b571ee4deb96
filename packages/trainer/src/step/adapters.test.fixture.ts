import {
  ADAPTER,
  type Adapter,
  type LayerHook,
  type Model,
  type Params,
  type SavedAdapter,
  definePlugin,
  deriveKey,
  key,
} from '@attune/core'
import { filledWith, fromPeft, malformedAdapter, normal, requireShapes, toPeft, withHook } from '@attune/nn'
import { type Tensor, add, concat, div, fill, matMul, mul, norm, reshape, slice, zeros } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const none = z.strictObject({})
const QUERY = /(query|value|toy\.dense)\.weight$/

/** Layers to adapt: query and value projections, or the toy model's only layer. */
const layersOf = (params: Params): string[] =>
  Object.keys(params)
    .filter((name) => QUERY.test(name))
    .map((name) => name.slice(0, -'.weight'.length))

const hooked = (model: Model, hook: LayerHook): Model => ({
  ...model,
  forward: (params, inputs, mode) => model.forward(withHook(params, hook), inputs, mode),
})

/**
 * IA³: scales the output of layers by a learned vector, `y = l ∘ (x·Wᵀ + b)`.
 * Source: Liu et al., Few-Shot Parameter-Efficient Fine-Tuning, 2022, section 3.3.
 */
export const ia3 = definePlugin({
  kind: ADAPTER,
  name: 'ia3',
  summary: 'Learned vectors that scale layer outputs',
  options: none,
  create: (): Adapter => ({
    adapt(model, params) {
      const layers = layersOf(params)
      const scaled: LayerHook = ({ kind, name, params: all }, x, compute) => {
        const scale = kind === 'linear' ? all[`${name}.ia3_l`] : undefined
        return scale === undefined ? compute(x) : mul(compute(x), scale)
      }
      return {
        model: hooked(model, scaled),
        trainable: Object.fromEntries(
          layers.map((layer) => [`${layer}.ia3_l`, filledWith([params[`${layer}.weight`]!.shape[0]!], 1)]),
        ),
        frozen: params,
        merge: (trainable, frozen) => ({
          ...frozen,
          ...Object.fromEntries(
            layers.flatMap((layer) => {
              const scale = trainable[`${layer}.ia3_l`]!
              const [weight, bias] = [`${layer}.weight`, `${layer}.bias`]
              return [
                [weight, mul(frozen[weight]!, reshape(scale, [-1, 1]))],
                [bias, mul(frozen[bias]!, scale)],
              ] as const
            }),
          ),
        }),
      }
    },
  }),
})

const rowNorms = (weight: Tensor): Tensor => norm(weight, 'euclidean', 1, true) as Tensor

/** `m ∘ (W + B·A) / ‖W + B·A‖`, norms by row. */
const decomposed = (weight: Tensor, of: (part: string) => Tensor): Tensor => {
  const moved = add(weight, matMul(of('dora_B'), of('dora_A')))
  return mul(of('dora_m'), div(moved, rowNorms(moved)))
}

/** Weight-decomposed low-rank adaptation (DoRA): learned magnitude of each weight row, low-rank update of its direction. Source: Liu et al., DoRA, 2024, section 4. */
export const dora = definePlugin({
  kind: ADAPTER,
  name: 'dora',
  summary: 'Learned magnitudes and low-rank updates of directions',
  options: none,
  create: (): Adapter => ({
    adapt(model, params) {
      const layers = layersOf(params)
      const partOf = (all: Params, layer: string) => (part: string) => all[`${layer}.${part}`]!
      const replaced: LayerHook = ({ name, params: all, weight }, x, compute) =>
        all[`${name}.dora_m`] === undefined ? compute(x) : compute(x, decomposed(weight!, partOf(all, name)))
      return {
        model: hooked(model, replaced),
        trainable: Object.fromEntries(
          layers.flatMap((layer) => {
            const weight = params[`${layer}.weight`]!
            const [outputs, inputs] = weight.shape as [number, number]
            return [
              [`${layer}.dora_A`, normal(deriveKey(key(5), layer), [2, inputs], 0.3)],
              [`${layer}.dora_B`, filledWith([outputs, 2], 0)],
              [`${layer}.dora_m`, rowNorms(weight)],
            ] as const
          }),
        ),
        frozen: params,
        merge: (trainable, frozen) => ({
          ...frozen,
          ...Object.fromEntries(
            layers.map((layer) => [
              `${layer}.weight`,
              decomposed(frozen[`${layer}.weight`]!, partOf(trainable, layer)),
            ]),
          ),
        }),
      }
    },
  }),
})

/** Prepends `count` columns of `value` to an int32 tensor `[batch, length]`; undefined stays undefined. */
const prepend = (x: Tensor | undefined, count: number, value: number): Tensor | undefined =>
  x && concat([fill([x.shape[0] as number, count], value, 'int32'), x], 1)

/**
 * Prompt tuning: learned embeddings are prepended to those of the text; outputs cover the text only. The head reads the model's pooled
 * vector of both. Source: Lester et al., The Power of Scale for Parameter-Efficient Prompt Tuning, 2021, section 2.
 */
export const promptTuning = definePlugin({
  kind: ADAPTER,
  name: 'prompt-tuning',
  summary: 'Learned embeddings prepended to the text',
  options: z.strictObject({ count: z.int().min(1).max(100).default(2).describe('Number of learned embeddings') }),
  exceptions: { initialFunction: 'the prompt shifts the text', merge: 'the base model has no prompt' },
  create: ({ count }): Adapter => ({
    describe: (model) => ({ ...model, maximumLength: model.maximumLength - count }),
    adapt(model, params, { saved } = {}) {
      const words = model.wordEmbeddings.replace(/\.weight$/, '')
      const name = `${words}_prompt`
      const width = params[model.wordEmbeddings]!.shape[1] as number
      const read = ({ config, tensors }: SavedAdapter): Params => {
        if (config['peft_type'] !== 'PROMPTS') throw malformedAdapter('is of another method')
        const own = fromPeft(tensors, model, (given) => given === name)
        requireShapes(own, { [name]: [count, width] })
        return own
      }
      const hook: LayerHook = ({ name: site, params: all }, ids, compute) => {
        if (site !== words) return compute(ids)
        const [batch] = ids.shape as [number]
        const prompt = add(all[name]!, zeros([batch, 1, 1])) // [batch, count, width]
        return concat([prompt, slice(compute(ids), [0, count, 0], [-1, -1, -1])], 1)
      }
      return {
        model: {
          ...model,
          forward(all, { inputIds, attentionMask, tokenTypeIds, ...rest }, mode) {
            const inputs = {
              ...rest,
              inputIds: prepend(inputIds, count, 0)!,
              attentionMask: prepend(attentionMask, count, 1)!,
              tokenTypeIds: prepend(tokenTypeIds, count, 0)!,
            }
            const { lastHiddenState, ...outputs } = model.forward(withHook(all, hook), inputs, mode)
            return {
              lastHiddenState: slice(lastHiddenState, [0, count, 0], [-1, -1, -1]),
              pooled: outputs.pooled,
            }
          },
        },
        trainable:
          saved === undefined ? { [name]: slice(params[model.wordEmbeddings]!, [1, 0], [count, width]) } : read(saved),
        frozen: params,
        config: { peft_type: 'PROMPTS' },
        tensors: toPeft,
      }
    },
  }),
})
