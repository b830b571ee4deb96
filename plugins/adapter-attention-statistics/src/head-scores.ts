import {
  type DataPass,
  type Model,
  type Params,
  type PassAt,
  type PassOptions,
  type TextInputs,
  mapParams,
} from '@attune/core'
import { asScores } from '@attune/nn'
import {
  type Tensor,
  abs,
  add,
  addN,
  cast,
  expandDims,
  log,
  maximum,
  mul,
  neg,
  reshape,
  scalar,
  sum,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core'
import { type AttentionBlock, type BlockAttentions, attentionsOf } from './attention-blocks.js'

/** Added to attention weights of 0 in the logarithm. */
const TINY = 1e-30

/** Entropies of heads, summed over queries that are not padding, `[heads]`, and the number of these queries. */
function entropies({ weights, isDecoder }: BlockAttentions, inputs: TextInputs): { sum: Tensor; count: Tensor } {
  const { attentionMask, decoderAttentionMask } = inputs
  const given = isDecoder && decoderAttentionMask !== undefined ? decoderAttentionMask : attentionMask
  const mask = expandDims(cast(given, 'float32'), 1) // [batch, 1, queries]
  const sums = weights.map((each) => sum(mul(sum(mul(each, log(maximum(each, TINY))), 3), mask), [0, 2]))
  return { sum: neg(addN(sums)), count: mul(sum(mask), weights.length) }
}

/**
 * Gradient of the mean loss with respect to factors of the heads' outputs, `[heads]`. A factor of a head scales its columns of the output
 * projection, so the gradient is the sum over these columns of the weights times their gradients; without an output projection,
 * that over the rows and biases of its value projection.
 */
function gateGradients(
  block: AttentionBlock,
  params: Params,
  grads: Params,
  heads: number,
  inputFirst: boolean,
): Tensor {
  const { output, value } = block
  if (output !== undefined) {
    const product = mul(params[`${output}.weight`]!, grads[`${output}.weight`]!)
    return sum(reshape(inputFirst ? product : transpose(product), [heads, -1]), 1)
  }
  const bias = `${value!}.bias`
  const product = mul(params[`${value!}.weight`]!, grads[`${value!}.weight`]!)
  const rows = sum(reshape(inputFirst ? transpose(product) : product, [heads, -1]), 1)
  if (params[bias] === undefined) return rows
  return add(rows, sum(reshape(mul(params[bias], grads[bias]!), [heads, -1]), 1))
}

/** The number of heads of each block. */
async function headCounts(pass: DataPass, blocks: readonly AttentionBlock[], options: PassOptions): Promise<number[]> {
  let counts: number[] = []
  const nothing = await pass.fold(
    () => ({ nothing: zeros([]) as Tensor }),
    (state, { outputs }) => {
      counts = attentionsOf(blocks, outputs(['attentions'])).map(({ weights }) => weights[0]!.shape[1]!)
      return { nothing: add(state.nothing, 0) }
    },
    { ...options, limit: 1 },
  )
  pass.release(nothing)
  return counts
}

/**
 * Scores of the heads of each block: the sum over batches of the absolute gradient of the loss with respect to a factor of the head's output, or
 * the mean entropy of its attention, in nats.
 */
export async function headScores(
  pass: DataPass,
  model: Model,
  blocks: readonly AttentionBlock[],
  by: 'importance' | 'entropy',
  options: PassOptions,
): Promise<readonly (readonly number[])[]> {
  const { inputFirst = false } = model
  const heads = await headCounts(pass, blocks, options)
  const sumsAt = ({ batch, params, outputs, gradients }: PassAt): readonly { sum: Tensor; count: Tensor }[] => {
    if (by === 'entropy')
      return attentionsOf(blocks, outputs(['attentions'])).map((own) => entropies(own, batch.inputs as TextInputs))
    const grads = gradients()
    const gates = blocks.map((block, i) => gateGradients(block, params, grads, heads[i]!, inputFirst))
    return gates.map((gate) => ({ sum: abs(gate), count: scalar(0) }))
  }
  const named = (sums: readonly { sum: Tensor; count: Tensor }[]): Params =>
    Object.fromEntries(sums.flatMap((own, i) => [[`${i} sum`, own.sum] as const, [`${i} count`, own.count] as const]))
  const total = await pass.fold(
    () => named(heads.map((count) => ({ sum: zeros([count]), count: zeros([]) }))),
    (state, at) => mapParams((a, b) => add(a, b), state, named(sumsAt(at))),
    options,
  )
  const read = asScores(await pass.read(total))
  pass.release(total)
  const of = (i: number): readonly number[] => {
    const [count] = read[`${i} count`]!.values
    return Array.from(read[`${i} sum`]!.values, (value) => (by === 'entropy' ? value / count! : value))
  }
  return blocks.map((_, i) => of(i))
}
