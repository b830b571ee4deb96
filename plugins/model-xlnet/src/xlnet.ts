import {
  type EncoderOutputs,
  MODEL,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  definePlugin,
  scheduled,
} from '@attune/core'
import {
  attentionBlock,
  type LayerContext,
  type StackOutputs,
  activation,
  activationNames,
  classifierHead,
  countOption as count,
  dropout,
  embedding,
  modeAt,
  initialParameters,
  lastToken,
  layerGroups,
  layerNorm,
  layerStack,
  linear,
  parameter,
  probabilityOption as probability,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, cast, concat, slice, tanh, zeros } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { distances, relativeAttention, streamBiases, typesDiffer } from './relative-attention.js'

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults, and `maximumLength`. */
const options = z
  .strictObject({
    vocabSize: count('Vocabulary size').default(32000),
    dModel: count('Hidden size; even, and a multiple of nHead').default(1024),
    nLayer: z.int().min(1).max(1000).default(24).describe('Number of transformer layers'),
    nHead: count('Attention heads per layer').default(16),
    dInner: count('Intermediate size: width of the feed-forward layer').default(4096),
    ffActivation: z.enum(activationNames).default('gelu').describe('Activation of the feed-forward layer'),
    attnType: z.literal('bi').default('bi').describe('Bidirectional attention; `uni` is not supported'),
    biData: z.literal(false).default(false).describe('Bidirectional batches; not supported'),
    clampLen: z
      .int()
      .min(-1)
      .max(1_000_000)
      .default(-1)
      .describe('Maximum relative distance, to which larger ones are clipped; no limit if below 1'),
    dropout: scheduled(
      probability('Dropout on embeddings, relative positions, attention weights and sublayer outputs').default(0.1),
    ),
    summaryType: z.literal('last').default('last').describe('Token whose hidden state is pooled'),
    summaryUseProj: z.literal(true).default(true).describe('Linear layer on the pooled state'),
    summaryActivation: z.literal('tanh').default('tanh').describe('Activation of the pooled state'),
    summaryLastDropout: scheduled(probability('Dropout before the head').default(0.1)),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.02)
      .describe('Standard deviation of the weight initialization'),
    layerNormEps: z.number().positive().max(1).default(1e-12).describe('Epsilon of the layer norms'),
    tieWordEmbeddings: z.boolean().default(true).describe('Tie the language-modeling head to the word embeddings'),
    maximumLength: count(
      'Maximum sequence length, in tokens; positions are relative, so it only bounds memory',
    ).default(512),
  })
  .refine((o) => o.dModel % o.nHead === 0 && o.dModel % 2 === 0, {
    path: ['dModel'],
    message: 'must be even and a multiple of nHead',
  })

type Options = z.output<typeof options>

const WORDS = 'transformer.word_embedding.weight'
const MASK = 'transformer.mask_emb'
const SUMMARY = 'sequence_summary.summary'

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: Options): Record<string, readonly number[]> {
  const [H, I, N, D] = [o.dModel, o.dInner, o.nHead, o.dModel / o.nHead]
  const layer = (at: string): Record<string, readonly number[]> => ({
    ...Object.fromEntries(['q', 'k', 'v', 'o', 'r'].map((name) => [`${at}.rel_attn.${name}`, [H, N, D]])),
    ...Object.fromEntries(['r_r_bias', 'r_s_bias', 'r_w_bias'].map((name) => [`${at}.rel_attn.${name}`, [N, D]])),
    [`${at}.rel_attn.seg_embed`]: [2, N, D],
    [`${at}.rel_attn.layer_norm.weight`]: [H],
    [`${at}.rel_attn.layer_norm.bias`]: [H],
    [`${at}.ff.layer_norm.weight`]: [H],
    [`${at}.ff.layer_norm.bias`]: [H],
    [`${at}.ff.layer_1.weight`]: [I, H],
    [`${at}.ff.layer_1.bias`]: [I],
    [`${at}.ff.layer_2.weight`]: [H, I],
    [`${at}.ff.layer_2.bias`]: [H],
  })
  return {
    [WORDS]: [o.vocabSize, H],
    [MASK]: [1, 1, H],
    ...Object.assign({}, ...Array.from({ length: o.nLayer }, (_, i) => layer(`transformer.layer.${i}`))),
    [`${SUMMARY}.weight`]: [H, H],
    [`${SUMMARY}.bias`]: [H],
  }
}

/** One post-norm layer, attention then feed-forward: `[batch, length + targets, hidden]` → the same shape. */
function layer(o: Options, own: Params, x: Tensor, others: readonly Tensor[], c: LayerContext): Tensor {
  const dropped = (y: Tensor, index: number): Tensor => dropout(y, o.dropout, modeAt(c.mode, index))
  const normed = (name: string, y: Tensor): Tensor => layerNorm(own, `${c.at}.${name}`, y, o.layerNormEps)
  const added = attentionBlock(own, `${c.at}.rel_attn`, x, (y) => relativeAttention(own, y, others, o.dropout, c))
  const attended = normed('rel_attn.layer_norm', add(dropped(added, 2), x))
  const wide = activation(o.ffActivation)(linear(own, `${c.at}.ff.layer_1`, attended)) // [batch, length + targets, inner]
  const narrow = linear(own, `${c.at}.ff.layer_2`, dropped(wide, 3))
  return normed('ff.layer_norm', add(dropped(narrow, 4), attended))
}

/** The content stream, followed by the same query vector for each target: `[batch, length + targets, hidden]`. */
function streams(params: Params, { inputIds, targetMapping }: TextInputs): Tensor {
  const words = embedding(params, 'transformer.word_embedding', inputIds) // [batch, length, hidden]
  if (targetMapping === undefined) return words
  const [batch, targets] = targetMapping.shape as [number, number]
  return concat([words, add(parameter(params, MASK), zeros([batch, targets, 1]))], 1)
}

function forward(o: Options, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const { inputIds, targetMapping } = inputs
  const length = inputIds.shape[1] as number
  const dropped = (y: Tensor, index: number): Tensor => dropout(y, o.dropout, modeAt(modeAt(mode, 0), index))
  const { content, query } = streamBiases(inputs)
  const shared = [dropped(distances(length, o.dModel, o.clampLen), 0), typesDiffer(inputs), content]
  const queried = targetMapping === undefined ? [] : [query, cast(targetMapping, 'float32')]
  const stack = layerStack(params, dropped(streams(params, inputs), 1), [...shared, ...queried], mode, {
    count: o.nLayer,
    at: (i) => `transformer.layer.${i}`,
    layer: (own, y, others, c) => layer(o, own, y, others, c),
  })
  const x = dropped(stack.x, 2)
  const contents = slice(x, [0, 0, 0], [-1, length, -1])
  return {
    lastHiddenState: targetMapping === undefined ? x : slice(x, [0, length, 0], [-1, -1, -1]),
    pooled: tanh(linear(params, SUMMARY, lastToken(contents, inputs))),
    ...keptContents(stack.kept, length),
  }
}

/** Kept outputs of the content stream only. */
const keptContents = ({ hiddenStates, ...kept }: StackOutputs['kept'], length: number): StackOutputs['kept'] =>
  hiddenStates === undefined
    ? kept
    : {
        ...kept,
        hiddenStates: Object.fromEntries(
          Object.entries(hiddenStates).map(([index, x]) => [index, slice(x, [0, 0, 0], [-1, length, -1])]),
        ),
      }

const heads = (o: Options): Model['heads'] => ({
  contrastive: { architecture: 'XLNetModel', tensors: {} },
  'sequence-classification': {
    architecture: 'XLNetForSequenceClassification',
    tensors: { 'classifier.weight': 'logits_proj.weight', 'classifier.bias': 'logits_proj.bias' },
  },
  'token-classification': classifierHead('XLNetForTokenClassification'),
  'permutation-language-modeling': {
    architecture: 'XLNetLMHeadModel',
    tensors: { ...(o.tieWordEmbeddings ? {} : { weight: 'lm_loss.weight' }), bias: 'lm_loss.bias' },
  },
})

/**
 * XLNet: attention by relative position and, with `targetMapping`, a second stream that knows the position of a token and the tokens
 * before it in a random permutation, but not the token itself; `lastHiddenState` is then that of the second stream. `pooled` is the hidden
 * state of the last token after a linear layer and tanh, with padding on either side.
 */
export const xlnet = definePlugin({
  kind: MODEL,
  name: 'xlnet',
  summary: 'XLNet encoder with relative positions and two-stream attention; compatible with transformers checkpoints',
  source: 'Yang et al., XLNet: Generalized Autoregressive Pretraining for Language Understanding, 2019, section 2',
  options,
  exceptions: {
    gradients: 'the mask embedding is used only with targetMapping, and type embeddings only if token types differ',
  },
  create: (o): Model => ({
    prefix: 'transformer.',
    wordEmbeddings: WORDS,
    heads: heads(o),
    hiddenSize: o.dModel,
    vocabularySize: o.vocabSize,
    maximumLength: o.maximumLength,
    headDropout: o.summaryLastDropout,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['transformer.word_embedding.', MASK] },
      ...layerGroups('layer', o.nLayer, 'transformer.layer'),
      { name: 'pooler', prefixes: ['sequence_summary.'] },
    ],
    config: { model_type: 'xlnet', ...configFromOptions(o) },
    init: (key) => initialParameters(shapesOf(o), key, o.initializerRange),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model xlnet': typeof xlnet
  }
}

export default xlnet
