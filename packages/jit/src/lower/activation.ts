import { AttuneError } from '@attune/core'
import type { Builder } from '../builder.js'
import type { Value } from '../graph.js'
import { type Call, add, binary, clip, compare, mul, scalar, unary, where } from './lowering.js'

const ONE_OPERATION: Readonly<Record<string, string>> = { elu: 'Elu', sigmoid: 'Sigmoid' }

/** What some activations take besides numbers: the factor of negative ones, one for all or one for each. */
interface Slopes {
  readonly leak?: number | undefined
  readonly slopes?: Value | undefined
}

/** An activation by TF.js' name of it. */
export function activation(b: Builder, name: string, x: Value, { leak = 0.2, slopes }: Slopes = {}): Value {
  if (name === 'linear') return x
  if (name === 'relu') return x.dtype === 'float32' ? unary(b, 'Relu', x) : binary(b, 'Max', x, scalar(b, x.dtype, 0))
  if (name === 'relu6') return clip(b, x, 0, 6)
  if (name === 'leakyrelu') return unary(b, 'LeakyRelu', x, { attributes: { alpha: { float: leak } } })
  if (name === 'prelu' && slopes !== undefined)
    return where(b, compare(b, 'Less', x, scalar(b, 'float32', 0)), mul(b, x, slopes), x)
  if (ONE_OPERATION[name] !== undefined) return unary(b, ONE_OPERATION[name], x)
  throw new AttuneError(
    'UNKNOWN_KERNEL',
    `the activation ${name} of a fused operation cannot be compiled`,
    'Call the operation without it, and the activation after it.',
  )
}

/** The bias and the activation that a fused kernel ends with. */
export function finished({ b, maybe, attr }: Call, plain: Value): Value {
  const bias = maybe('bias')
  const shifted = bias === undefined ? plain : add(b, plain, bias)
  const name = attr<string | undefined>('activation') ?? 'linear'
  return activation(b, name, shifted, { leak: attr('leakyreluAlpha'), slopes: maybe('preluActivationWeights') })
}
