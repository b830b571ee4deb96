import {
  type EncoderOutputs,
  type Key,
  MODEL,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  definePlugin,
  deriveKey,
  scheduled,
} from '@attune/core'
import {
  type LayerContext,
  activation,
  activationNames,
  attendHeads,
  attentionBlock,
  attentionBias,
  countOption as count,
  defaultPositions,
  dropout,
  embedding,
  emptyCache,
  filledWith,
  modeAt,
  mergeHeads,
  lastToken,
  layerGroups,
  layerNorm,
  layerStack,
  linear,
  normal,
  probabilityOption as probability,
  requireRepresentableSizes,
  splitHeads,
  tokenIdOption as tokenId,
  writeCache,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, split } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults (GPT-2 small). */
const options = z
  .strictObject({
    vocabSize: count('Vocabulary size').default(50257),
    nPositions: count('Maximum sequence length, in tokens').default(1024),
    nEmbd: count('Hidden size; a multiple of nHead').default(768),
    nLayer: z.int().min(1).max(1000).default(12).describe('Number of transformer layers'),
    nHead: count('Attention heads per layer').default(12),
    nInner: count('Intermediate size: width of the feed-forward layer. Default: 4 · nEmbd').optional(),
    activationFunction: z.enum(activationNames).default('gelu_new').describe('Activation of the feed-forward layer'),
    residPdrop: scheduled(probability('Dropout on the output of each sublayer').default(0.1)),
    embdPdrop: scheduled(probability('Dropout on the embeddings').default(0.1)),
    attnPdrop: scheduled(probability('Dropout on the attention weights').default(0.1)),
    layerNormEpsilon: z.number().positive().max(1).default(1e-5).describe('Epsilon of the layer norms'),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.02)
      .describe('Standard deviation of the weight initialization'),
    scaleAttnWeights: z.boolean().default(true).describe('Divide attention scores by the square root of the head size'),
    scaleAttnByInverseLayerIdx: z
      .boolean()
      .default(false)
      .describe('Also divide attention scores by the layer number (from 1)'),
    tieWordEmbeddings: z.boolean().default(true).describe('Tie the language-modeling head to the word embeddings'),
    bosTokenId: tokenId('Beginning-of-sequence token').optional(),
    eosTokenId: tokenId('End-of-sequence token').optional(),
    padTokenId: tokenId('Padding token').optional(),
  })
  .refine((o) => o.nEmbd % o.nHead === 0, { path: ['nEmbd'], message: 'must be a multiple of nHead' })

type Options = z.output<typeof options>

/** Shape of every parameter, by its name in a checkpoint; linear layers are `[in, out]` here. */
function shapesOf(o: Options): Record<string, readonly number[]> {
  const [H, F] = [o.nEmbd, o.nInner ?? 4 * o.nEmbd]
  const norm = (name: string) => ({ [`${name}.weight`]: [H], [`${name}.bias`]: [H] })
  const dense = (name: string, inputs: number, outputs: number) => ({
    [`${name}.weight`]: [inputs, outputs],
    [`${name}.bias`]: [outputs],
  })
  const layer = (at: string) => ({
    ...norm(`${at}.ln_1`),
    ...dense(`${at}.attn.c_attn`, H, 3 * H),
    ...dense(`${at}.attn.c_proj`, H, H),
    ...norm(`${at}.ln_2`),
    ...dense(`${at}.mlp.c_fc`, H, F),
    ...dense(`${at}.mlp.c_proj`, F, H),
  })
  return {
    'transformer.wte.weight': [o.vocabSize, H],
    'transformer.wpe.weight': [o.nPositions, H],
    ...Object.assign({}, ...Array.from({ length: o.nLayer }, (_, i) => layer(`transformer.h.${i}`))),
    ...norm('transformer.ln_f'),
  }
}

/**
 * Initial parameters: weights normal with deviation `initializerRange`, norm scales 1, biases 0. The output projections of the
 * residual stream are divided by the square root of their number, 2 · nLayer. Source: Radford et al., 2019, section 2.3.
 */
function init(o: Options, key: Key): Params {
  const entries = Object.entries(requireRepresentableSizes(shapesOf(o))).map(([name, shape]): [string, Tensor] => {
    if (/ln_\w\.weight$/.test(name)) return [name, filledWith(shape, 1)]
    if (name.endsWith('.bias')) return [name, filledWith(shape, 0)]
    const smaller = name.endsWith('c_proj.weight') ? Math.sqrt(2 * o.nLayer) : 1
    return [name, normal(deriveKey(key, name), shape, o.initializerRange / smaller)]
  })
  return Object.fromEntries(entries)
}

/** Shared inputs of all layers: the attention bias and, with a KV cache, the index to write at. */
const sharedTensors = (inputs: TextInputs): Tensor[] => [
  attentionBias(inputs, { causal: true }),
  ...(inputs.cacheStart === undefined ? [] : [inputs.cacheStart]),
]

/** Self-attention, `[batch, length, hidden]` → the same shape. */
function attend(
  o: Options,
  params: Params,
  x: Tensor,
  shared: readonly Tensor[],
  cache: TextInputs['cache'],
  c: LayerContext,
) {
  const [bias, start] = shared as [Tensor, Tensor | undefined]
  const joined = linear(params, `${c.at}.attn.c_attn`, x, { inputFirst: true }) // [batch, length, 3 · hidden]
  const [q, k, v] = split(joined, 3, 2).map((part) => splitHeads(part, o.nHead)) as [Tensor, Tensor, Tensor]
  const cached = (name: string, added: Tensor): Tensor => {
    if (cache === undefined) return added
    const all = writeCache(cache[`${c.index}.${name}`]!, added, start)
    c.updateCache?.(name, all)
    return all // [batch, heads, capacity, headSize]
  }
  const scale =
    (o.scaleAttnWeights ? 1 / Math.sqrt(o.nEmbd / o.nHead) : 1) / (o.scaleAttnByInverseLayerIdx ? c.index + 1 : 1)
  const heads = { q, k: cached('key', k), v: cached('value', v), bias }
  const options = { scale, pattern: { causal: true }, onAttention: c.onAttention }
  const mixed = attendHeads(heads, o.attnPdrop, modeAt(c.mode, 0), options)
  return linear(params, `${c.at}.attn.c_proj`, mergeHeads(mixed), { inputFirst: true })
}

/** One pre-norm layer, attention then feed-forward: `[batch, length, hidden]` → the same shape. */
function layer(
  o: Options,
  params: Params,
  x: Tensor,
  shared: readonly Tensor[],
  cache: TextInputs['cache'],
  c: LayerContext,
) {
  const norm = (name: string, y: Tensor): Tensor => layerNorm(params, `${c.at}.${name}`, y, o.layerNormEpsilon)
  const added = attentionBlock(params, `${c.at}.attn`, norm('ln_1', x), (y) => attend(o, params, y, shared, cache, c))
  const attended = add(x, dropout(added, o.residPdrop, modeAt(c.mode, 1)))
  const wide = linear(params, `${c.at}.mlp.c_fc`, norm('ln_2', attended), { inputFirst: true }) // [batch, length, inner]
  const narrow = linear(params, `${c.at}.mlp.c_proj`, activation(o.activationFunction)(wide), { inputFirst: true })
  return add(attended, dropout(narrow, o.residPdrop, modeAt(c.mode, 2)))
}

function forward(o: Options, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const words = embedding(params, 'transformer.wte', inputs.inputIds) // [batch, length, hidden]
  const positions = embedding(params, 'transformer.wpe', inputs.positionIds ?? defaultPositions(inputs)) // [batch or 1, length, hidden]
  const embedded = dropout(add(words, positions), o.embdPdrop, modeAt(mode, 0))
  const stack = {
    count: o.nLayer,
    at: (i: number) => `transformer.h.${i}`,
    layer: (own: Params, y: Tensor, shared: readonly Tensor[], c: LayerContext) =>
      layer(o, own, y, shared, inputs.cache, c),
    finish: (y: Tensor) => layerNorm(params, 'transformer.ln_f', y, o.layerNormEpsilon),
  }
  const { x, kept } = layerStack(params, embedded, sharedTensors(inputs), mode, stack, inputs.cache !== undefined)
  return { lastHiddenState: x, pooled: lastToken(x, inputs), ...kept }
}

/**
 * GPT-2: a pre-norm decoder with causal attention, learned positions and a final norm. `pooled` is the hidden state of a text's last
 * token.
 */
export const gpt2 = definePlugin({
  kind: MODEL,
  name: 'gpt2',
  summary: 'GPT-2: decoder with learned positions; compatible with transformers checkpoints',
  source: 'Radford et al., Language Models are Unsupervised Multitask Learners, 2019, section 2.3',
  options,
  create: (o): Model => ({
    prefix: 'transformer.',
    wordEmbeddings: 'transformer.wte.weight',
    heads: {
      'causal-language-modeling': {
        architecture: 'GPT2LMHeadModel',
        tensors: o.tieWordEmbeddings ? {} : { weight: 'lm_head.weight' },
      },
      'sequence-classification': {
        architecture: 'GPT2ForSequenceClassification',
        tensors: { 'classifier.weight': 'score.weight' },
      },
    },
    inputFirst: true,
    hiddenSize: o.nEmbd,
    vocabularySize: o.vocabSize,
    maximumLength: o.nPositions,
    headDropout: 0,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['transformer.wte.', 'transformer.wpe.'] },
      ...layerGroups('layer', o.nLayer, 'transformer.h'),
      { name: 'norm', prefixes: ['transformer.ln_f.'] },
    ],
    config: { model_type: 'gpt2', ...configFromOptions(o) },
    init: (key) => init(o, key),
    cache: (batch, capacity) => emptyCache(o.nLayer, [batch, o.nHead, capacity, o.nEmbd / o.nHead]),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model gpt2': typeof gpt2
  }
}

export default gpt2
