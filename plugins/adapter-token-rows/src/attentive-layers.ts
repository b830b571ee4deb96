import { AttuneError, type DataPass, type Model, type PassOptions, type TextInputs } from '@attune/core'
import { asScores, markLargest } from '@attune/nn'
import { type Tensor, add, cast, expandDims, gather, mul, sum, tensor1d, zeros } from '@tensorflow/tfjs-core'

const isLayer = (name: string): boolean => /layer \d+$/.test(name)

/** Attention to chosen tokens, summed over heads and over queries that are not padding. */
function attention(weights: Tensor, ids: Tensor, mask: Tensor, chosen: Tensor): Tensor {
  const keys = expandDims(expandDims(gather(chosen, cast(ids, 'int32')), 1), 1) // [batch, 1, 1, keys]
  const queries = expandDims(expandDims(cast(mask, 'float32'), 1), 3) // [batch, 1, queries, 1]
  return sum(mul(mul(weights, keys), queries))
}

/** @throws AttuneError `UNKNOWN_TARGET` unless every layer has attention weights between tokens */
function requireAttentions(found: number, layers: number): void {
  if (found === layers && layers > 0) return
  throw new AttuneError(
    'UNKNOWN_TARGET',
    `adapter token-rows: expected attention weights of each of the model's ${layers} layers with \`layers\`, got those of ${found}`,
    'Remove `layers`, or use a model with attention between tokens, and weights of its own, in each layer.',
  )
}

/**
 * Name prefixes of the parameters of the layers with the largest attention to chosen tokens, self-attention only. In an encoder–decoder layers of
 * the encoder and the decoder are compared.
 * @param count number of layers; more than the model has are all
 * @throws AttuneError `UNKNOWN_TARGET`
 */
export async function attentiveLayers(
  pass: DataPass,
  model: Model,
  isChosen: (token: number) => boolean,
  count: number,
  options: PassOptions,
): Promise<readonly string[]> {
  const groups = model.layers.filter(({ name }) => isLayer(name))
  const marks = Float32Array.from({ length: model.vocabularySize ?? 0 }, (_, token) => Number(isChosen(token)))
  const sums = await pass.fold(
    () => ({
      chosen: tensor1d(marks) as Tensor,
      ...Object.fromEntries(groups.map((_, i) => [i, zeros([]) as Tensor])),
    }),
    (state, { batch, outputs }) => {
      const { attentions = {}, encoderAttentions = {} } = outputs(['attentions'])
      const { inputIds, attentionMask, decoderInputIds, decoderAttentionMask } = batch.inputs as TextInputs
      const of = (weights: Readonly<Record<string, Tensor>>, ids: Tensor, mask: Tensor): Tensor[] =>
        Object.values(weights)
          .filter(({ shape }) => shape[3] === ids.shape[1]) // not of phrases
          .map((each) => attention(each, ids, mask, state.chosen))
      const all = [
        ...of(encoderAttentions, inputIds, attentionMask),
        ...of(attentions, decoderInputIds ?? inputIds, decoderAttentionMask ?? attentionMask),
      ]
      requireAttentions(all.length, groups.length)
      const { chosen, ...before } = state as Readonly<Record<string, Tensor>> & { readonly chosen: Tensor }
      return { chosen, ...Object.fromEntries(all.map((part, i) => [i, add(before[i]!, part)])) }
    },
    options,
  )
  const read = asScores(await pass.read(sums))
  pass.release(sums)
  const totals = groups.map((_, i) => read[i]!.values[0]!)
  const chosen = markLargest(totals, Math.min(1, count / totals.length), 'adapter token-rows: layers')
  return groups.filter((_, i) => chosen[i] === 1).flatMap(({ prefixes }) => prefixes)
}
