import { type Tensor, add, cast, div, lessEqual, maximum, mul, scalar, sub } from '@tensorflow/tfjs-core'

/**
 * Backtracking line search: the first of `initial`, `initial / 2`, `initial / 4`, … that satisfies the Armijo condition
 * `f(p + α·d) ≤ f(p) + 1e-4 · α · slope`; 0 if none of `tries` does, so that the loss never rises. All tries are part of the compiled
 * step: each costs a forward pass.
 * Source: Nocedal and Wright, Numerical Optimization, 2006, algorithm 3.1.
 *
 * @param lossAt the loss at a step size
 * @param loss the loss at step size 0
 * @param slope the directional derivative `∇f(p)·d`, `[]`
 */
export function backtrack(
  lossAt: (size: Tensor) => Tensor,
  { loss, slope, initial, tries }: { loss: Tensor; slope: Tensor; initial: Tensor; tries: number },
): Tensor {
  let [taken, found]: Tensor[] = [scalar(0), scalar(0)]
  for (let k = 0; k < tries; k++) {
    const size = div(initial, 2 ** k)
    const enough = cast(lessEqual(lossAt(size), add(loss, mul(1e-4, mul(size, slope)))), 'float32')
    taken = add(taken!, mul(mul(enough, sub(1, found!)), size))
    found = maximum(found!, enough)
  }
  return taken!
}
