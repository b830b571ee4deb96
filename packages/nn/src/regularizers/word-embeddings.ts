import {
  AttuneError,
  type LayerHook,
  type LossCall,
  type LossFunction,
  type ReducedLoss,
  type TextInputs,
  type Tree,
  isTensor,
} from '@attune/core'
import {
  type Tensor,
  add,
  clone,
  div,
  max,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  norm,
  square,
  sub,
  zeros,
} from '@tensorflow/tfjs-core'
import { taped } from '../engine/gradients.js'
import { stopGradient } from '../engine/stop-gradient.js'
import { withoutGradient } from '../engine/without-gradient.js'
import { composeHooks } from '../layers/layer-hook.js'

/** A loss with the outputs of the head. */
type Evaluated = ReducedLoss & { readonly head?: Tree }

/** Prevents division by zero where a gradient vanishes. */
const TINY = 1e-12

/**
 * Inputs of the model of a batch of one task. A joint batch of several tasks has those of each, in tensors of their own.
 * @param regularizer its name, for the error
 * @throws AttuneError `REGULARIZER_MISMATCH` for a joint batch
 */
export function inputsOfOneTask({ batch: { inputs } }: LossCall, regularizer: string): TextInputs {
  const parts: Readonly<Record<string, Tree>> = inputs
  if (isTensor(parts['inputIds']) || Object.values(parts).every(isTensor)) return inputs as unknown as TextInputs
  throw new AttuneError(
    'REGULARIZER_MISMATCH',
    `regularizer ${regularizer}: expected a batch of one task, got a joint batch of the tasks ${Object.keys(inputs).join(', ')}`,
    `Set \`batches: alternating\` in \`objective\`, or remove ${regularizer} from \`regularizer\`.`,
  )
}

/**
 * Evaluates a loss with the output of the word embeddings, `[batch, length, width]`, replaced by `change` of it. In an encoder–decoder
 * these are the embeddings of the encoder.
 * @param regularizer its name, for the error
 * @throws AttuneError `REGULARIZER_MISMATCH` for a joint batch, or if the model does not look up the batch's token ids in an embedding
 */
export function lossAtWordEmbeddings(
  loss: LossFunction,
  call: LossCall,
  regularizer: string,
  change: (embedded: Tensor) => Tensor,
): Evaluated {
  const { inputIds } = inputsOfOneTask(call, regularizer)
  let found = false
  const hook: LayerHook = (site, x, compute) => {
    if (site.kind !== 'embedding' || x !== inputIds) return compute(x)
    found = true
    return change(compute(x))
  }
  const result = loss({ ...call, hook: composeHooks(hook, call.hook) })
  if (!found)
    throw new AttuneError(
      'REGULARIZER_MISMATCH',
      `regularizer ${regularizer}: expected a model that looks up the token ids of a batch in an embedding; this model and objective do not`,
      `Remove ${regularizer} from \`regularizer\`.`,
    )
  return result
}

/** L2 norm of each example, `[batch, 1, 1]`, of `[batch, length, width]`. */
const exampleNorms = (x: Tensor): Tensor => maximum(norm(x, 'euclidean', [1, 2], true), TINY)

/** The loss without a perturbation, and an initial perturbation of zeros of the shape of the word embeddings. */
export function unperturbed(loss: LossFunction, call: LossCall, regularizer: string) {
  let shape: number[] = []
  const clean = lossAtWordEmbeddings(loss, call, regularizer, (embedded) => {
    shape = embedded.shape
    return embedded
  })
  return { clean, delta: zeros(shape) }
}

/** Gradient of a scalar of the loss in a perturbation of the word embeddings, `[batch, length, width]`, as a constant. */
function embeddingGradient(
  loss: LossFunction,
  call: LossCall,
  regularizer: string,
  delta: Tensor,
  scalarOf: (evaluated: Evaluated) => Tensor,
): Tensor {
  const at = (): Evaluated =>
    lossAtWordEmbeddings(loss, call, regularizer, (embedded) => add(stopGradient(embedded), delta))
  const { grads } = taped(() => scalarOf(at()), [delta])
  // Not `stopGradient`: the gradient may depend on the parameters by operations that have no gradient, through which zeros cannot pass.
  return withoutGradient(() => clone(grads[0] ?? delta))
}

/**
 * Direction of steepest ascent of the mean loss in a perturbation of the word embeddings: its gradient, scaled to an L2 norm of 1 for each
 * example, `[batch, length, width]`. No gradient flows through it, as in the papers: the perturbation counts as a constant.
 */
export function ascentDirection(loss: LossFunction, call: LossCall, regularizer: string, delta: Tensor): Tensor {
  const gradient = embeddingGradient(loss, call, regularizer, delta, ({ sum, weight }) => div(sum, weight))
  return div(gradient, exampleNorms(gradient))
}

/** A step of projected gradient ascent from a perturbation, of L2 norm `rate` for each example, within a ball of radius `epsilon`. */
export function ascentStep(
  loss: LossFunction,
  call: LossCall,
  regularizer: string,
  from: Tensor,
  { rate, epsilon }: { readonly rate: Tensor | number; readonly epsilon: Tensor | number },
): Tensor {
  const further = add(from, mul(rate, ascentDirection(loss, call, regularizer, from)))
  return mul(further, minimum(1, div(epsilon, exampleNorms(further))))
}

/** Sum of the loss and of the loss with perturbed word embeddings. `perturb` computes the perturbation, given one of zeros. */
export function adversarialLoss(
  loss: LossFunction,
  call: LossCall,
  regularizer: string,
  perturb: (zero: Tensor) => Tensor,
): Evaluated {
  const { clean, delta } = unperturbed(loss, call, regularizer)
  const moved = perturb(delta)
  const attacked = lossAtWordEmbeddings(loss, call, regularizer, (embedded) => add(embedded, moved))
  return { ...clean, sum: add(clean.sum, attacked.sum) }
}

/** Norm of the largest perturbation of an example in {@link gradientNormPenalty}: small, and far above the rounding of float32. */
const DIFFERENCE = 0.01

/**
 * Mean over the examples of the squared excess of the norm of the gradient of an example's loss with respect to its word embeddings,
 * `[]`. The loss of an example is its sum over tokens or labels. The value is exact. Its gradient is a central difference of gradients, of
 * truncation error O(DIFFERENCE²), along `v`, the gradient of the squared excess in the embedding gradients:
 *
 *     ∇ mean excess² ≈ ∇ (loss(e + h · v) − loss(e − h · v)) / (2 h · batch)
 *
 * Second derivatives by TF.js would be wrong without a warning: operations with a gradient of their own, such as the cross-entropy, layer
 * normalization and attention, have none. Source of the difference: Karakida et al., Understanding Gradient Regularization in Deep
 * Learning: Efficient Finite-Difference Computation and Implicit Bias, 2023, equation 3.
 * @param excessOf the excess of norms, `[batch, 1, 1]`
 */
export function gradientNormPenalty(
  loss: LossFunction,
  call: LossCall,
  regularizer: string,
  zero: Tensor,
  excessOf: (norms: Tensor) => Tensor,
): Tensor {
  const gradient = embeddingGradient(loss, call, regularizer, zero, ({ sum }) => sum)
  const norms = exampleNorms(gradient)
  const excess = excessOf(norms)
  const direction = stopGradient(mul(div(mul(2, excess), norms), gradient))
  const scale = div(DIFFERENCE, max(exampleNorms(direction))) // h
  const at = (factor: Tensor): Tensor =>
    lossAtWordEmbeddings(loss, call, regularizer, (embedded) => add(embedded, mul(factor, direction))).sum
  const slope = div(sub(at(scale), at(neg(scale))), mul(2 * zero.shape[0]!, scale))
  return add(stopGradient(mean(square(excess))), sub(slope, stopGradient(slope)))
}
