import {
  AttuneError,
  type EncoderOutputs,
  type LayerHook,
  type Mode,
  type Model,
  type StepKey,
  type TextInputs,
} from '@attune/core'
import {
  type Tensor,
  add,
  argMax,
  cast,
  concat,
  div,
  log,
  matMul,
  maximum,
  neg,
  oneHot,
  ones,
  range,
  reshape,
  slice,
  softmax,
  squeeze,
  sub,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs-core'
import { withoutGradient } from '../engine/without-gradient.js'
import { keyAt, modeAt } from '../layers/dropout.js'
import { noise } from '../layers/noise.js'

/** Relaxations of a sampled token to a vector over the vocabulary through which a gradient passes. */
export const relaxations = ['straight-through', 'gumbel-softmax', 'softmax'] as const

/** A relaxation and its temperature τ, a tensor `[]` if it follows a schedule. */
export interface Relaxation {
  readonly relaxation: (typeof relaxations)[number]
  readonly temperature: number | Tensor
}

/** Index of the generation among the random streams of a step. */
const STREAM = 998

/** Prevents the logarithm of 0; smaller than every other uniform number. */
const TINY = 1e-10

const oneHots = (ids: Tensor, vocabulary: number): Tensor => cast(oneHot(ids as never, vocabulary), 'float32')

/** Standard Gumbel noise, `−ln(−ln u)` of uniform numbers. */
const gumbel = (key: StepKey, shape: readonly number[]): Tensor =>
  neg(log(neg(log(maximum(noise(key, shape, 'uniform'), TINY)))))

/**
 * Relaxed tokens, from logits `[rows, vocabulary]` to vectors of the same shape that sum to 1:
 *
 *     softmax:           softmax(logits / τ)
 *     gumbel-softmax:    softmax((logits + g) / τ),  g = −ln(−ln u)
 *     straight-through:  the one-hot argmax of gumbel-softmax, with the gradient of gumbel-softmax
 */
function relaxed(logits: Tensor, { relaxation, temperature }: Relaxation, key: StepKey | undefined): Tensor {
  const isNoisy = relaxation !== 'softmax' && key !== undefined
  const soft = softmax(div(isNoisy ? add(logits, gumbel(key, logits.shape)) : logits, temperature))
  if (relaxation !== 'straight-through') return soft
  const rounding = withoutGradient(() => sub(oneHots(argMax(soft, 1), logits.shape[1]!), soft))
  return add(soft, rounding)
}

/**
 * Outputs of a model on relaxed tokens `[rows, length, vocabulary]`: at the layer that looks up `inputIds`, their expected embeddings
 * replace the embeddings of the ids.
 * @throws AttuneError `BAD_OPTIONS` if the model does not look up the ids in an embedding of float numbers
 */
export function outputsOfRelaxed(
  tokens: Tensor,
  inputIds: Tensor,
  forward: (hook: LayerHook) => EncoderOutputs,
): EncoderOutputs {
  let isRead = false
  const outputs = forward((site, x, compute) => {
    if (site.kind !== 'embedding' || x !== inputIds || site.weight === undefined) return compute(x)
    isRead = true
    const [rows, length, vocabulary] = tokens.shape as [number, number, number]
    return reshape(matMul(reshape(tokens, [-1, vocabulary]), site.weight), [rows, length, -1])
  })
  if (isRead) return outputs
  throw new AttuneError(
    'BAD_OPTIONS',
    'expected a model that looks up token ids in an embedding of float numbers, to read expected embeddings',
    'Use a model such as gpt2 or bert, without quantized embeddings.',
  )
}

/** The most probable tokens of relaxed ones, int32 `[rows, length]`; no gradient passes. */
export const hardTokens = (tokens: Tensor): Tensor => withoutGradient(() => argMax(tokens, 2))

/** A decoder with its parameters: its outputs under a layer hook, and the logits of hidden states `[rows, hidden]`. */
export interface RelaxedDecoder extends Pick<Model, 'cache' | 'recurrent'> {
  readonly vocabulary: number
  forward(inputs: TextInputs, mode: Mode, hook: LayerHook): EncoderOutputs
  logits(states: Tensor): Tensor
}

/** Inputs of a decoding step: the tokens before the slot `end`. Slot 0 of the cache is empty, because a cache has at least one slot. */
function stepInputs(inputIds: Tensor, end: number, isRecurrent: boolean): TextInputs {
  const [rows, length] = inputIds.shape as [number, number]
  const all = concat([zeros([rows, 1], 'int32'), ones([rows, end], 'int32')], 1)
  return {
    inputIds,
    attentionMask: isRecurrent ? ones([rows, length], 'int32') : all,
    tokenTypeIds: zerosLike(inputIds),
    positionIds: reshape(range(end - length, end, 1, 'int32'), [1, length]),
  }
}

/**
 * Continues the first tokens of texts by relaxed tokens, one after another, each of which is read as its expected embedding, so that a
 * gradient passes through the whole text. The steps are unrolled, with a KV cache.
 * @param inputIds int32 `[rows, length]`; the first `promptLength` are read
 * @returns relaxed tokens `[rows, length, vocabulary]`, the prompt as one-hot vectors
 */
export function generateRelaxed(
  decoder: RelaxedDecoder,
  { inputIds, promptLength }: { readonly inputIds: Tensor; readonly promptLength: number },
  how: Relaxation,
  mode: Mode,
): Tensor {
  const [rows, length] = inputIds.shape as [number, number]
  const prompt = slice(inputIds, [0, 0], [rows, Math.min(promptLength, length)])
  const tokens = [oneHots(prompt, decoder.vocabulary)] // [rows, n, vocabulary] each
  let cache = decoder.cache!(rows, 1)
  for (let end = prompt.shape[1]!; end < length; end++) {
    const read = tokens.at(-1)!
    const own = modeAt(modeAt(mode, STREAM), end)
    const inputs = { ...stepInputs(hardTokens(read), end, decoder.recurrent === true), cache }
    const outputs = outputsOfRelaxed(read, inputs.inputIds, (hook) => decoder.forward(inputs, own, hook))
    const last = slice(outputs.lastHiddenState, [0, read.shape[1]! - 1, 0], [-1, 1, -1]) // [rows, 1, hidden]
    const next = relaxed(decoder.logits(squeeze(last, [1])), how, own.training ? keyAt(own.key, 0) : undefined)
    tokens.push(reshape(next, [rows, 1, -1]))
    cache = outputs.cache!
  }
  return concat(tokens, 1)
}
