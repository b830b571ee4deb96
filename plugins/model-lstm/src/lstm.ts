import {
  type EncoderOutputs,
  type Head,
  type Key,
  MODEL,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  definePlugin,
  deriveKey,
} from '@attune/core'
import {
  classifierHead,
  embedding,
  modeAt,
  lastToken,
  linear,
  normal,
  parameter,
  splitAlong,
  requireRepresentableSizes,
  takeRows,
  uniform,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import {
  type Tensor,
  add,
  argMax,
  cast,
  concat,
  equal,
  expandDims,
  gather,
  matMul,
  mul,
  onesLike,
  range,
  reshape,
  split,
  sub,
  tanh,
} from '@tensorflow/tfjs-core'
import { attend, attentionShapes, mixWithCopies } from './attention.js'
import { type Options, options } from './options.js'
import { type Recurrence, emptyStates, statesOf, recurrentStack, stackShapes, stateCount } from './recurrent-stack.js'

const WORDS = 'embedding.weight'
const OUTPUT = 'output.weight'

/** The recurrent stacks of an architecture, the encoder first. */
const stacksOf = ({ architecture, bidirectional }: Options): readonly Recurrence[] =>
  architecture === 'encoder-decoder'
    ? [
        { name: 'encoder', bidirectional },
        { name: 'decoder', bidirectional: false },
      ]
    : [{ name: 'rnn', bidirectional }]

/** Output size of the first stack. */
const widthOf = (o: Options): number => (o.bidirectional ? 2 : 1) * o.hiddenSize

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: Options): Record<string, readonly number[]> {
  const [width, hidden] = [widthOf(o), o.hiddenSize]
  const dense = (name: string, outputs: number, inputs: number) => ({
    [`${name}.weight`]: [outputs, inputs],
    [`${name}.bias`]: [outputs],
  })
  const stacks = stacksOf(o).map((stack) => stackShapes(o, stack))
  const own = { [WORDS]: [o.vocabSize, o.embeddingSize], ...Object.assign({}, ...stacks) }
  if (o.architecture !== 'encoder-decoder') return own
  return {
    ...own,
    ...dense('bridge', stateCount(o) * hidden, width),
    ...attentionShapes(o, width),
    ...(o.copy ? dense('copy', 1, width + hidden + o.embeddingSize) : {}),
    ...(o.copy && !o.tieWordEmbeddings ? { [OUTPUT]: [o.vocabSize, hidden] } : {}),
  }
}

/**
 * Initial parameters: embedding tables normal with deviation `initializerRange`, all others uniform as in torch.nn, within
 * ±1/√hidden in recurrent layers and ±1/√inputs elsewhere.
 */
function init(o: Options, key: Key): Params {
  const shapes = requireRepresentableSizes(shapesOf(o))
  const entries = Object.entries(shapes).map(([name, shape]): [string, Tensor] => {
    const from = deriveKey(key, name)
    if (name === WORDS || name === OUTPUT) return [name, normal(from, shape, o.initializerRange)]
    const inputs = shapes[name.replace('.bias', '.weight')]?.[1] ?? 0
    return [name, uniform(from, shape, 1 / Math.sqrt(/_l\d/.test(name) ? o.hiddenSize : inputs))]
  })
  return Object.fromEntries(entries)
}

/** The mask of the current tokens, `[batch, length]`, taken from the mask of all slots of the cache. */
function ownMask({ inputIds, attentionMask, cacheStart }: TextInputs): Tensor {
  if (cacheStart === undefined) return attentionMask
  const slots = add(range(0, inputIds.shape[1] as number, 1, 'int32'), cacheStart) as Tensor & { dtype: 'int32' }
  return gather(attentionMask, slots, 1)
}

/** The state at the first non-padding token of each text: `[batch, length, hidden]` to `[batch, hidden]`. */
function firstToken(states: Tensor, { attentionMask }: TextInputs): Tensor {
  const [batch, length, hidden] = states.shape as [number, number, number]
  const positions = add(argMax(attentionMask, 1), range(0, batch * length, length, 'int32'))
  return takeRows(reshape(states, [batch * length, hidden]), positions)
}

/** Final states of the encoder in each direction: `[batch, directions · hidden]`. */
function finalStates(o: Options, states: Tensor, inputs: TextInputs): Tensor {
  if (!o.bidirectional) return lastToken(states, inputs)
  const [forward, back] = split(states, 2, 2) as [Tensor, Tensor]
  return concat([lastToken(forward, inputs), firstToken(back, inputs)], 1)
}

/** Forward pass of a single stack: an encoder, or a decoder with or without cache. */
function forwardOne(o: Options, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const { inputIds, cache } = inputs
  const words = embedding(params, 'embedding', inputIds) // [batch, length, embedding]
  const read = { x: words, mask: ownMask(inputs), begin: cache && statesOf(o, cache), cached: cache !== undefined }
  const { x, kept } = recurrentStack(o, stacksOf(o)[0]!, params, read, mode)
  return { lastHiddenState: x, pooled: finalStates(o, x, inputs), ...kept }
}

/**
 * Initial states of the decoder: `tanh(W·final + b)` of the encoder's final states at the first step, later the cached states.
 * Source: Bahdanau et al., 2015, appendix A.2.2.
 */
function initialStates(o: Options, params: Params, states: Tensor, inputs: TextInputs): Tensor[] {
  const { attentionMask, inputIds, tokenTypeIds, cache, cacheStart } = inputs
  const bridged = tanh(linear(params, 'bridge', finalStates(o, states, { attentionMask, inputIds, tokenTypeIds })))
  const initial = splitAlong(reshape(bridged, [bridged.shape[0] as number, -1, o.hiddenSize]), 1) // [batch, hidden] each
  if (cache === undefined) return initial
  const first = cast(equal(cacheStart!, 0), 'float32')
  return statesOf(o, cache).map((cached, i) => add(mul(first, initial[i]!), mul(sub(1, first), cached)))
}

/** Outputs of the decoder; with copying, they include the token logits. */
function decoderOutputs(o: Options, params: Params, x: Tensor, words: Tensor, states: Tensor, inputs: TextInputs) {
  const { weights, context } = attend(o, params, x, states, inputs.attentionMask)
  const lastHiddenState = tanh(linear(params, 'attention.combine', concat([context, x], 2), { bias: false }))
  if (!o.copy) return { lastHiddenState, weights }
  const choice = linear(params, 'copy', concat([context, x, words], 2)) // [batch, targets, 1]
  const table = parameter(params, o.tieWordEmbeddings ? WORDS : OUTPUT)
  const flat = reshape(lastHiddenState, [-1, o.hiddenSize])
  const logits = reshape(matMul(flat, table, false, true), [...x.shape.slice(0, 2), o.vocabSize])
  return { lastHiddenState, weights, tokenLogits: mixWithCopies(logits, choice, weights, inputs.inputIds) }
}

/** Inputs of the decoder; those of the encoder if none are given. */
function targetsOf({ inputIds, attentionMask, decoderInputIds, decoderAttentionMask }: TextInputs) {
  if (decoderInputIds === undefined) return { ids: inputIds, mask: attentionMask }
  return { ids: decoderInputIds, mask: decoderAttentionMask ?? onesLike(decoderInputIds) }
}

/** Forward pass of an encoder and a decoder. */
function forwardBoth(o: Options, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const [encoder, decoder] = stacksOf(o) as [Recurrence, Recurrence]
  const { inputIds, attentionMask, cache, cacheStart } = inputs
  const encode = (): Tensor => {
    const x = embedding(params, 'embedding', inputIds) // [batch, length, embedding]
    return recurrentStack(o, encoder, params, { x, mask: attentionMask, cached: false }, modeAt(mode, 0)).x
  }
  const states = inputs.encoderStates ?? encode() // [batch, length, directions · hidden]
  const { ids, mask } = targetsOf(inputs)
  const own = {
    inputIds: ids,
    attentionMask: mask,
    tokenTypeIds: ids,
    ...(cache && { cache, cacheStart: cacheStart! }),
  }
  const words = embedding(params, 'embedding', ids) // [batch, targets, embedding]
  const begin = initialStates(o, params, states, inputs)
  const read = { x: words, mask: ownMask(own), begin, cached: cache !== undefined }
  const { x, kept } = recurrentStack(o, decoder, params, read, modeAt(mode, 1))
  const { weights, ...given } = decoderOutputs(o, params, x, words, states, inputs)
  const seen = mode.keep?.includes('attentions') === true ? { attentions: { 0: expandDims(weights, 1) } } : {}
  return { ...given, pooled: lastToken(given.lastHiddenState, own), encoderStates: states, ...kept, ...seen }
}

function headsOf(o: Options): Record<string, Head> {
  const tensors = o.tieWordEmbeddings ? {} : { weight: OUTPUT }
  const classification = classifierHead('LstmForSequenceClassification')
  if (o.architecture === 'encoder')
    return {
      'sequence-classification': classification,
      'token-classification': classifierHead('LstmForTokenClassification'),
    }
  if (o.architecture === 'decoder')
    return {
      'causal-language-modeling': { architecture: 'LstmForCausalLM', tensors },
      'sequence-classification': classification,
    }
  return { 'sequence-to-sequence': { architecture: 'LstmForConditionalGeneration', tensors: o.copy ? {} : tensors } }
}

const UNPACKABLE = 'the state at the end of a text would be passed on to the next text in the row'

function create(o: Options): Model {
  const two = o.architecture === 'encoder-decoder'
  const groups = two ? ['encoder', 'bridge', 'decoder', 'attention', ...(o.copy ? ['copy'] : [])] : ['rnn']
  const output = two && o.copy && !o.tieWordEmbeddings ? [{ name: 'output', prefixes: [OUTPUT] }] : []
  return {
    prefix: '',
    wordEmbeddings: WORDS,
    heads: headsOf(o),
    hiddenSize: two ? o.hiddenSize : widthOf(o),
    vocabularySize: o.vocabSize,
    maximumLength: o.maximumLength,
    headDropout: o.dropout,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['embedding.'] },
      ...groups.map((name) => ({ name, prefixes: [`${name}.`] })),
      ...output,
    ],
    unpackable: UNPACKABLE,
    config: { model_type: 'lstm', ...(two ? { is_encoder_decoder: true } : {}), ...configFromOptions(o) },
    init: (key) => init(o, key),
    ...(o.architecture === 'encoder' ? {} : { recurrent: true, cache: (batch: number) => emptyStates(o, batch) }),
    forward: (params, inputs, mode) => (two ? forwardBoth : forwardOne)(o, params, inputs, mode),
  }
}

/**
 * Recurrent networks with the cells of torch.nn (RNN, LSTM, GRU), its parameter names and gate order: one step per token, which
 * passes on a hidden state of fixed size. Padding is skipped. `pooled` is the final state, of both directions if bidirectional. An
 * encoder–decoder attends to the encoder states after its recurrent layers, as in Luong et al., without feeding the context back into
 * them; with `copy` its outputs include `tokenLogits`, a mixture of generation and copying.
 */
export const lstm = definePlugin({
  kind: MODEL,
  name: 'lstm',
  summary: 'Recurrent networks (RNN, LSTM, GRU): encoder, decoder, or encoder–decoder with attention and copying',
  source: 'Hochreiter and Schmidhuber, Long Short-Term Memory, 1997; Luong et al., 2015; See et al., 2017, section 2.2',
  options,
  exceptions: {
    packing: UNPACKABLE,
    attentions: 'recurrent layers have no attention weights; an encoder–decoder returns those of its cross-attention',
  },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model lstm': typeof lstm
  }
}

export default lstm
