import { AttuneError } from '@attune/core'
import type { DataType } from '@tensorflow/tfjs-core'
import type { ElementType, Values } from './graph.js'

const TYPES = ['float32', 'int32', 'bool'] as const

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

/** Values as an array of an element type. Casts of TF.js share arrays: a float32 tensor may hold an Int32Array. */
export function typedValues(values: ArrayLike<number>, dtype: DataType): Values {
  const exact = ARRAYS[elementType(dtype) as 'float32']
  // By name: Jest has classes of its own.
  return values.constructor.name === exact.name ? (values as Values) : new exact(values)
}

/** Element type of a TF.js tensor. @throws AttuneError `UNSUPPORTED_TYPE` for complex numbers and strings */
export function elementType(dtype: DataType): ElementType {
  const found = TYPES.find((type) => type === dtype)
  if (found !== undefined) return found
  throw new AttuneError(
    'UNSUPPORTED_TYPE',
    `expected a tensor of type ${TYPES.join(', ')}, got ${dtype}, which cannot be compiled`,
    'Convert the tensor before the call.',
  )
}
