import { backend_util } from '@tensorflow/tfjs-core'
import type { Builder } from '../builder.js'
import { type Value, sameShape, sizeOf } from '../graph.js'
import { type Call, type Lowerings, binary, cast, full, mul, reshape, scalar, slice, where } from './lowering.js'
import {
  type Window,
  padWindows,
  channelsFirst,
  channelsLast,
  ints,
  padsOf,
  cropUnread,
  padUnread,
  readSizes,
  windowOf,
} from './window.js'

/** Windows of a pooling kernel. */
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

/** True if every window is one value and TF.js returns the input: it ignores padding if it keeps the shape. */
const isIdentity = ({ input, kernel, output }: Window): boolean =>
  kernel.every((n) => n === 1) && sameShape(input, output)

/** Replaces NaN, which pooling ignores, by −∞. */
const withoutNaN = (b: Builder, x: Value): Value =>
  where(b, b.node('IsNaN', [x], { dtype: 'bool', shape: x.shape }), scalar(b, 'float32', -Infinity), x)

/** Input of a pooling kernel, channels-first, padded with its neutral value. */
const padded = (b: Builder, x: Value, window: Window, n: number): Value =>
  padWindows(b, cropUnread(b, x, window, 2), window, 2, n)

const attributesOf = ({ kernel, strides }: Window) => ({ kernel_shape: ints(kernel), strides: ints(strides) })

/** Input and attributes of a pooling operation. It pads by less than a window; wider padding is an operation before it. */
function pooled(b: Builder, x: Value, window: Window, n: number) {
  const { before, after, kernel } = window
  if (before.some((width, i) => width >= kernel[i]! || after[i]! >= kernel[i]!))
    return { around: padded(b, x, window, n), attributes: attributesOf(window) }
  return { around: cropUnread(b, x, window, 2), attributes: { ...attributesOf(window), pads: padsOf(window) } }
}

const typeOf = (x: Value, { output }: Window) =>
  ({ dtype: 'float32', shape: [...x.shape.slice(0, 2), ...output] }) as const

/** Number of input values in each window, with size 1 for batch and channels. */
function countsOf({ input, kernel, output, strides, before }: Window): { counts: number[]; shape: number[] } {
  const along = output.map((windows, i) =>
    Array.from({ length: windows }, (_, at) => {
      const from = at * strides[i]! - before[i]!
      return Math.max(0, Math.min(from + kernel[i]!, input[i]!) - Math.max(from, 0))
    }),
  )
  const counts = along.reduce((all, next) => all.flatMap((n) => next.map((m) => n * m)), [1])
  return { counts, shape: [1, 1, ...output] }
}

/** Factor of each window, as a function of its number of input values. */
function byWindow(b: Builder, window: Window, f: (count: number) => number): Value {
  const { counts, shape } = countsOf(window)
  return b.constant('float32', counts.map(f), shape)
}

/** Average pooling over the input values of each window, without padding. */
function average(call: Call): Value {
  const { b, in: input } = call
  const window = windowFor(call, input('x').shape)
  if (isIdentity(window)) return input('x')
  const x = channelsFirst(b, cast(b, input('x'), 'float32'))
  const { around, attributes } = pooled(b, x, window, 0)
  const all = b.node('AveragePool', [around], typeOf(x, window), {
    attributes: { ...attributes, count_include_pad: { int: 1 } },
  })
  const size = sizeOf(window.kernel)
  const own = mul(
    b,
    all,
    // A window without values is NaN in two dimensions, and 0 in three, as in TF.js.
    byWindow(b, window, (count) => size / (window.kernel.length === 3 ? Math.max(count, 1) : count)),
  ) // 1 everywhere without padding, and then removed
  return cast(b, channelsLast(b, own), input('x').dtype)
}

/** Gradient of average pooling: a per-channel transposed convolution with ones. */
function averageGradient(call: Call): Value {
  const { b, in: input } = call
  const { shape } = input('input')
  const window = windowFor(call, shape)
  if (sizeOf(shape) === 0) return full(b, 'float32', shape, 0)
  const dy = channelsFirst(b, input('dy'))
  const scaled = mul(
    b,
    dy,
    byWindow(b, window, (count) => 1 / count),
  )
  const [batch, channels] = dy.shape as [number, number]
  const attributes = { ...attributesOf(window), pads: padsOf(window) }
  const sizes = readSizes(window)
  const type = { dtype: 'float32', shape: [batch * channels, 1, ...sizes] } as const
  const each = reshape(b, scaled, [batch * channels, 1, ...window.output])
  const ones = b.constant('float32', new Array<number>(sizeOf(window.kernel)).fill(1), [1, 1, ...window.kernel])
  const dx = b.node('ConvTranspose', [each, ones], type, { attributes })
  return channelsLast(b, padUnread(b, reshape(b, dx, [batch, channels, ...sizes]), window))
}

function maximum(call: Call): Value {
  const { b, in: input } = call
  const window = windowFor(call, input('x').shape)
  if (isIdentity(window)) return input('x')
  const x = withoutNaN(b, channelsFirst(b, cast(b, input('x'), 'float32')))
  const { around, attributes } = pooled(b, x, window, -Infinity)
  const largest = b.node('MaxPool', [around], typeOf(x, window), { attributes })
  return cast(b, channelsLast(b, largest), input('x').dtype)
}

/** Smallest value for which ONNX Runtime returns the index of a maximum: just above the float32 minimum. */
const ABOVE_MINIMUM = -3.4028232635611926e38

/** Gradient of max pooling: passed to the index of the maximum, the first one of ties. */
function maximumGradient(call: Call): Value {
  const { b, in: input } = call
  const { shape } = input('input')
  const window = windowFor(call, shape)
  if (sizeOf(shape) === 0) return full(b, 'float32', shape, 0)
  const real = binary(
    b,
    'Max',
    withoutNaN(b, channelsFirst(b, cast(b, input('input'), 'float32'))),
    scalar(b, 'float32', ABOVE_MINIMUM),
  )
  const x = padded(b, real, window, ABOVE_MINIMUM)
  const types = [typeOf(x, window), { ...typeOf(x, window), dtype: 'int64' }] as const
  const [, indices] = b.nodes('MaxPool', [x], types, { attributes: attributesOf(window) })
  const dy = channelsFirst(b, input('dy'))
  const type = { dtype: 'float32', shape: [sizeOf(x.shape)] } as const
  const flat = [indices!, dy].map((value) => reshape(b, value, [sizeOf(dy.shape)]))
  const attributes = { axis: { int: 0 }, reduction: { text: 'add' } }
  const dx = b.node('ScatterElements', [full(b, 'float32', type.shape, 0), ...flat], type, { attributes })
  const sizes = [...x.shape.slice(0, 2), ...readSizes(window)]
  const own = slice(b, reshape(b, dx, x.shape), [0, 0, ...window.before.map((n) => Math.max(n, 0))], sizes)
  return channelsLast(b, padUnread(b, own, window))
}

/** 2-D and 3-D max and average pooling and their gradients. */
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
