import { AttuneError, type LossCall, type LossFunction, type ReducedLoss, type Tree } from '@attune/core'
import { isTensor, mapTree } from '@attune/core'
import { type Tensor, add, cast, concat, expandDims, maximum, mul, slice, sub } from '@tensorflow/tfjs-core'
import { inputsOfOneTask, lossAtWordEmbeddings } from './word-embeddings.js'

/** Each row replaced by the next one, the last by the first. */
const nextRow = (x: Tensor): Tensor => {
  const others = x.shape.slice(1).map(() => 0)
  return concat([slice(x, [1, ...others]), slice(x, [0, ...others], [1, ...x.shape.slice(1)])])
}

/** The rest of a batch, with the targets of the next example in place of an example's own. */
function nextTargets(call: LossCall, regularizer: string): Omit<LossCall['batch'], 'inputs'> {
  const { inputs: _, ...targets } = call.batch
  const [rows] = inputsOfOneTask(call, regularizer).inputIds.shape
  const other = (x: Tensor): Tensor => {
    if (x.shape[0] === rows) return nextRow(x)
    throw new AttuneError(
      'REGULARIZER_MISMATCH',
      `regularizer ${regularizer}: expected targets with one row for each of the ${rows} texts of a batch, got targets of shape [${x.shape.join(', ')}]`,
      `Use ${regularizer} with a classification of texts, or remove it from \`regularizer\`.`,
    )
  }
  return mapTree(targets, isTensor, other) as Omit<LossCall['batch'], 'inputs'>
}

/**
 * Mixup of the word embeddings of each example and the next one of the batch, `ratio · e + (1 − ratio) · e′`, with the losses of both labels:
 *
 *     ratio · loss(mixed, y) + (1 − ratio) · loss(mixed, y′)
 *
 * Padding counts as zeros, and a position of the mixture is attended to if it is a token in either text. Token types are those of
 * the first text. Both losses are of one forward pass, which a compiled step computes once.
 * @param ratio `[]`, in [0, 1]
 * @param regularizer its name, for the error
 * @throws AttuneError `REGULARIZER_MISMATCH` without word embeddings, or for targets that are not one row per text
 */
export function mixupLoss(
  loss: LossFunction,
  call: LossCall,
  ratio: Tensor | number,
  regularizer: string,
): ReducedLoss & { readonly head?: Tree } {
  const { inputs, ...targets } = call.batch
  const { attentionMask } = inputsOfOneTask(call, regularizer)
  const batch = { inputs: { ...inputs, attentionMask: maximum(attentionMask, nextRow(attentionMask)) } }
  const between = (x: Tensor, y: Tensor): Tensor => add(mul(ratio, x), mul(sub(1, ratio), y))
  const mix = (embedded: Tensor): Tensor => {
    const texts = mul(embedded, expandDims(cast(attentionMask, 'float32'), -1)) // [batch, length, width]
    return between(texts, nextRow(texts))
  }
  const at = (others: object) =>
    lossAtWordEmbeddings(loss, { ...call, batch: { ...others, ...batch } as LossCall['batch'] }, regularizer, mix)
  const [own, next] = [at(targets), at(nextTargets(call, regularizer))]
  return { ...own, sum: between(own.sum, next.sum), weight: between(own.weight, next.weight) }
}
