import { AttuneError, type LayerGroup, type Params } from '@attune/core'
import { type Tensor, abs, add, clone, div, mean, mul, pow, stack, sub, sum, unstack } from '@tensorflow/tfjs-core'
import { taped } from '../engine/gradients.js'
import { stopGradient } from '../engine/stop-gradient.js'
import { withoutGradient } from '../engine/without-gradient.js'
import { globalNorm } from '../transformations/clip-by-global-norm.js'

/**
 * The learned weights `w_k = tasks · p_k / Σ p` of the parameters p, `[tasks]`. The gradient of p is that of w in the scale of p, so that a
 * step of gradient descent on p, and the renormalization, are those on w.
 */
function proportions(learned: readonly Tensor[]): Tensor {
  const given = stack([...learned])
  const scale = stopGradient(div(learned.length, sum(given)))
  return add(stopGradient(mul(given, scale)), div(sub(given, stopGradient(given)), scale))
}

/** Keeps gradients out of what was computed from gradients, through which TF.js cannot differentiate. */
const constant = (x: Tensor): Tensor => withoutGradient(() => clone(x))

/** Loss of one task, and its gradients with respect to the shared parameters that it reads. */
function evaluate(loss: () => Tensor, shared: Params): { readonly value: Tensor; readonly grads: Params } {
  const { value, grads } = taped(loss, Object.values(shared))
  const read = Object.keys(shared).flatMap((name, i) => {
    const gradient = grads[i] ?? undefined
    return gradient === undefined ? [] : [[name, gradient] as const]
  })
  return { value, grads: Object.fromEntries(read) }
}

/** The gradients of each task in the last layer that all tasks read. */
function lastSharedLayer(grads: readonly Params[], layers: readonly LayerGroup[]): readonly Params[] {
  for (const { prefixes } of [...layers].reverse()) {
    const inLayer = grads.map((each) =>
      Object.fromEntries(Object.entries(each).filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix)))),
    )
    if (inLayer.every((each) => Object.keys(each).length > 0)) return inLayer
  }
  throw new AttuneError(
    'TASK_MISMATCH',
    'GradNorm: expected a layer of the model that trains and that all tasks read, got none',
    'Set `weighting: uncertainty`.',
  )
}

/** Inputs of GradNorm other than the losses. */
export interface GradNormContext {
  /** Parameters that the tasks share and that train; under an adapter, those of the adapter. */
  readonly shared: Params
  /** Layers of the model, from the first to the last. */
  readonly layers: readonly LayerGroup[]
  /** Learned weight of each task, `[]`, initially 1. Weights are used in proportion: their mean is 1. */
  readonly learned: readonly Tensor[]
  /** L(0), the loss of each task before training, `[]`. */
  readonly initial: readonly Tensor[]
  /** Exponent α ≥ 0: the higher, the more weight for tasks that learn slowly. */
  readonly asymmetry: number | Tensor
}

/**
 * Weights of GradNorm and the loss that trains them:
 *
 *     loss = Σ_k |G_k − mean(G) · r_k^α|,   G_k = ‖∇_W w_k L_k‖₂,   r_k = (L_k / L_k(0)) / mean over tasks of (L / L(0))
 *
 * Its gradient reaches the weights only; the targets are constants. W are the parameters that train of the last layer that all tasks read. Weights
 * are renormalized to the number of tasks where they are used, so that a step of gradient descent is that of the paper.
 * Source: Chen et al., GradNorm, 2018, equations 1 and 2, algorithm 1.
 *
 * When to use it: on tasks that learn at different rates. It costs one more backward pass for each task.
 * Gotcha: add `balance` to the loss, or the weights do not train.
 * @param losses mean loss of each task without its weight, `[]`
 * @returns constant weights, each `[]`, and the loss, of value 0
 * @throws AttuneError `TASK_MISMATCH` if there is no layer that trains and that all tasks read
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { gradNorm } from '@attune/nn'
 * import { mul, scalar, square } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const shared = { w: scalar(2) }
 * const losses = [() => square(shared.w), () => mul(3, shared.w)]
 * const { weights } = gradNorm(losses, {
 *   shared,
 *   layers: [{ name: 'layer 0', prefixes: ['w'] }],
 *   learned: [scalar(1), scalar(3)],
 *   initial: [scalar(4), scalar(6)],
 *   asymmetry: 1.5,
 * })
 * console.log(weights.map((weight) => weight.arraySync())) // [ 0.5, 1.5 ]
 * ```
 */
export function gradNorm(
  losses: readonly (() => Tensor)[],
  { shared, layers, learned, initial, asymmetry }: GradNormContext,
): { readonly weights: readonly Tensor[]; readonly balance: Tensor } {
  const each = losses.map((loss) => evaluate(loss, shared))
  const inLayer = lastSharedLayer(
    each.map(({ grads }) => grads),
    layers,
  )
  const norms = constant(stack(inLayer.map((grads) => globalNorm(grads)))) // [tasks]
  const ratios = constant(stack(each.map(({ value }, i) => div(value, initial[i]!))))
  const weights = proportions(learned)
  const weighted = mul(abs(weights), norms) // G
  const targets = stopGradient(mul(mean(weighted), pow(div(ratios, mean(ratios)), asymmetry)))
  const balance = sum(abs(sub(weighted, targets)))
  return { weights: unstack(stopGradient(weights)), balance: sub(balance, stopGradient(balance)) }
}
