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
import { factorsOf, nameOf } from './triplets.js'

/** Options of the allocation; see the plugin. */
export interface AllocationOptions {
  readonly targetRank: number
  readonly warmup: number
  readonly final: number
  readonly every: number
  readonly sensitivityDecay: number
  readonly uncertaintyDecay: number
  readonly orthogonality: number
}

/** State of the allocation, and that of the wrapped optimizer. */
interface State extends Record<string, Tree> {
  /** Smoothed sensitivity of each weight of the factors, and its smoothed deviation, by name. */
  readonly sensitivity: Params
  readonly uncertainty: Params
  /** Latest allocation by the name of the singular values, `[rank, 1]`: 1 for those in the budget. */
  readonly kept: Params
  readonly inner: Tree
}

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
      const { a, b } = factorsOf(params, layer)
      const identity = eye(a.shape[0]!)
      const [rows, columns] = [sub(matMul(a, a, false, true), identity), sub(matMul(b, b, true, false), identity)]
      return [
        [nameOf(layer, 'A'), scaled(rows, matMul(rows, a))],
        [nameOf(layer, 'B'), scaled(columns, matMul(b, columns))],
      ]
    }),
  )
}

/** Importance of each triplet of a layer, `[rank]`: that of its singular value and the means over its vectors. */
function importanceOf(layer: string, { sensitivity, uncertainty }: Pick<State, 'sensitivity' | 'uncertainty'>): Tensor {
  const score = (part: 'A' | 'B' | 'E'): Tensor =>
    mul(sensitivity[nameOf(layer, part)]!, uncertainty[nameOf(layer, part)]!)
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
function largest(layers: readonly string[], scores: readonly Tensor[], budget: Tensor): Params {
  const all = concat(scores as Tensor[])
  const count = all.size
  const { values } = topk(all as never, count)
  const threshold = gather(values, reshape(cast(minimum(budget, count - 1), 'int32'), [1]))
  const isWhole = greaterEqual(budget, count)
  return Object.fromEntries(
    layers.map((layer, i) => {
      const marks = cast(logicalOr(greater(scores[i]!, threshold), isWhole), 'float32')
      return [nameOf(layer, 'E'), reshape(marks, [-1, 1])]
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
): Optimizer<State> {
  const [singular, vectors] = [
    layers.map((layer) => nameOf(layer, 'E')),
    layers.flatMap((layer) => [nameOf(layer, 'A'), nameOf(layer, 'B')]),
  ]
  const own = [...singular, ...vectors]
  const evaluate = optimizer.evaluationParams?.bind(optimizer)
  return {
    init: (params) => ({
      sensitivity: mapParams((p) => zerosLike(p), pick(params, own)),
      uncertainty: mapParams((p) => zerosLike(p), pick(params, own)),
      kept: mapParams((p) => onesLike(p), pick(params, singular)),
      inner: optimizer.init(params),
    }),
    update(given, state, params, hyper, closure) {
      const penalty = options.orthogonality === 0 ? {} : orthogonalGradients(layers, params, options.orthogonality)
      const grads = { ...given, ...mapParams((g, p) => add(g, p), pick(given, Object.keys(penalty)), penalty) }
      const { updates, state: inner } = optimizer.update(grads, state.inner ?? {}, params, hyper, closure)
      const moved = mapParams((p, by) => add(p, by), pick(params, own), pick(updates, own))
      const total = singular.reduce((all, name) => all + params[name]!.size, 0)
      const { budget, allocates, isFinal, counts } = schedule(options, layers.length, total, hyper)
      const next = importance(options, state, moved, pick(grads, own), counts)
      const marks = largest(
        layers,
        layers.map((layer) => importanceOf(layer, next)),
        budget,
      )
      const kept = mapParams((mark, before) => where(allocates, mark, before), marks, state.kept)
      const applies = logicalOr(allocates, isFinal)
      const masked = mapParams(
        (p, e, mark) => where(applies, sub(mul(e, mark), p), sub(e, p)),
        pick(params, singular),
        pick(moved, singular),
        kept,
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
  state: Pick<State, 'sensitivity' | 'uncertainty'>,
  weights: Params,
  grads: Params,
  counts: Tensor,
): Pick<State, 'sensitivity' | 'uncertainty'> {
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
