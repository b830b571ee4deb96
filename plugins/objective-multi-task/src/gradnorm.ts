import { AttuneError, type DataPass, type LayerGroup, type Losses, type Params, type Tree } from '@attune/core'
import { globalNorm, reduceLosses, stopGradient, taped, withoutGradient } from '@attune/nn'
import {
  type Tensor,
  abs,
  add,
  clone,
  div,
  mean,
  mul,
  pow,
  scalar,
  stack,
  sub,
  sum,
  unstack,
} from '@tensorflow/tfjs-core'
import { type Task, isShared, ownBatch } from './task.js'

/** Name of a task's learned weight, a scalar. Weights are used in proportion: their mean is 1. */
export const weightOf = (name: string): string => `task.${name}.gradnorm_weight`

/**
 * The learned weights `w_k = tasks · p_k / Σ p` of the parameters p, `[tasks]`. The gradient of p is that of w in the scale of p, so that a
 * step of gradient descent on p, and the renormalization, are those on w.
 */
function learnedWeights(tasks: readonly Task[], params: Params): Tensor {
  const given = stack(tasks.map(({ name }) => params[weightOf(name)]!))
  const scale = stopGradient(div(tasks.length, sum(given)))
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
    'objective multi-task: expected a layer that all tasks read, got none',
    'Set `weighting: uncertainty`.',
  )
}

/**
 * Weights of GradNorm and the loss that trains them:
 *
 *     loss = Σ_k |G_k − mean(G) · r_k^α|,   G_k = ‖∇_W w_k L_k‖₂,   r_k = (L_k / L_k(0)) / mean over tasks of (L / L(0))
 *
 * Its gradient reaches the weights only; the targets are constants. W are the parameters of the last layer that all tasks read. Weights
 * are renormalized to the number of tasks where they are used, so that a step of gradient descent is that of the paper.
 * Source: Chen et al., GradNorm, 2018, equations 1 and 2, algorithm 1.
 * @param losses mean loss of each task without its weight, `[]`
 * @param initial L(0) of each task, `[]`
 * @returns constant weights, each `[]`, and the loss, of value 0
 */
export function gradNorm(
  tasks: readonly Task[],
  {
    params,
    layers,
    asymmetry,
  }: { readonly params: Params; readonly layers: readonly LayerGroup[]; readonly asymmetry: number },
  losses: readonly (() => Tensor)[],
  initial: readonly Tensor[],
): { readonly weights: readonly Tensor[]; readonly balance: Tensor } {
  const shared = Object.fromEntries(Object.entries(params).filter(([name]) => isShared(name)))
  const each = losses.map((loss) => evaluate(loss, shared))
  const inLayer = lastSharedLayer(
    each.map(({ grads }) => grads),
    layers,
  )
  const norms = constant(stack(inLayer.map((grads) => globalNorm(grads)))) // [tasks]
  const ratios = constant(stack(each.map(({ value }, i) => div(value, initial[i]!))))
  const weights = learnedWeights(tasks, params)
  const weighted = mul(abs(weights), norms) // G
  const targets = stopGradient(mul(mean(weighted), pow(div(ratios, mean(ratios)), asymmetry)))
  const balance = sum(abs(sub(weighted, targets)))
  return { weights: unstack(stopGradient(weights)), balance: sub(balance, stopGradient(balance)) }
}

type Sums = Record<string, { readonly sum: Tensor; readonly weight: Tensor }>

/** Mean loss of each task over the training data, before training: L(0) of GradNorm. */
export async function initialLosses(tasks: readonly Task[], pass: DataPass): Promise<Tree> {
  const start = (): Sums => Object.fromEntries(tasks.map(({ name }) => [name, { sum: scalar(0), weight: scalar(0) }]))
  return pass.fold<Sums>(start, (sums, at) => {
    const batch = at.batch as never
    return Object.fromEntries(
      tasks.map(({ name, prefix, objective }) => {
        const before = sums[name]!
        if (!(prefix in at.batch)) return [name, { sum: clone(before.sum), weight: clone(before.weight) }]
        const own = reduceLosses(
          objective.loss(at.head(), ownBatch({ name, prefix, objective }, batch)) as Losses,
          batch,
        )
        return [name, { sum: add(before.sum, own.sum), weight: add(before.weight, own.weight) }]
      }),
    )
  })
}
