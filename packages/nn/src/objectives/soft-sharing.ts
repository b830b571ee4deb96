import { AttuneError, type Key, type Model, type Params } from '@attune/core'
import { type Scalar, add, addN, scalar, square, sum } from '@tensorflow/tfjs-core'
import { filledWith } from '../layers/initialise.js'
import { withoutPrefix } from '../layers/parameter.js'
import type { TaskObjective } from './tasks.js'

/** Prefix of a task's own differences from the shared parameters, after the prefix of the task. */
const DIFFERENCE = 'difference.'

/**
 * Initial differences of a task from the shared layers, zeros: a copy of the layers, which then moves on its own. The embeddings, the first
 * group of layers, stay shared.
 */
export function initialDifferences({ init, layers }: Model, key: Key): Params {
  const prefixes = layers.slice(1).flatMap((group) => group.prefixes)
  const own = Object.entries(init(key)).filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix)))
  return Object.fromEntries(own.map(([name, { shape }]) => [DIFFERENCE + name, filledWith(shape, 0)]))
}

/**
 * The parameters of the model for a task: with its differences added.
 * @param prefix that of the task's parameters
 * @throws AttuneError `TASK_MISMATCH` for a difference from a parameter that is absent, as one that an adapter replaced
 */
export function addDifferences(params: Params, prefix: string): Params {
  const moved = Object.entries(withoutPrefix(params, prefix + DIFFERENCE)).map(([shared, difference]) => {
    if (params[shared] !== undefined) return [shared, add(params[shared], difference)]
    throw new AttuneError(
      'TASK_MISMATCH',
      `soft sharing: expected float parameters of the layers, got none named ${shared}`,
      'Set `sharing: hard`, or remove the adapter.',
    )
  })
  return { ...params, ...Object.fromEntries(moved) }
}

/**
 * Squared distances of the tasks' layers from the shared ones, `Σ ‖Δ‖²`, `[]`.
 * Source: Duong et al., Low Resource Dependency Parsing, 2015, section 3.
 */
export function squaredDifferences(params: Params, tasks: readonly TaskObjective[]): Scalar {
  const own = tasks.flatMap(({ prefix }) => Object.values(withoutPrefix(params, prefix + DIFFERENCE)))
  return (own.length === 0 ? scalar(0) : addN(own.map((each) => sum(square(each))))) as Scalar
}
