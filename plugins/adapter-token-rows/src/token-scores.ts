import type { DataPass, Model, PassOptions, TextInputs } from '@attune/core'
import { asScores } from '@attune/nn'
import {
  type Tensor,
  type Tensor1D,
  add,
  cast,
  reshape,
  square,
  sum,
  unsortedSegmentSum,
  zeros,
} from '@tensorflow/tfjs-core'

/** Occurrences of each token among ids `[batch, length]` that are not padding: `[vocabulary]`. */
const occurrences = (ids: Tensor, mask: Tensor, vocabulary: number): Tensor =>
  unsortedSegmentSum(reshape(cast(mask, 'float32'), [-1]), reshape(ids, [-1]) as Tensor1D, vocabulary)

/**
 * Scores of all tokens on the training data, `[vocabulary]`: numbers of occurrences, in the inputs of the encoder and the decoder, or sums of
 * the squared norms of the gradients of their embeddings.
 */
export async function tokenScores(
  pass: DataPass,
  { wordEmbeddings }: Pick<Model, 'wordEmbeddings'>,
  by: 'frequency' | 'gradient',
  vocabulary: number,
  options: PassOptions,
): Promise<Float32Array> {
  const counts = ({
    inputIds,
    attentionMask,
    decoderInputIds: ids,
    decoderAttentionMask: mask,
  }: TextInputs): Tensor => {
    const own = occurrences(inputIds, attentionMask, vocabulary)
    return ids === undefined || mask === undefined ? own : add(own, occurrences(ids, mask, vocabulary))
  }
  const sums = await pass.fold(
    () => ({ scores: zeros([vocabulary]) as Tensor }),
    ({ scores }, { batch, gradients }) => {
      const part =
        by === 'frequency' ? counts(batch.inputs as TextInputs) : sum(square(gradients()[wordEmbeddings]!), 1)
      return { scores: add(scores, part) }
    },
    options,
  )
  const { scores } = asScores(await pass.read(sums))
  pass.release(sums)
  return scores!.values as Float32Array
}
