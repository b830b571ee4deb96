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
  const head = classifier(model, 'next-sentence-prediction', 2, 0)
  const { maximumLength } = lengthsFor({ ...o, truncationSide: undefined }, model)
  const settings = { ...o, tokenizer, maximumLength, negatives: 'random', labels: ['next', 'random'] } as const
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
 * Next-sentence prediction: does the second of two segments follow the first in the same document? Segments are runs of sentences of plain
 * documents. Half of the second segments are from another document of the batch (from a later part of the same document in evaluation, and
 * in batches of one). A linear layer with two outputs on the pooled output, class 0 if the segment follows, as in transformers'
 * `BertForNextSentencePrediction`. Near neighbour: sentence-order-prediction, a harder task whose negatives have the same topic.
 */
export const nextSentencePrediction = definePlugin({
  kind: OBJECTIVE,
  name: 'next-sentence-prediction',
  summary: 'Next-sentence prediction: how BERT is pretrained, next to masked tokens',
  source: 'Devlin et al., BERT, 2019, section 3.1 and appendix A.2',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective next-sentence-prediction': typeof nextSentencePrediction
  }
}

export default nextSentencePrediction
