import { type Model, type Params, type TextInputs, deriveKey as foldKey } from '@attune/core'
import {
  type LayerContext,
  attention,
  attentionBlock,
  attentionBias,
  defaultPositions,
  dropout,
  embedding,
  encoderOutputs,
  filledWith,
  modeAt,
  gelu,
  layerNorm,
  layerStack,
  linear,
  normal,
} from '@attune/nn'
import { type Tensor, add, tanh } from '@tensorflow/tfjs-core'

const [VOCABULARY, HIDDEN, INTERMEDIATE, LAYERS, LENGTH] = [128, 8, 12, 2, 24]

const dense = (name: string, outputs: number, inputs: number): Record<string, readonly number[]> => ({
  [`${name}.weight`]: [outputs, inputs],
  [`${name}.bias`]: [outputs],
})

const layerShapes = (at: string): Record<string, readonly number[]> => ({
  ...dense(`${at}.attention.self.query`, HIDDEN, HIDDEN),
  ...dense(`${at}.attention.self.key`, HIDDEN, HIDDEN),
  ...dense(`${at}.attention.self.value`, HIDDEN, HIDDEN),
  ...dense(`${at}.intermediate.dense`, INTERMEDIATE, HIDDEN),
  ...dense(`${at}.output.dense`, HIDDEN, INTERMEDIATE),
  [`${at}.output.LayerNorm.weight`]: [HIDDEN],
  [`${at}.output.LayerNorm.bias`]: [HIDDEN],
})

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'tiny.embeddings.word_embeddings.weight': [VOCABULARY, HIDDEN],
  'tiny.embeddings.position_embeddings.weight': [LENGTH, HIDDEN],
  ...layerShapes('tiny.encoder.layer.0'),
  ...layerShapes('tiny.encoder.layer.1'),
  ...dense('tiny.pooler.dense', HIDDEN, HIDDEN),
}

/** One transformer layer, `[batch, length, hidden]` → the same shape. */
function layer(params: Params, x: Tensor, bias: Tensor, { at, onAttention }: LayerContext): Tensor {
  const mixed = attentionBlock(params, `${at}.attention`, x, (y) => {
    const part = (name: string): Tensor => linear(params, `${at}.attention.self.${name}`, y)
    const heads = { q: part('query'), k: part('key'), v: part('value'), bias }
    return attention(heads, 2, 0, { training: false }, { onAttention })
  })
  const intermediate = gelu(linear(params, `${at}.intermediate.dense`, add(x, mixed))) // [batch, length, intermediate]
  const output = linear(params, `${at}.output.dense`, intermediate)
  return layerNorm(params, `${at}.output.LayerNorm`, add(x, output), 1e-6)
}

const HEADS: Model['heads'] = {
  'sequence-classification': {
    architecture: 'TinyForSequenceClassification',
    tensors: { 'classifier.weight': 'classifier.weight', 'classifier.bias': 'classifier.bias' },
  },
  'token-classification': {
    architecture: 'TinyForTokenClassification',
    tensors: { 'classifier.weight': 'classifier.weight', 'classifier.bias': 'classifier.bias' },
  },
  'span-extraction': {
    architecture: 'TinyForQuestionAnswering',
    tensors: { 'classifier.weight': 'qa_outputs.weight', 'classifier.bias': 'qa_outputs.bias' },
  },
  'multiple-choice': {
    architecture: 'TinyForMultipleChoice',
    tensors: { 'classifier.weight': 'classifier.weight', 'classifier.bias': 'classifier.bias' },
  },
  'next-sentence-prediction': {
    architecture: 'TinyForNextSentencePrediction',
    tensors: { 'classifier.weight': 'cls.seq_relationship.weight', 'classifier.bias': 'cls.seq_relationship.bias' },
  },
  'sentence-order-prediction': {
    architecture: 'TinyForNextSentencePrediction',
    tensors: { 'classifier.weight': 'cls.seq_relationship.weight', 'classifier.bias': 'cls.seq_relationship.bias' },
  },
  'masked-language-modeling': {
    architecture: 'TinyForMaskedLM',
    tensors: {
      'dense.weight': 'cls.predictions.transform.dense.weight',
      'dense.bias': 'cls.predictions.transform.dense.bias',
      'norm.weight': 'cls.predictions.transform.LayerNorm.weight',
      'norm.bias': 'cls.predictions.transform.LayerNorm.bias',
      bias: 'cls.predictions.bias',
    },
  },
  'causal-language-modeling': { architecture: 'TinyForCausalLM', tensors: { weight: 'lm_head.weight' } },
}

/**
 * A transformer encoder small enough to run hundreds of times in a suite: two layers, hidden size 8, vocabulary 128, maximum length
 * 24, dropout 0.1. Its parameters have BERT's names with the prefix `tiny.` for `bert.`, so that adapters find
 * `attention.self.query`. Default model of the suites of objectives and adapters.
 */
export const tinyModel = (): Model => ({
  prefix: 'tiny.',
  wordEmbeddings: 'tiny.embeddings.word_embeddings.weight',
  heads: HEADS,
  hiddenSize: HIDDEN,
  vocabularySize: VOCABULARY,
  maximumLength: LENGTH,
  headDropout: 0.1,
  initializerRange: 0.3,
  layers: [
    { name: 'embeddings', prefixes: ['tiny.embeddings.'] },
    ...Array.from({ length: LAYERS }, (_, i) => ({ name: `layer ${i}`, prefixes: [`tiny.encoder.layer.${i}.`] })),
    { name: 'pooler', prefixes: ['tiny.pooler.'] },
  ],
  config: { model_type: 'tiny', hidden_size: HIDDEN, vocab_size: VOCABULARY },
  init: (key) =>
    Object.fromEntries(
      Object.entries(SHAPES).map(([name, shape]) => [
        name,
        name.endsWith('LayerNorm.weight') ? filledWith(shape, 1) : normal(foldKey(key, name), shape, 0.3),
      ]),
    ),
  forward(params, inputs: TextInputs, mode) {
    const positions = inputs.positionIds ?? defaultPositions(inputs)
    const words = embedding(params, 'tiny.embeddings.word_embeddings', inputs.inputIds) // [batch, length, hidden]
    const sum = add(words, embedding(params, 'tiny.embeddings.position_embeddings', positions))
    const stacked = layerStack(params, dropout(sum, 0.1, modeAt(mode, 0)), [attentionBias(inputs)], mode, {
      count: LAYERS,
      at: (i) => `tiny.encoder.layer.${i}`,
      layer: (own, y, [bias], context) => layer(own, y, bias!, context),
    })
    return encoderOutputs(stacked, ({ first }) => tanh(linear(params, 'tiny.pooler.dense', first)))
  },
})
