import { type HostTree, type Params, key, normals, stream } from '@attune/core'
import * as tf from '@tensorflow/tfjs-core'
import type { Scalar, Tensor } from '@tensorflow/tfjs-core'
import { gradientsOf } from './gradients-of.js'
import { floats } from './host-array.js'

/** Pure function with inputs, on which an engine under test must match the reference engine. */
export interface EngineProgram {
  readonly name: string
  readonly inputs: Readonly<Record<string, HostTree>>
  run(inputs: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>>
}

const random = normals(stream(key(17)))

/** Reproducible normal values. */
export const normal = (...shape: number[]) =>
  floats(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random), shape)

/** A program that returns the value of a differentiable function, and its gradient by float32 input. */
export const differentiated = (
  name: string,
  inputs: EngineProgram['inputs'],
  f: (inputs: Params) => Tensor,
  constants: EngineProgram['inputs'] = {},
): EngineProgram => ({
  name: `${name}, and its gradient`,
  inputs: { ...inputs, ...constants },
  run(given) {
    const variable = Object.fromEntries(Object.keys(inputs).map((input) => [input, given[input]!]))
    const fixed = Object.fromEntries(Object.keys(constants).map((input) => [input, given[input]!]))
    // Squared, so that the upstream gradient differs between entries.
    const gradients = gradientsOf((p) => tf.sum(tf.square(f({ ...p, ...fixed }))) as Scalar, variable)
    return {
      value: f(given),
      ...Object.fromEntries(Object.entries(gradients).map(([k, g]) => [`gradient of ${k}`, g])),
    }
  },
})
