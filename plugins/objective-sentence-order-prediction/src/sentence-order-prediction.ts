import { MODEL, type Model, OBJECTIVE, type Objective, TOKENIZER, type Tokenizer, definePlugin } from '@attune/core'
import {
  type ClassificationBatch,
  type SentencePairItem,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  sentencePairs,
} from '@attune/data'
import { classifier, crossEntropy } from '@attune/nn'
import { type Tensor, ones } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const { padToMultipleOf } = lengthOptions

const options = z.strictObject({
  text: z
    .string()
    .default('text')
    .meta({ field: 'text' })
    .describe('Field that holds the document: a text, or a list of sentences'),
  maximumLength: maximumTokens(5, 'a pair of segments'),
  padToMultipleOf,
})

type Options = z.output<typeof options>

function create(
  o: Options,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<SentencePairItem, ClassificationBatch, Tensor> {
  const head = classifier(model, 'sentence-order-prediction', 2, model.headDropout)
  const { maximumLength } = lengthsFor({ ...o, truncationSide: undefined }, model)
  const settings = { ...o, tokenizer, maximumLength, negatives: 'swapped', labels: ['ordered', 'swapped'] } as const
  const { encode, collate, predict, reference } = sentencePairs(settings)
  return {
    views: ['label', 'scores'],
    config: { architectures: [head.architecture] },
    maximumLength,
    init: head.init,
    encode,
    encodeUnlabelled: encode,
    collate,
    head: (params, { pooled }, mode) => head.forward(params, pooled, mode),
    loss: (logits, { labels }) => ({
      losses: crossEntropy(logits, labels),
      weights: ones([logits.shape[0] as number]),
    }),
    predict,
    reference,
  }
}

/**
 * Sentence-order prediction: are two consecutive segments of a document in their order, or swapped? Segments are runs of sentences of plain
 * documents; half of the pairs are swapped. Dropout and a linear layer with two outputs on the pooled output, class 0 if in order. Parameters are
 * named as in transformers' `AlbertForPreTraining`, whose head for masked tokens is not trained, or `BertForNextSentencePrediction`. Near
 * neighbour: next-sentence-prediction, whose negatives can be recognized by their topic.
 */
export const sentenceOrderPrediction = definePlugin({
  kind: OBJECTIVE,
  name: 'sentence-order-prediction',
  summary: 'Sentence-order prediction: how ALBERT is pretrained, next to masked tokens',
  source: 'Lan et al., ALBERT, 2020, section 3.1',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective sentence-order-prediction': typeof sentenceOrderPrediction
  }
}

export default sentenceOrderPrediction
