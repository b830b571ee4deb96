import type { Params } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'

/**
 * What is computed beside a dense layer, from the parameters that it is given, its name and its input `[rows, in]`: what is
 * added to its output, `[rows, out]`, or nothing.
 */
export type Beside = (params: Params, name: string, x: Tensor) => Tensor | undefined

/** Under a symbol it is no parameter, and goes where a record of parameters is spread. */
const BESIDE = Symbol.for('attune/beside')
type Carrying = Params & { readonly [BESIDE]?: Beside }

/**
 * The parameters, with which every dense layer adds what `beside` makes of its input. This is how an adapter reaches the
 * layers of a model that knows nothing of it, and whose layers keep their weights.
 */
export const withBeside = (params: Params, beside: Beside | undefined): Params =>
  beside === undefined ? params : ({ ...params, [BESIDE]: beside } as Carrying)

/** What dense layers with these parameters add. */
export const besideOf = (params: Params): Beside | undefined => (params as Carrying)[BESIDE]
