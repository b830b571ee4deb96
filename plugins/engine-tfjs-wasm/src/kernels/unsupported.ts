import { replaceKernel, runBorrowed } from '@attune/nn'
import { type TensorInfo, backend_util } from '@tensorflow/tfjs-core'
import { floats } from '../wasm-backend.js'
import type { Call, Kernel } from './kernel.js'

/** True for a call that the kernel of the WebAssembly backend refuses or computes wrongly. */
type Unsupported = (call: Call) => boolean

const isChannelsFirst: Unsupported = ({ attrs }) => attrs?.['dataFormat'] === 'NCHW'

/** Only per-channel biases are supported. */
const hasOtherBias: Unsupported = ({ inputs }) => {
  const bias = inputs['bias'] as TensorInfo | undefined
  return bias != null && bias.shape.length !== 1
}

const hasIntegers: Unsupported = ({ inputs }) =>
  Object.values(inputs).some((each) => each != null && (each as TensorInfo).dtype !== 'float32')

/** True if one of these inputs holds NaN, which the kernels replace by another operand. */
const hasNaN =
  (...names: readonly string[]): Unsupported =>
  ({ inputs, backend }) =>
    names.some((name) => {
      const x = inputs[name] as TensorInfo
      if (x.dtype !== 'float32') return false
      for (const value of floats(backend, x)) if (Number.isNaN(value)) return true
      return false
    })

/** Operands of several types are read as if they had one. */
const hasMixedTypes: Unsupported = ({ inputs }) =>
  (inputs['t'] as TensorInfo).dtype !== (inputs['e'] as TensorInfo).dtype

/** Geometry of a 2-D pooling kernel. */
const windowsOf = ({ inputs, attrs }: Call): backend_util.Conv2DInfo =>
  backend_util.computePool2DInfo(
    (inputs['x'] as TensorInfo).shape as [number, number, number, number],
    attrs!['filterSize'] as number,
    attrs!['strides'] as number,
    1,
    attrs!['pad'] as number,
    attrs!['dimRoundingMode'] as unknown as 'floor',
  )

/** XNNPACK computes neither windows of a single value nor windows without values. */
const hasOtherWindows: Unsupported = (call) => {
  const { filterHeight, filterWidth, padInfo } = windowsOf(call)
  const { top, bottom, left, right } = padInfo
  const isWide = Math.max(top, bottom) >= filterHeight || Math.max(left, right) >= filterWidth
  return hasIntegers(call) || hasNaN('x')(call) || (filterHeight === 1 && filterWidth === 1) || isWide
}

const UNSUPPORTED: Readonly<Record<string, Unsupported>> = {
  Atan2: hasIntegers,
  AvgPool: hasOtherWindows,
  Bincount: ({ inputs }) => (inputs['x'] as TensorInfo).shape.length !== 1,
  Cast: ({ attrs }) => attrs!['dtype'] === ('bool' as unknown),
  ClipByValue: hasNaN('x'),
  Conv2D: isChannelsFirst,
  Conv2DBackpropInput: isChannelsFirst,
  DepthwiseConv2dNative: isChannelsFirst,
  Expm1: hasIntegers,
  // Returns float32, and traps on integers divided by 0, as the remainder does.
  FloorDiv: () => true,
  FusedConv2D: (call) => isChannelsFirst(call) || hasOtherBias(call),
  FusedDepthwiseConv2D: (call) => isChannelsFirst(call) || hasOtherBias(call),
  Log1p: hasIntegers,
  Maximum: hasNaN('a', 'b'),
  MaxPool: hasOtherWindows,
  Minimum: hasNaN('a', 'b'),
  Mod: hasIntegers,
  RealDiv: ({ inputs }) => (inputs['a'] as TensorInfo).dtype === 'bool',
  Reciprocal: hasIntegers,
  Relu6: hasNaN('x'),
  Select: hasMixedTypes,
  _FusedMatMul: hasOtherBias,
}

/** Runs calls that the WebAssembly backend does not support with the kernels of the JavaScript backend. */
export function borrowUnsupported(): void {
  for (const [name, isUnsupported] of Object.entries(UNSUPPORTED))
    replaceKernel<Kernel>(
      'wasm',
      name,
      (original) => (call) => (isUnsupported(call) ? runBorrowed(name, call) : original(call)),
    )
}
