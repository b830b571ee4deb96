import { MODEL, type Model, OBJECTIVE, type Objective, TOKENIZER, type Tokenizer, definePlugin } from '@attune/core'
import {
  type ClassificationBatch,
  type SentencePairItem,
  documentOptions,
  lengthsFor,
  sentencePairs,
} from '@attune/data'
import { crossEntropy, pooledHead } from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject(documentOptions)

function create(
  o: z.output<typeof options>,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<SentencePairItem, ClassificationBatch, Tensor> {
  const { maximumLength } = lengthsFor({ ...o, truncationSide: undefined }, model)
  const settings = { ...o, tokenizer, maximumLength, negatives: 'swapped', labels: ['ordered', 'swapped'] } as const
  const { encode, ...pairs } = sentencePairs(settings)
  return {
    ...pooledHead(model, 'sentence-order-prediction', 2, crossEntropy),
    ...pairs,
    views: ['label', 'scores'],
    maximumLength,
    encode,
    encodeUnlabelled: encode,
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
