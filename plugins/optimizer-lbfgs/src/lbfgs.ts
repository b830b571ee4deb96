import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { addScaled, backtrack, innerProduct, zerosOf } from '@attune/nn'
import {
  type Tensor,
  abs,
  addN,
  cast,
  divNoNan,
  equal,
  greater,
  minimum,
  mul,
  scalar,
  sub,
  sum,
  where,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Differences of parameters and of gradients, `s0, y0, s1, y1, …`, latest first; parameters and gradients of the last step. */
type State = Readonly<Record<string, Params>>

/** Smallest curvature `sᵀy` of a pair that is used. */
const MINIMUM_CURVATURE = 1e-10

const scaled = (by: Tensor, values: Params): Params => mapParams((x) => mul(by, x), values)

/** Shifts in the latest pair, unless its curvature is not positive or there was no step before. */
function remember(state: State, params: Params, grads: Params, { first, history }: { first: Tensor; history: number }) {
  const s = addScaled(params, -1, state['params']!)
  const y = addScaled(grads, -1, state['grads']!)
  const accepted = mul(sub(1, first), cast(greater(innerProduct(s, y), MINIMUM_CURVATURE), 'float32'))
  const choose = (next: Params, last: Params): Params =>
    mapParams((a, b) => where(greater(accepted, 0), a, b), next, last)
  const pairs = Array.from({ length: history }, (_, i) => [
    [`s${i}`, choose(i === 0 ? s : state[`s${i - 1}`]!, state[`s${i}`]!)] as const,
    [`y${i}`, choose(i === 0 ? y : state[`y${i - 1}`]!, state[`y${i}`]!)] as const,
  ])
  return Object.fromEntries(pairs.flat()) as Record<string, Params>
}

/** The two-loop recursion: `−H·g` with the inverse Hessian estimated from the pairs. */
function direction(grads: Params, pairs: State, history: number): Params {
  const order = Array.from({ length: history }, (_, i) => i)
  const [s, y] = [order.map((i) => pairs[`s${i}`]!), order.map((i) => pairs[`y${i}`]!)]
  const rho = order.map((i) => divNoNan(scalar(1), innerProduct(y[i]!, s[i]!)))
  let q = scaled(scalar(-1), grads)
  const alpha = order.map((i) => {
    const a = mul(rho[i]!, innerProduct(s[i]!, q))
    q = addScaled(q, mul(-1, a), y[i]!)
    return a
  })
  const norm1 = addN(Object.values(grads).map((g) => sum(abs(g))))
  const initial = minimum(1, divNoNan(scalar(1), norm1))
  const curvature = divNoNan(innerProduct(s[0]!, y[0]!), innerProduct(y[0]!, y[0]!))
  let r = scaled(where(greater(curvature, 0), curvature, initial), q)
  for (const i of order.reverse()) r = addScaled(r, sub(alpha[i]!, mul(rho[i]!, innerProduct(y[i]!, r))), s[i]!)
  return r
}

/**
 * L-BFGS: a quasi-Newton method that estimates the inverse Hessian from the last steps, with a backtracking line search.
 *
 *     d = −H·g by the two-loop recursion over `history` pairs (s, y) of differences of parameters and gradients
 *     Δ = learningRate · α · d,   α: the first of 1, ½, ¼, … with sufficient decrease
 *
 * For the deterministic loss of a small head on the whole data in one batch; use a learning rate of 1, the scheduler constant and no
 * dropout. It reads loss and gradient from the closure, so links before it have no effect. The initial Hessian and the scaled first step are
 * those of torch.optim.LBFGS, which has no line search by default and then can diverge. Each step costs `tries` forward passes.
 */
export const lbfgs = definePlugin({
  kind: OPTIMIZER,
  name: 'lbfgs',
  summary: 'Limited-memory quasi-Newton method with a line search (L-BFGS)',
  source: 'Nocedal and Wright, Numerical Optimization, 2006, algorithms 7.4 and 3.1',
  options: z.strictObject({
    history: z.int().min(1).max(100).default(10).describe('Number of past steps from which the Hessian is estimated'),
    tries: z.int().min(1).max(30).default(10).describe('Step sizes of the line search, each half of the one before'),
  }),
  create: ({ history, tries }): Optimizer<State> => ({
    needsClosure: true,
    init(params) {
      const names = Array.from({ length: history }, (_, i) => [`s${i}`, `y${i}`]).flat()
      return Object.fromEntries([...names, 'params', 'grads'].map((name) => [name, zerosOf(params)]))
    },
    update(_grads, state, params, { learningRate, step }, closure) {
      const { loss, grads } = closure!(params)
      const pairs = remember(state, params, grads, { first: cast(equal(step, 1), 'float32'), history })
      const d = direction(grads, pairs, history)
      const lossAt = (size: Tensor): Tensor => closure!(addScaled(params, size, d)).loss
      const size = backtrack(lossAt, { loss, slope: innerProduct(grads, d), initial: scalar(1), tries })
      return { updates: scaled(mul(learningRate, size), d), state: { ...pairs, params, grads } }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer lbfgs': typeof lbfgs
  }
}

export default lbfgs
