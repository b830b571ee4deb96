import { type Hyper, type Optimizer, type Params, type Tree, mapParams } from '@attune/core'
import {
  type Tensor,
  abs,
  add,
  cast,
  concat,
  div,
  equal,
  eye,
  floor,
  gather,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalOr,
  matMul,
  maximum,
  mean,
  minimum,
  mod,
  mul,
  norm,
  onesLike,
  reshape,
  round,
  scalar,
  sub,
  topk,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core'
import { tripletName, tripletOf } from './triplets.js'

/** Options of {@link allocateRanks}. */
export interface AllocationOptions {
  /** Mean rank of the layers at the end, at least 1. */
  readonly targetRank: number
  /** Fractions of the steps before the budget falls, and after it has reached its target, in [0, 1). */
  readonly warmup: number
  readonly final: number
  /** Steps between two allocations, at least 1. */
  readonly every: number
  /** Decays β₁ and β₂, in [0, 1). */
  readonly sensitivityDecay: number
  readonly uncertaintyDecay: number
  /** Weight of the orthogonal regularization, at least 0. */
  readonly orthogonality: number
}

/** State of the allocation, and that of the wrapped optimizer. */
export interface AllocationState extends Record<string, Tree> {
  /** Smoothed sensitivity of each weight of the factors, and its smoothed deviation, by name. */
  readonly sensitivity: Params
  readonly uncertainty: Params
  /** Latest allocation by the name of the singular values, `[rank, 1]`: 1 for those in the budget. */
  readonly kept: Params
  readonly inner: Tree
}

type Importance = Pick<AllocationState, 'sensitivity' | 'uncertainty'>

const pick = (from: Params, names: readonly string[]): Params =>
  Object.fromEntries(names.map((name) => [name, from[name]!]))

const decayed = (decay: number, average: Tensor, value: Tensor): Tensor =>
  add(mul(decay, average), mul(1 - decay, value))

/** Gradients of the mean of `‖A·Aᵀ − I‖` and `‖BᵀB − I‖` over all factors: `2·(A·Aᵀ − I)·A / ‖A·Aᵀ − I‖`. */
function orthogonalGradients(layers: readonly string[], params: Params, weight: number): Params {
  const each = weight / (2 * layers.length)
  const scaled = (deviation: Tensor, product: Tensor): Tensor =>
    mul(product, div(2 * each, maximum(norm(deviation), 1e-12)))
  return Object.fromEntries(
    layers.flatMap((layer): [string, Tensor][] => {
      const { a, b } = tripletOf(params, layer)
      const identity = eye(a.shape[0]!)
      const [rows, columns] = [sub(matMul(a, a, false, true), identity), sub(matMul(b, b, true, false), identity)]
      return [
        [tripletName(layer, 'A'), scaled(rows, matMul(rows, a))],
        [tripletName(layer, 'B'), scaled(columns, matMul(b, columns))],
      ]
    }),
  )
}

/** Gradients with those of the orthogonal regularization. */
function regularized(layers: readonly string[], grads: Params, params: Params, weight: number): Params {
  const penalty = orthogonalGradients(layers, params, weight)
  return { ...grads, ...mapParams((g, p) => add(g, p), pick(grads, Object.keys(penalty)), penalty) }
}

/** Importance of each triplet of a layer, `[rank]`: that of its singular value and the means over its vectors. */
function importanceOf(layer: string, { sensitivity, uncertainty }: Importance): Tensor {
  const score = (part: 'A' | 'B' | 'E'): Tensor =>
    mul(sensitivity[tripletName(layer, part)]!, uncertainty[tripletName(layer, part)]!)
  return add(add(reshape(score('E'), [-1]), mean(score('A'), 1)), mean(score('B'), 0))
}

/**
 * The budget at a step, `[]`, and whether a new allocation is made, the last one is kept, and the importance is still updated. As in peft,
 * the allocation of the last step of the budget uses the importance before it.
 */
function schedule(
  { warmup, final, every, targetRank }: AllocationOptions,
  layers: number,
  total: number,
  { step, steps }: Hyper,
) {
  const target = Math.min(total, targetRank * layers)
  const [start, end] = [round(mul(steps, warmup)), sub(steps, round(mul(steps, final)))]
  const left = sub(1, div(sub(step, start), maximum(sub(end, start), 1)))
  const cubic = floor(add(mul(total - target, mul(left, mul(left, left))), target))
  const isLast = equal(step, end)
  const falls = logicalAnd(greater(step, start), lessEqual(step, end))
  return {
    budget: where(isLast, scalar(target), minimum(maximum(cubic, target), total)),
    allocates: logicalAnd(falls, logicalOr(isLast, equal(mod(step, every), 0))),
    isFinal: greater(step, end),
    counts: less(step, end),
  }
}

/** Marks the triplets above the largest score outside of the budget with 1, by the name of their singular values. */
function largest(layers: readonly string[], state: Importance, budget: Tensor): Params {
  const scores = layers.map((layer) => importanceOf(layer, state))
  const all = concat(scores)
  const count = all.size
  const { values } = topk(all as never, count)
  const threshold = gather(values, reshape(cast(minimum(budget, count - 1), 'int32'), [1]))
  const isWhole = greaterEqual(budget, count)
  return Object.fromEntries(
    layers.map((layer, i) => {
      const marks = cast(logicalOr(greater(scores[i]!, threshold), isWhole), 'float32')
      return [tripletName(layer, 'E'), reshape(marks, [-1, 1])]
    }),
  )
}

/**
 * Wraps an optimizer with AdaLoRA's orthogonal regularization and its allocation of singular values.
 *
 *     s ← β₁·s + (1 − β₁)·|w·g|     u ← β₂·u + (1 − β₂)·||w·g| − s|     importance = s·u
 *
 * `g` is the gradient before clipping, with that of the regularization, `w` the weight after the step. In the last phase the allocation is
 * fixed.
 * Source: Zhang et al., 2023, equations 8 to 11, algorithm 1.
 */
export function allocateRanks(
  layers: readonly string[],
  options: AllocationOptions,
  optimizer: Optimizer,
): Optimizer<AllocationState> {
  const names = (...parts: readonly ('A' | 'B' | 'E')[]): string[] =>
    layers.flatMap((layer) => parts.map((part) => tripletName(layer, part)))
  const [singular, own] = [names('E'), names('E', 'A', 'B')]
  const evaluate = optimizer.evaluationParams?.bind(optimizer)
  return {
    init: (params) => ({
      sensitivity: mapParams((p) => zerosLike(p), pick(params, own)),
      uncertainty: mapParams((p) => zerosLike(p), pick(params, own)),
      kept: mapParams((p) => onesLike(p), pick(params, singular)),
      inner: optimizer.init(params),
    }),
    update(given, state, params, hyper, closure) {
      const grads = options.orthogonality === 0 ? given : regularized(layers, given, params, options.orthogonality)
      const { updates, state: inner } = optimizer.update(grads, state.inner ?? {}, params, hyper, closure)
      const moved = mapParams((p, by) => add(p, by), pick(params, own), pick(updates, own))
      const total = singular.reduce((all, name) => all + params[name]!.size, 0)
      const { budget, allocates, isFinal, counts } = schedule(options, layers.length, total, hyper)
      const next = importance(options, state, moved, pick(grads, own), counts)
      const marks = largest(layers, next, budget)
      const kept = mapParams((mark, before) => where(allocates, mark, before), marks, state.kept)
      const masks = mapParams((mark) => where(logicalOr(allocates, isFinal), mark, onesLike(mark)), kept)
      const masked = mapParams(
        (p, e, mark) => sub(mul(e, mark), p),
        pick(params, singular),
        pick(moved, singular),
        masks,
      )
      return { updates: { ...updates, ...masked }, state: { ...next, kept, inner } }
    },
    ...(optimizer.needsClosure === true ? { needsClosure: true as const } : {}),
    ...(evaluate === undefined ? {} : { evaluationParams: (state, params) => evaluate(state.inner, params) }),
  }
}

/** The next sensitivity and uncertainty; unchanged where `counts` is false. */
function importance(
  { sensitivityDecay, uncertaintyDecay }: AllocationOptions,
  state: Importance,
  weights: Params,
  grads: Params,
  counts: Tensor,
): Importance {
  const found = mapParams((w, g) => abs(mul(w, g)), weights, grads)
  const sensitivity = mapParams(
    (s, now) => where(counts, decayed(sensitivityDecay, s, now), s),
    state.sensitivity,
    found,
  )
  const uncertainty = mapParams(
    (u, now, s) => where(counts, decayed(uncertaintyDecay, u, abs(sub(now, s))), u),
    state.uncertainty,
    found,
    sensitivity,
  )
  return { sensitivity, uncertainty }
}
