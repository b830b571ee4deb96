import {
  AttuneError,
  type LayerHook,
  type LossCall,
  type LossFunction,
  type ReducedLoss,
  type TextInputs,
  type Tree,
} from '@attune/core'
import { type Tensor, add, div, maximum, minimum, mul, norm, zeros } from '@tensorflow/tfjs-core'
import { taped } from '../engine/gradients.js'
import { stopGradient } from '../engine/stop-gradient.js'
import { composeHooks } from '../layers/layer-hook.js'

/** A loss with the outputs of the head. */
type Evaluated = ReducedLoss & { readonly head?: Tree }

/** Prevents division by zero where a gradient vanishes. */
const TINY = 1e-12

/**
 * Evaluates a loss with the output of the word embeddings, `[batch, length, width]`, replaced by `change` of it. In an encoder–decoder
 * these are the embeddings of the encoder.
 * @param regularizer its name, for the error
 * @throws AttuneError `REGULARIZER_MISMATCH` if the model does not look up the batch's token ids in an embedding
 */
export function lossAtWordEmbeddings(
  loss: LossFunction,
  call: LossCall,
  regularizer: string,
  change: (embedded: Tensor) => Tensor,
): Evaluated {
  const { inputIds } = call.batch.inputs as unknown as TextInputs
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

/**
 * Direction of steepest ascent of the mean loss in a perturbation of the word embeddings: its gradient, scaled to an L2 norm of 1 for each
 * example, `[batch, length, width]`. No gradient flows through it, as in the papers: the perturbation counts as a constant.
 */
export function ascentDirection(loss: LossFunction, call: LossCall, regularizer: string, delta: Tensor): Tensor {
  const { grads } = taped(() => {
    const { sum, weight } = lossAtWordEmbeddings(loss, call, regularizer, (embedded) =>
      add(stopGradient(embedded), delta),
    )
    return div(sum, weight)
  }, [delta])
  const gradient = stopGradient(grads[0] ?? delta)
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
