import { type backend_util } from '@tensorflow/tfjs-core'
import type { Builder } from '../builder.js'
import type { Value } from '../graph.js'
import { type Call, type Paddings, pad, slice, transpose } from './lowering.js'

/** Sliding windows over the spatial dimensions of a tensor; each list has one entry per spatial dimension. */
export interface Window {
  /** Size of the input, size of a window, and number of windows. */
  readonly input: readonly number[]
  readonly kernel: readonly number[]
  readonly output: readonly number[]
  /** Step from one window to the next, and from one value of a window to the next. */
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Extent of windows beyond the ends of the input; negative if values there are in no window. */
  readonly before: readonly number[]
  readonly after: readonly number[]
}

/** TF.js' geometry of a 2-D or 3-D kernel. */
type Info = backend_util.Conv2DInfo | backend_util.Conv3DInfo

/** Converts TF.js' geometry to windows. */
export function windowOf(info: Info): Window {
  const three = 'inDepth' in info
  const each = (depth: number | undefined, height: number, width: number): number[] =>
    three ? [depth!, height, width] : [height, width]
  const deep = info as backend_util.Conv3DInfo
  const input = each(deep.inDepth, info.inHeight, info.inWidth)
  const kernel = each(deep.filterDepth, info.filterHeight, info.filterWidth)
  const output = each(deep.outDepth, info.outHeight, info.outWidth)
  const strides = each(deep.strideDepth, info.strideHeight, info.strideWidth)
  const dilations = each(deep.dilationDepth, info.dilationHeight, info.dilationWidth)
  const before = each(deep.padInfo.front, info.padInfo.top, info.padInfo.left)
  const after = input.map(
    (n, i) => (output[i]! - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 - n - before[i]!,
  )
  return { input, kernel, output, strides, dilations, before, after }
}

/** Padding before and after each spatial dimension that completes all windows. */
const windowPadding = ({ before, after }: Window): Paddings =>
  before.map((n, i) => [Math.max(n, 0), Math.max(after[i]!, 0)])

/**
 * Number of values before and after that are in no window. TF.js ignores more than necessary if padding is not
 * uniform.
 */
const unreadMargins = ({ before, after }: Window): Paddings =>
  before.map((n, i) => [Math.max(-n, 0), Math.max(-after[i]!, 0)])

/** Number of values of each spatial dimension that are in windows. */
export const readSizes = (window: Window): readonly number[] =>
  unreadMargins(window).map(([before, after], i) => window.input[i]! - before - after)

/** Padding of a convolution or pooling kernel, as an attribute. */
export const padsOf = (window: Window): { readonly ints: readonly number[] } =>
  ints([...windowPadding(window).map(([before]) => before), ...windowPadding(window).map(([, after]) => after)])

/** Removes the values that are in no window. `from` is the first spatial dimension. */
export function cropUnread(b: Builder, x: Value, window: Window, from: 1 | 2): Value {
  const starts = x.shape.map((_, i) => unreadMargins(window)[i - from]?.[0] ?? 0)
  const sizes = x.shape.map((n, i) => n - (unreadMargins(window)[i - from] ?? []).reduce((sum, m) => sum + m, 0))
  return slice(b, x, starts, sizes)
}

/** Inverse of {@link cropUnread}: pads with zeros. */
export const padUnread = (b: Builder, x: Value, window: Window): Value =>
  pad(b, x, [[0, 0], [0, 0], ...unreadMargins(window)], 0)

/** Pads a tensor with a number where windows extend beyond it. */
export function padWindows(b: Builder, x: Value, window: Window, from: 1 | 2, n: number): Value {
  const around = x.shape.map((_, i) => windowPadding(window)[i - from] ?? ([0, 0] as const))
  return pad(b, x, around, n)
}

/** Integers as an attribute. */
export const ints = (numbers: readonly number[]): { readonly ints: readonly number[] } => ({ ints: numbers })

/** Converts from channels-last (TF.js) to channels-first (ONNX) layout. */
export function channelsFirst(b: Builder, x: Value): Value {
  const last = x.shape.length - 1
  return transpose(b, x, [0, last, ...x.shape.slice(2).map((_, i) => i + 1)])
}

/** Inverse of {@link channelsFirst}. */
export const channelsLast = (b: Builder, x: Value): Value =>
  transpose(b, x, [0, ...x.shape.slice(2).map((_, i) => i + 2), 1])

/** True if a kernel is called with channels-first layout. */
export const isChannelsFirst = ({ attr }: Call): boolean => attr<string | undefined>('dataFormat') === 'NCHW'
