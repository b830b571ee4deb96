import type { EncoderOutputs, Model, Params } from '@attune/core'
import { type DynamicGraph, type DynamicValue, type NamedFunction, dynamicGraph } from '@attune/jit'
import { headFor, headTensors, linear, maskedLogits } from '@attune/nn'
import { type Tensor, split, squeeze } from '@tensorflow/tfjs-core'
import { type ExportedModel, INFERENCE } from './exported-model.js'

/** Result of a graph by its name in the layout of transformers.js. */
type Result = Readonly<Record<string, Tensor>>

/** Result of a head, from the parameters and the outputs of the model. */
type Read = (params: Params, outputs: EncoderOutputs) => Result

const classifier =
  (model: Model, task: string, states: 'pooled' | 'lastHiddenState'): Read =>
  (params, outputs) => {
    const head = headFor(model, task)
    const bias = 'classifier.bias' in head.tensors
    return { logits: linear(headTensors(head, params), 'classifier', outputs[states], { bias }) }
  }

/** Results by objective. */
const READS: Readonly<Record<string, (model: Model, task: string) => Read>> = {
  'sequence-classification': (model, task) => classifier(model, task, 'pooled'),
  'token-classification': (model, task) => classifier(model, task, 'lastHiddenState'),
  'span-extraction': (model, task) => (params, outputs) => {
    const [starts, ends] = split(classifier(model, task, 'lastHiddenState')(params, outputs)['logits']!, 2, 2)
    return { start_logits: squeeze(starts!, [2]), end_logits: squeeze(ends!, [2]) }
  },
  'masked-language-modeling':
    (model, task) =>
    (params, { lastHiddenState }) => ({
      logits: maskedLogits(model, headFor(model, task), params, lastHiddenState),
    }),
  contrastive: () => (_, outputs) => ({ last_hidden_state: outputs.lastHiddenState }),
}

/** Objectives whose models read a text at once: a single graph without a cache. */
export const encoderTasks = Object.keys(READS)

const TEXT = ['batch_size', 'sequence_length']

/** Inputs of a graph that reads texts. */
export const textInputs = (graph: DynamicGraph): Readonly<Record<string, DynamicValue>> => ({
  input_ids: graph.input('input_ids', 'int64', TEXT),
  attention_mask: graph.input('attention_mask', 'int64', TEXT),
  token_type_ids: graph.input('token_type_ids', 'int64', TEXT),
})

/** Forward pass on the inputs of {@link textInputs}. */
export const readText =
  (model: Model, read: Read): NamedFunction =>
  (params, { input_ids: inputIds, attention_mask: attentionMask, token_type_ids: tokenTypeIds }) =>
    read(
      params,
      model.forward(
        params,
        { inputIds: inputIds!, attentionMask: attentionMask!, tokenTypeIds: tokenTypeIds! },
        INFERENCE,
      ),
    )

/** A graph to be written, and its outputs. */
export interface ExportedGraph {
  readonly graph: DynamicGraph
  readonly outputs: Readonly<Record<string, DynamicValue>>
}

/** Graph of a model that reads a text at once: a classifier, a masked language model or an encoder of texts. */
export function encoderGraph({ model, params, task }: ExportedModel): ExportedGraph {
  const graph = dynamicGraph()
  return { graph, outputs: graph.trace(readText(model, READS[task]!(model, task)), params, textInputs(graph)) }
}
