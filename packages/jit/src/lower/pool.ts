import { backend_util } from '@tensorflow/tfjs-core'
import type { Builder } from '../builder.js'
import { type Value, sizeOf } from '../graph.js'
import { type Call, type Lowerings, binary, cast, full, mul, reshape, scalar, slice } from './lowering.js'
import {
  type Window,
  bordered,
  channelsFirst,
  channelsLast,
  ints,
  padsOf,
  read,
  unreadZeros,
  usedOf,
  windowOf,
} from './window.js'

/** The windows of a pool. */
function windowFor({ attr }: Call, shape: readonly number[]): Window {
  const [size, strides, padding] = [attr<number>('filterSize'), attr<number>('strides'), attr<number>('pad')]
  const rounding = attr<'floor' | undefined>('dimRoundingMode')
  return windowOf(
    shape.length === 5
      ? backend_util.computePool3DInfo(
          shape as [number, number, number, number, number],
          size,
          strides,
          1,
          padding,
          rounding,
        )
      : backend_util.computePool2DInfo(shape as [number, number, number, number], size, strides, 1, padding, rounding),
  )
}

/** The numbers of a pool, with channels first, and around them one that does not change its result. */
const framed = (b: Builder, x: Value, window: Window, n: number): Value =>
  bordered(b, read(b, x, window, 2), window, 2, n)

const attributesOf = ({ taken, strides }: Window) => ({ kernel_shape: ints(taken), strides: ints(strides) })

const typeOf = (x: Value, { output }: Window) =>
  ({ dtype: 'float32', shape: [...x.shape.slice(0, 2), ...output] }) as const

/** How many numbers of the input each window has, with 1 for the batch and the channels. */
function countsOf({ input, taken, output, strides, before }: Window): { counts: number[]; shape: number[] } {
  const along = output.map((windows, i) =>
    Array.from({ length: windows }, (_, at) => {
      const from = at * strides[i]! - before[i]!
      return Math.max(0, Math.min(from + taken[i]!, input[i]!) - Math.max(from, 0))
    }),
  )
  const counts = along.reduce((all, next) => all.flatMap((n) => next.map((m) => n * m)), [1])
  return { counts, shape: [1, 1, ...output] }
}

/** Factors for each window, of how many numbers it has. */
function byWindow(b: Builder, window: Window, f: (count: number) => number): Value {
  const { counts, shape } = countsOf(window)
  return b.constant('float32', counts.map(f), shape)
}

/** The average of those numbers of each window that are of the input. */
function average(call: Call): Value {
  const { b, in: input } = call
  const window = windowFor(call, input('x').shape)
  const x = channelsFirst(b, cast(b, input('x'), 'float32'))
  const all = b.node('AveragePool', [framed(b, x, window, 0)], typeOf(x, window), {
    attributes: attributesOf(window),
  })
  const size = sizeOf(window.taken)
  const own = mul(
    b,
    all,
    byWindow(b, window, (count) => size / count),
  ) // 1 everywhere, and gone, where nothing is padded
  return cast(b, channelsLast(b, own), input('x').dtype)
}

/** Each number's share in the averages of the windows that it is in: a transposed convolution with ones, by channel. */
function averageGradient(call: Call): Value {
  const { b, in: input } = call
  const { shape } = input('input')
  const window = windowFor(call, shape)
  if (sizeOf(shape) === 0) return full(b, 'float32', shape, 0)
  const dy = channelsFirst(b, input('dy'))
  const shares = mul(
    b,
    dy,
    byWindow(b, window, (count) => 1 / count),
  )
  const [batch, channels] = dy.shape as [number, number]
  const attributes = { ...attributesOf(window), pads: padsOf(window) }
  const sizes = usedOf(window)
  const type = { dtype: 'float32', shape: [batch * channels, 1, ...sizes] } as const
  const each = reshape(b, shares, [batch * channels, 1, ...window.output])
  const ones = b.constant('float32', new Array<number>(sizeOf(window.taken)).fill(1), [1, 1, ...window.taken])
  const dx = b.node('ConvTranspose', [each, ones], type, { attributes })
  return channelsLast(b, unreadZeros(b, reshape(b, dx, [batch, channels, ...sizes]), window))
}

function maximum(call: Call): Value {
  const { b, in: input } = call
  const window = windowFor(call, input('x').shape)
  const x = channelsFirst(b, cast(b, input('x'), 'float32'))
  const around = framed(b, x, window, -Infinity)
  const largest = b.node('MaxPool', [around], typeOf(x, window), { attributes: attributesOf(window) })
  return cast(b, channelsLast(b, largest), input('x').dtype)
}

/** ONNX Runtime finds no place of a maximum that is not above the least number; this one is. */
const ABOVE_LEAST = -3.4028232635611926e38

/** The gradient of each maximum goes to where that is, the first place of several. */
function maximumGradient(call: Call): Value {
  const { b, in: input } = call
  const { shape } = input('input')
  const window = windowFor(call, shape)
  if (sizeOf(shape) === 0) return full(b, 'float32', shape, 0)
  const real = binary(b, 'Max', channelsFirst(b, cast(b, input('input'), 'float32')), scalar(b, 'float32', ABOVE_LEAST))
  const x = framed(b, real, window, ABOVE_LEAST)
  const types = [typeOf(x, window), { ...typeOf(x, window), dtype: 'int64' }] as const
  const [, places] = b.nodes('MaxPool', [x], types, { attributes: attributesOf(window) })
  const dy = channelsFirst(b, input('dy'))
  const type = { dtype: 'float32', shape: [sizeOf(x.shape)] } as const
  const flat = [places!, dy].map((value) => reshape(b, value, [sizeOf(dy.shape)]))
  const attributes = { axis: { int: 0 }, reduction: { text: 'add' } }
  const dx = b.node('ScatterElements', [full(b, 'float32', type.shape, 0), ...flat], type, { attributes })
  const sizes = [...x.shape.slice(0, 2), ...usedOf(window)]
  const own = slice(b, reshape(b, dx, x.shape), [0, 0, ...window.before.map((n) => Math.max(n, 0))], sizes)
  return channelsLast(b, unreadZeros(b, own, window))
}

/** Maxima and averages of windows over two dimensions and three, and their gradients. */
export const pools: Lowerings = {
  AvgPool: average,
  AvgPool3D: average,
  AvgPoolGrad: averageGradient,
  AvgPool3DGrad: averageGradient,
  MaxPool: maximum,
  MaxPool3D: maximum,
  MaxPoolGrad: maximumGradient,
  MaxPool3DGrad: maximumGradient,
}
