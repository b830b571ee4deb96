import { backend_util } from '@tensorflow/tfjs-core'
import type { Builder } from '../builder.js'
import { type Value, sizeOf } from '../graph.js'
import { withActivation } from './activation.js'
import { type Call, type Lowerings, concat, full, mul, reshape, slice, transpose } from './lowering.js'
import { product } from './product.js'
import { reduce } from './reduction.js'
import {
  type Window,
  padWindows,
  channelsFirst,
  channelsLast,
  ints,
  isChannelsFirst,
  padsOf,
  cropUnread,
  padUnread,
  readSizes,
  windowOf,
} from './window.js'

type Shape4 = [number, number, number, number]
type Shape5 = [number, number, number, number, number]

/** Windows of a convolution. */
function windowFor(call: Call, input: readonly number[], filter: readonly number[], depthwise = false): Window {
  const { attr } = call
  const dilations = attr<number | undefined>('dilations') ?? 1
  const [strides, padding] = [attr<number>('strides'), attr<number>('pad')]
  if (input.length === 5)
    return windowOf(
      backend_util.computeConv3DInfo(input as Shape5, filter as Shape5, strides, dilations, padding, depthwise),
    )
  const rounding = attr<'floor' | undefined>('dimRoundingMode')
  const format = isChannelsFirst(call) ? 'channelsFirst' : 'channelsLast'
  const [x, w] = [input as Shape4, filter as Shape4]
  return windowOf(backend_util.computeConv2DInfo(x, w, strides, dilations, padding, rounding, depthwise, format))
}

/** Filter in ONNX layout: output channels, input channels of a group, spatial dimensions. */
function filterOf(b: Builder, filter: Value, depthwise: boolean): Value {
  const rank = filter.shape.length
  const spatial = filter.shape.slice(0, -2).map((_, i) => i)
  if (!depthwise) return transpose(b, filter, [rank - 1, rank - 2, ...spatial])
  const turned = transpose(b, filter, [rank - 2, rank - 1, ...spatial])
  return reshape(b, turned, [turned.shape[0]! * turned.shape[1]!, 1, ...turned.shape.slice(2)])
}

const attributesOf = (window: Window, groups: number) => ({
  kernel_shape: ints(window.kernel),
  strides: ints(window.strides),
  dilations: ints(window.dilations),
  pads: padsOf(window),
  group: { int: groups },
})

/** Converts an input of the kernel to channels-first layout. */
const first = (call: Call, x: Value): Value => (isChannelsFirst(call) ? x : channelsFirst(call.b, x))
const asCalled = (call: Call, x: Value): Value => (isChannelsFirst(call) ? x : channelsLast(call.b, x))

function convolution(call: Call, depthwise = false): Value {
  const { b, in: input } = call
  const filter = input('filter')
  const window = windowFor(call, input('x').shape, filter.shape, depthwise)
  const [x, weights] = [first(call, input('x')), filterOf(b, filter, depthwise)]
  const type = { dtype: 'float32', shape: [x.shape[0]!, weights.shape[0]!, ...window.output] } as const
  if (sizeOf(x.shape) === 0 || sizeOf(filter.shape) === 0) return asCalled(call, full(b, 'float32', type.shape, 0))
  const attributes = attributesOf(window, depthwise ? x.shape[1]! : 1)
  return asCalled(call, b.node('Conv', [cropUnread(b, x, window, 2), weights], type, { attributes }))
}

/** Gradient with respect to the input, which is also the transposed convolution. */
function inputGradient(call: Call, depthwise = false): Value {
  const { b, in: input, attr } = call
  const [shape, filter] = [attr<number[]>('inputShape'), input('filter')]
  const window = windowFor(call, shape, filter.shape, depthwise)
  // TF.js reads as many gradients as there are windows, if there are more.
  const given = first(call, input('dy'))
  const dy = slice(b, given, given.shape.map(() => 0), [...given.shape.slice(0, 2), ...window.output]) // prettier-ignore
  const channels = isChannelsFirst(call) ? shape[1]! : shape.at(-1)!
  if (sizeOf(dy.shape) === 0 || sizeOf(filter.shape) === 0) return full(b, 'float32', shape, 0)
  const type = { dtype: 'float32', shape: [shape[0]!, channels, ...readSizes(window)] } as const
  const attributes = attributesOf(window, depthwise ? channels : 1)
  const dx = b.node('ConvTranspose', [dy, filterOf(b, filter, depthwise)], type, { attributes })
  return asCalled(call, padUnread(b, dx, window))
}

/** All offsets within a window, with the last dimension varying fastest. */
const offsetsIn = ([n, ...rest]: readonly number[]): readonly (readonly number[])[] =>
  n === undefined ? [[]] : Array.from({ length: n }, (_, i) => offsetsIn(rest).map((offset) => [i, ...offset])).flat()

/**
 * Gradient with respect to the filter: for each offset in the window, the matrix product of the input values at that
 * offset of all windows with the output gradients. The matrices are large and need no transposes.
 */
function filterGradient(call: Call, depthwise = false): Value {
  const { b, in: input, attr } = call
  const shape = attr<number[]>('filterShape')
  const last = (x: Value): Value => (isChannelsFirst(call) ? channelsLast(b, x) : x)
  const [x, dy] = [last(input('x')), last(input('dy'))]
  if (sizeOf(x.shape) === 0 || sizeOf(dy.shape) === 0) return full(b, 'float32', shape, 0)
  const window = windowFor(call, input('x').shape, shape, depthwise)
  const padded = padWindows(b, cropUnread(b, x, window, 1), window, 1, 0)
  const [channels, rows] = [x.shape.at(-1)!, sizeOf(dy.shape.slice(0, -1))]
  const parts = offsetsIn(window.kernel).map((offset) => {
    const starts = [0, ...offset.map((n, i) => n * window.dilations[i]!), 0]
    const taken = slice(b, padded, starts, [x.shape[0]!, ...window.output, channels], [1, ...window.strides, 1])
    if (!depthwise)
      return product(b, reshape(b, taken, [rows, channels]), reshape(b, dy, [rows, dy.shape.at(-1)!]), true, false)
    const own = mul(b, reshape(b, taken, [rows, channels, 1]), reshape(b, dy, [rows, channels, shape.at(-1)!]))
    return reduce(b, 'ReduceSum', own, [0], false)
  })
  return reshape(b, concat(b, parts, 0), shape)
}

/** Reshapes per-channel operands of a fused kernel for channels-first layout. */
function byChannel(call: Call): Call {
  if (!isChannelsFirst(call)) return call
  const maybe = (name: string): Value | undefined => {
    const value = call.maybe(name)
    return value?.shape.length === 1 && value.shape[0] !== 1 ? reshape(call.b, value, [...value.shape, 1, 1]) : value
  }
  return { ...call, maybe }
}

/** 2-D and 3-D convolutions and their gradients. TF.js reduces 1-D convolutions to 2-D. */
export const convolutions: Lowerings = {
  Conv2D: (call) => convolution(call),
  Conv2DBackpropInput: (call) => inputGradient(call),
  Conv2DBackpropFilter: (call) => filterGradient(call),
  Conv3D: (call) => convolution(call),
  Conv3DBackpropInputV2: (call) => inputGradient(call),
  Conv3DBackpropFilterV2: (call) => filterGradient(call),
  DepthwiseConv2dNative: (call) => convolution(call, true),
  DepthwiseConv2dNativeBackpropInput: (call) => inputGradient(call, true),
  DepthwiseConv2dNativeBackpropFilter: (call) => filterGradient(call, true),
  FusedConv2D: (call) => withActivation(byChannel(call), convolution(call)),
  FusedDepthwiseConv2D: (call) => withActivation(call, convolution(call, true)),
}
