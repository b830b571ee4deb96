import type { Hyper, Optimizer, Params, Tree } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'

/** States of the two optimizers of {@link partition}. */
export interface PartitionState extends Record<string, Tree> {
  readonly selected: Tree
  readonly others: Tree
}

/** Selects parameters by name, and by the shape of their tensor. */
export type Selection = (name: string, parameter: Tensor) => boolean

/**
 * Two parameter groups: `selected` updates the parameters that `selects` selects, `others` the rest. The closure is not passed on.
 */
export function partition(selects: Selection, selected: Optimizer, others: Optimizer): Optimizer<PartitionState> {
  const split = (values: Params, params: Params): readonly [Params, Params] => {
    const part = (is: boolean): Params =>
      Object.fromEntries(Object.entries(values).filter(([name]) => selects(name, params[name]!) === is))
    return [part(true), part(false)]
  }
  const apply = (link: Optimizer, grads: Params, state: Tree | undefined, params: Params, hyper: Hyper) =>
    Object.keys(grads).length === 0 ? { updates: {}, state: {} } : link.update(grads, state ?? {}, params, hyper)
  return {
    init(params) {
      const [own, rest] = split(params, params)
      return { selected: selected.init(own), others: others.init(rest) }
    },
    update(grads, state, params, hyper) {
      const [ownGrads, restGrads] = split(grads, params)
      const [own, rest] = split(params, params)
      const first = apply(selected, ownGrads, state.selected, own, hyper)
      const second = apply(others, restGrads, state.others, rest, hyper)
      return {
        updates: { ...first.updates, ...second.updates },
        state: { selected: first.state, others: second.state },
      }
    },
  }
}
