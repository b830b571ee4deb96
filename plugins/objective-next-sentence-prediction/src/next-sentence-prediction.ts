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
  const settings = { ...o, tokenizer, maximumLength, negatives: 'random', labels: ['next', 'random'] } as const
  const { encode, ...pairs } = sentencePairs(settings)
  return {
    ...pooledHead(model, 'next-sentence-prediction', 2, crossEntropy, 0),
    ...pairs,
    views: ['label', 'scores'],
    comparesExamples: true, // negatives are from other documents of the batch
    maximumLength,
    encode,
    encodeUnlabelled: encode,
  }
}

/**
 * Next-sentence prediction: does the second of two segments follow the first in the same document? Segments are runs of sentences of plain
 * documents. Half of the second segments are from another document of the batch (from a later part of the same document in evaluation, and
 * in batches of one), so a batch is never split into micro-batches. A linear layer with two outputs on the pooled output, class 0 if the segment follows, as in transformers'
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
