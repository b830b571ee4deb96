import type { Cache, Model, Params } from '@attune/core'
import { type DynamicGraph, type DynamicValue, dynamicGraph } from '@attune/jit'
import { headFor, tokenLogits } from '@attune/nn'
import { type Tensor, fill } from '@tensorflow/tfjs-core'
import { type CacheShapes, cacheDimensions, cacheShapes } from './cache-shapes.js'
import { cannotExport } from './cannot-export.js'
import { cacheIn, prefixed } from './decoder-graph.js'
import { type ExportedGraph, readText, textInputs } from './encoder-graph.js'
import { type ExportedModel, INFERENCE } from './exported-model.js'

const [NEW, PAST, READ] = ['sequence_length', 'past_decoder_sequence_length', 'encoder_sequence_length']
const PREFIX = 'past_key_values.'

/** Name of an input for the token ids of the encoder, which no supported decoder reads. */
const ENCODER_IDS = 'encoder_input_ids'

type Values = Readonly<Record<string, DynamicValue>>
type Tensors = Readonly<Record<string, Tensor>>

/** Graph of the encoder, to its hidden states. */
export function encoderStatesGraph({ model, params }: ExportedModel): ExportedGraph {
  const graph = dynamicGraph()
  const read = readText(model, (_, { encoderStates }) => ({ last_hidden_state: encoderStates! }))
  return { graph, outputs: graph.trace(read, params, textInputs(graph)) }
}

/** Name of a cache entry in the layout of optimum: `0.key` is `0.decoder.key`, `0.encoder.key` stays. */
const exportedName = (name: string): string => (name.includes('.encoder.') ? name : name.replace('.', '.decoder.'))

/** Forward pass of the decoder, which appends the new tokens to the cache `past`. */
function decode(model: Model, params: Params, given: Tensors, past: Cache) {
  const inputIds = given['input_ids']!
  const [batch, length] = inputIds.shape as [number, number]
  const before = Object.values(past)[0]!.shape[2] as number
  return model.forward(
    params,
    {
      inputIds: given[ENCODER_IDS]!,
      attentionMask: given['encoder_attention_mask']!,
      tokenTypeIds: given[ENCODER_IDS]!,
      encoderStates: given['encoder_hidden_states']!,
      decoderInputIds: inputIds,
      decoderAttentionMask: fill([batch, before + length], 1, 'int32'),
      cache: past,
    },
    INFERENCE,
  )
}

/** Inputs of the decoder apart from the cache. */
const decoderInputs = (graph: DynamicGraph, width: number): Values => ({
  encoder_attention_mask: graph.input('encoder_attention_mask', 'int64', ['batch_size', READ]),
  input_ids: graph.input('input_ids', 'int64', ['batch_size', NEW]),
  encoder_hidden_states: graph.input('encoder_hidden_states', 'float32', ['batch_size', READ, width]),
  [ENCODER_IDS]: graph.input(ENCODER_IDS, 'int64', ['batch_size', READ]),
})

const selfInputs = (graph: DynamicGraph, shapes: CacheShapes): Values =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      graph.input(PREFIX + exportedName(name), 'float32', cacheDimensions(shape, PAST)),
    ]),
  )

const ofEncoder = (cache: Tensors): Tensors =>
  Object.fromEntries(Object.entries(cache).filter(([name]) => name.includes('.encoder.')))

/**
 * Graph of the decoder of an encoder–decoder, with and without a cache in one (`use_cache_branch`): the keys and values of
 * cross-attention are computed from `encoder_hidden_states` at the first step, and read from the cache at later ones.
 * @param width size of the encoder's hidden states
 */
export function mergedDecoderGraph({ model, params, task }: ExportedModel, width: number): ExportedGraph {
  const [graph, shapes, head] = [dynamicGraph(), cacheShapes(model), headFor(model, task)]
  const [text, self] = [decoderInputs(graph, width), selfInputs(graph, shapes)]
  const names = Object.keys(shapes)
  const given = { ...text, ...self }
  const project = (all: Params, inputs: Tensors): Tensors =>
    ofEncoder(decode(model, all, inputs, cacheIn(inputs, names, '')).cache as Cache)
  const projected = graph.trace(project, params, given)
  const held = Object.entries(projected).map(
    ([
      name,
      {
        dimensions: [batch, heads, , size],
      },
    ]) => {
      const dimensions = [batch!, heads!, `${READ}_out`, size!]
      return [name, graph.input(PREFIX + name, 'float32', dimensions)] as const
    },
  )
  const chosen = graph.choose(graph.input('use_cache_branch', 'bool', [1]), Object.fromEntries(held), projected)
  const all = [...names, ...Object.keys(chosen)]
  const write = (own: Params, inputs: Tensors): Tensors => {
    const { lastHiddenState, cache, tokenLogits: direct } = decode(model, own, inputs, cacheIn(inputs, all, ''))
    const logits = direct ?? tokenLogits(model, head, own, lastHiddenState)
    return { logits, ...(cache as Cache) }
  }
  const { logits, ...present } = graph.trace(write, params, { ...given, ...chosen })
  const renamed = Object.fromEntries(Object.entries(present).map(([name, each]) => [exportedName(name), each]))
  const outputs = { logits: logits!, ...prefixed('present.', renamed) }
  if (!graph.inputsOf(outputs).includes(ENCODER_IDS)) return { graph, outputs }
  throw cannotExport(
    `the decoder of a model of type "${String(model.config['model_type'])}" reads the token ids of the encoder, which transformers.js does not pass`,
    'Export a model whose decoder reads the hidden states of the encoder only (bart, t5).',
  )
}
