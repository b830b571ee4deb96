import '@tensorflow/tfjs'
import { beforeAll, expect, it } from '@jest/globals'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { jit } from './index.js'

beforeAll(() => {
  tf.enableProdMode()
  return tf.setBackend('cpu')
})

type Op = (x: Tensor) => Tensor

const column = (x: Tensor): tf.Tensor4D => tf.reshape(x, [1, -1, 1, 1])
const along = (op: unknown): Op => (x) => (op as (x: Tensor, axis: number) => Tensor)(x, -1) // prettier-ignore
const gradientOf = (op: Op): Op => (x) => tf.grad(op)(x) // prettier-ignore
const pooled: Op = (x) => tf.maxPool(column(x), [3, 1], 1, 'same')

const UNARY = 'abs,atan,ceil,elu,erf,exp,expm1,floor,log,log1p,logSigmoid,neg,relu,relu6,round,rsqrt,selu,sigmoid,sign,softplus,sqrt,square,step,tanh,isNaN,isFinite,logSoftmax,softmax' // prettier-ignore
const CASES: Record<string, Op> = {
  ...Object.fromEntries(UNARY.split(',').map((name) => [name, tf[name as 'abs'] as Op])),
  ...Object.fromEntries(
    ['max', 'min', 'sum', 'mean', 'prod', 'argMax', 'argMin', 'logSumExp'].map((name) => [
      name,
      along(tf[name as 'max']),
    ]),
  ),
  'softmax in separate operations': (x) => {
    const terms = tf.exp(tf.sub(x, tf.max(x, -1, true)))
    return tf.div(terms, tf.sum(terms, -1, true))
  },
  'step with a slope': (x) => tf.step(x, 0.1),
  'step with −1': (x) => tf.step(x, -1),
  clipByValue: (x) => tf.clipByValue(x, -0.5, 0.5),
  'maximum and minimum': (x) => tf.add(tf.maximum(x, 0.3), tf.minimum(0.3, x)),
  floorDiv: (x) => tf.floorDiv(x, 0.7),
  'cast to int32': (x) => tf.cast(x, 'int32'),
  'max over rows': (x) => tf.max(tf.stack([x, tf.neg(x)]), 0),
  'max of a matrix': (x) => tf.max(tf.stack([x, tf.mul(x, 2)])),
  'max pooling': pooled,
  'average pooling': (x) => tf.avgPool(column(x), [3, 1], 1, 'same'),
  'gradient of relu': gradientOf(tf.relu as Op),
  'gradient of abs': gradientOf(tf.abs as Op),
  'gradient of max': gradientOf(along(tf.max)),
  'gradient of max pooling': gradientOf(pooled),
  'gradient of logSoftmax': gradientOf(tf.logSoftmax as Op),
}

// Vectorised loops and their remainders treat NaN differently in ONNX Runtime.
it.each(Object.entries(CASES))('%s treats a NaN at every position like TF.js', (name, op) => {
  for (const size of [1, 3, 8, 17, 35]) {
    const f = jit(op, { threads: 1 })
    for (let at = 0; at < size; at++) {
      const shift = /log|sqrt/.test(name) ? 1 : 0
      const numbers = Array.from({ length: size }, (_, i) => (i === at ? NaN : 0.9 * Math.sin(1.3 * i + size) + shift))
      const [expected, found] = [op(tf.tensor1d(numbers)), f(tf.tensor1d(numbers))]
      const [e, g] = [expected, found].map((each) => Array.from(each.dataSync()))
      const isClose = (x: number, y: number): boolean => Object.is(x, y) || Math.abs(x - y) <= 1e-5 * (1 + Math.abs(x))
      const differs = e!.findIndex((x, i) => !isClose(x, g![i]!))
      expect({ at, size, dtype: found.dtype, index: differs, value: g![differs] }).toEqual({
        ...{ at, size, dtype: expected.dtype, index: -1, value: undefined },
      })
    }
    f.dispose()
  }
})
