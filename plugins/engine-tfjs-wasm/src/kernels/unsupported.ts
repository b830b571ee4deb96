import { replaceKernel } from '@attune/nn'
import { type TensorInfo, backend_util } from '@tensorflow/tfjs-core'
import { runBorrowed } from './borrowed.js'
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
  return hasIntegers(call) || (filterHeight === 1 && filterWidth === 1) || isWide
}

const UNSUPPORTED: Readonly<Record<string, Unsupported>> = {
  AvgPool: hasOtherWindows,
  Bincount: ({ inputs }) => (inputs['x'] as TensorInfo).shape.length !== 1,
  Cast: ({ attrs }) => attrs!['dtype'] === ('bool' as unknown),
  Conv2D: isChannelsFirst,
  Conv2DBackpropInput: isChannelsFirst,
  DepthwiseConv2dNative: isChannelsFirst,
  FusedConv2D: (call) => isChannelsFirst(call) || hasOtherBias(call),
  FusedDepthwiseConv2D: (call) => isChannelsFirst(call) || hasOtherBias(call),
  MaxPool: hasOtherWindows,
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
