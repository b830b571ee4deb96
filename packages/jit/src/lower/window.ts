import { type backend_util } from '@tensorflow/tfjs-core'
import type { Builder } from '../builder.js'
import type { Value } from '../graph.js'
import { type Call, type Paddings, pad, slice, transpose } from './lowering.js'

/** How windows lie on the spatial dimensions of a tensor; each list has one number for each of these. */
export interface Window {
  /** How many numbers of the input there are, how many a window takes, and how many windows there are. */
  readonly input: readonly number[]
  readonly taken: readonly number[]
  readonly output: readonly number[]
  /** From one window to the next, and from one number of a window to the next. */
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** How far windows reach over the ends of the input; less than 0 where numbers there are in none. */
  readonly before: readonly number[]
  readonly after: readonly number[]
}

/** What TF.js makes of the attributes of a kernel over two dimensions, or three. */
type Info = backend_util.Conv2DInfo | backend_util.Conv3DInfo

/** The windows that TF.js computes. */
export function windowOf(info: Info): Window {
  const three = 'inDepth' in info
  const each = (depth: number | undefined, height: number, width: number): number[] =>
    three ? [depth!, height, width] : [height, width]
  const deep = info as backend_util.Conv3DInfo
  const input = each(deep.inDepth, info.inHeight, info.inWidth)
  const taken = each(deep.filterDepth, info.filterHeight, info.filterWidth)
  const output = each(deep.outDepth, info.outHeight, info.outWidth)
  const strides = each(deep.strideDepth, info.strideHeight, info.strideWidth)
  const dilations = each(deep.dilationDepth, info.dilationHeight, info.dilationWidth)
  const before = each(deep.padInfo.front, info.padInfo.top, info.padInfo.left)
  const after = input.map(
    (n, i) => (output[i]! - 1) * strides[i]! + (taken[i]! - 1) * dilations[i]! + 1 - n - before[i]!,
  )
  return { input, taken, output, strides, dilations, before, after }
}

/** How many numbers must be put before and after each spatial dimension, so that all windows are filled. */
const missing = ({ before, after }: Window): Paddings => before.map((n, i) => [Math.max(n, 0), Math.max(after[i]!, 0)])

/** How many numbers before and after are in no window. TF.js leaves out more than it must where pads are not all alike. */
const unread = ({ before, after }: Window): Paddings => before.map((n, i) => [Math.max(-n, 0), Math.max(-after[i]!, 0)])

/** How many numbers of each spatial dimension are in windows. */
export const usedOf = (window: Window): readonly number[] =>
  unread(window).map(([before, after], i) => window.input[i]! - before - after)

/** What a convolution or pool must pad its input with, as an attribute. */
export const padsOf = (window: Window): { readonly ints: readonly number[] } =>
  ints([...missing(window).map(([before]) => before), ...missing(window).map(([, after]) => after)])

/** A tensor whose spatial dimensions begin at the second or the third, without what is in no window. */
export function read(b: Builder, x: Value, window: Window, from: 1 | 2): Value {
  const starts = x.shape.map((_, i) => unread(window)[i - from]?.[0] ?? 0)
  const sizes = x.shape.map((n, i) => n - (unread(window)[i - from] ?? []).reduce((sum, m) => sum + m, 0))
  return slice(b, x, starts, sizes)
}

/** The contrary, with zeros. */
export const unreadZeros = (b: Builder, x: Value, window: Window): Value =>
  pad(b, x, [[0, 0], [0, 0], ...unread(window)], 0)

/** A tensor with a number at the places of windows that lie outside of it. */
export function bordered(b: Builder, x: Value, window: Window, from: 1 | 2, n: number): Value {
  const around = x.shape.map((_, i) => missing(window)[i - from] ?? ([0, 0] as const))
  return pad(b, x, around, n)
}

/** A number in each spatial dimension as an attribute. */
export const ints = (numbers: readonly number[]): { readonly ints: readonly number[] } => ({ ints: numbers })

/** A tensor with its channels, which TF.js has last, after the batch, as ONNX has them. */
export function channelsFirst(b: Builder, x: Value): Value {
  const last = x.shape.length - 1
  return transpose(b, x, [0, last, ...x.shape.slice(2).map((_, i) => i + 1)])
}

/** The contrary. */
export const channelsLast = (b: Builder, x: Value): Value =>
  transpose(b, x, [0, ...x.shape.slice(2).map((_, i) => i + 2), 1])

/** Whether a kernel is called with channels before the spatial dimensions. */
export const isChannelsFirst = ({ attr }: Call): boolean => attr<string | undefined>('dataFormat') === 'NCHW'
