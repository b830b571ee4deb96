import { AttuneError } from '@attune/core'
import type { Builder } from '../builder.js'
import type { Value } from '../graph.js'
import { type Call, add, binary, clip, compare, mul, scalar, unary, where } from './lowering.js'

const SINGLE_OPERATION: Readonly<Record<string, string>> = { elu: 'Elu', sigmoid: 'Sigmoid' }

/** Slopes of negative values: one for all or one for each. */
interface Slopes {
  readonly leak?: number | undefined
  readonly slopes?: Value | undefined
}

/** Activation by its TF.js name. */
export function activation(b: Builder, name: string, x: Value, { leak = 0.2, slopes }: Slopes = {}): Value {
  if (name === 'linear') return x
  if (name === 'relu') return x.dtype === 'float32' ? unary(b, 'Relu', x) : binary(b, 'Max', x, scalar(b, x.dtype, 0))
  if (name === 'relu6') return clip(b, x, 0, 6)
  if (name === 'leakyrelu') return unary(b, 'LeakyRelu', x, { attributes: { alpha: { float: leak } } })
  if (name === 'prelu' && slopes !== undefined)
    return where(b, compare(b, 'Less', x, scalar(b, 'float32', 0)), mul(b, x, slopes), x)
  if (SINGLE_OPERATION[name] !== undefined) return unary(b, SINGLE_OPERATION[name], x)
  throw new AttuneError(
    'UNKNOWN_KERNEL',
    `the fused activation ${name} cannot be compiled`,
    'Call the operation without an activation, and the activation separately.',
  )
}

/** Applies the bias and activation of a fused kernel. */
export function withActivation({ b, maybe, attr }: Call, plain: Value): Value {
  const bias = maybe('bias')
  const shifted = bias === undefined ? plain : add(b, plain, bias)
  const name = attr<string | undefined>('activation') ?? 'linear'
  return activation(b, name, shifted, { leak: attr('leakyreluAlpha'), slopes: maybe('preluActivationWeights') })
}
