import type { Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'

/**
 * What is computed beside a dense layer, from the parameters that it is given, its name and its input `[rows, in]`: what is
 * added to its output, `[rows, out]`, or nothing.
 */
export type Beside = (params: Params, name: string, x: Tensor) => Tensor | undefined

let current: Beside | undefined

/**
 * `run()`, in which every dense layer adds what `beside` makes of its input. This is how an adapter reaches the layers of a
 * model that knows nothing of it, and whose layers keep their weights.
 */
export function withBeside<T>(beside: Beside | undefined, run: () => T): T {
  const before = current
  current = beside
  try {
    return run()
  } finally {
    current = before
  }
}

/** `f`, which adds beside dense layers what is added now, whenever it is called: a layer that is computed again later. */
export function withPresentBeside<A extends unknown[], R>(f: (...given: A) => R): (...given: A) => R {
  const then = current
  return (...given) => withBeside(then, () => f(...given))
}

/** What is added to the dense layer of a name, `[rows, out]`. */
export const besideLinear: Beside = (params, name, x) => current?.(params, name, x)
