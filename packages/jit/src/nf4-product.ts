import { type TensorInfo, getKernel, registerKernel } from '@tensorflow/tfjs-core'
import { BACKEND, type Trace, graphBackend } from './backend.js'
import type { Builder } from './builder.js'
import { type Value, type Values, sizeOf } from './graph.js'
import { cast, compare, mul, reshape, slice } from './lower/lowering.js'
import { product } from './lower/product.js'
import { bytesOf } from './onnx-model.js'
import { notCompiled } from './pass-on.js'
import { backendOf } from './register.js'
import { viewOf } from './view-of.js'

/** Numbers of weights that share a scale, and of scales that share a scale of their own. */
const [BLOCK, SCALE_BLOCK] = [64, 256] as const

/** Bytes of an int32. */
const BYTES = 4

/** Value of MatMulBnb4's `quant_type` for NF4. */
const NF4 = 1

/** Kind of the scales among the inputs that the host computes. */
const SCALES = 'Nf4Scales'

/** Inputs of the kernel. */
type Given = Readonly<Record<string, Value>>

/** Attributes of the kernel: the shape of the weight, its first row among those of the codes, and the operand order. */
interface Nf4Attributes {
  readonly outputs: number
  readonly inputs: number
  readonly first: number
  /** False for `x·Wᵀ`, true for `x·W`, its gradient. */
  readonly isGradient: boolean
}

/** Values of a table at integer indices. */
const lookUp = (b: Builder, table: Value, at: Value): Value =>
  b.node('Gather', [table, cast(b, at, 'int32')], {
    dtype: table.dtype,
    shape: [...at.shape, ...table.shape.slice(1)],
  })

/** Writes scales that are stored as 8-bit codes: values of a table, times the scale of each group, plus an offset. */
function writeScales(into: Float32Array, ...from: readonly Values[]): void {
  const [codes, map, nested, offset] = from as readonly [Values, Float32Array, Float32Array, Float32Array]
  const bytes = bytesOf(codes)
  for (let i = 0; i < into.length; i++)
    into[i] = Math.fround(map[bytes[i]!]! * nested[Math.floor(i / SCALE_BLOCK)]!) + offset[0]!
}

/** The scales of the blocks, `[blocks]`. The host computes them: in the graph, they would be seven operations for each weight. */
function scalesOf(trace: Trace, blocks: number, { scales, map, nestedScales, nestedOffset }: Given): Value {
  if (scales!.dtype === 'float32') return scales!
  const from = [scales!, map!, nestedScales!, nestedOffset!]
  const known = trace.hosted.find((each) => each.what === SCALES && each.from.every((value, i) => value === from[i]))
  if (known !== undefined) return known.value
  const value = trace.builder.input({ dtype: 'float32', shape: [blocks] })
  trace.hosted.push({ value, what: SCALES, from, compute: writeScales })
  return value
}

/** The packed bytes and the scales of a weight, and the number of its blocks. */
interface Packed {
  readonly bytes: Value
  readonly scales: Value
  readonly blocks: number
}

/**
 * The blocks of a weight, copied from those of the whole table through a slice whose end depends on `after`, so that ONNX Runtime copies
 * them only when they are needed.
 */
function copied(b: Builder, { bytes, scales, blocks }: Packed, from: number, after: Value): Packed {
  const first = slice(b, reshape(b, after, [sizeOf(after.shape)]), [0], [1])
  const zero = cast(b, compare(b, 'Greater', first, first), 'int64')
  const length = (blocks * BLOCK) / 2
  const start = (from * BLOCK) / 2
  const ends = b.node('Add', [b.constant('int64', [start + length]), zero], { dtype: 'int64', shape: [1] })
  const own = [bytes, b.constant('int64', [start]), ends, b.constant('int64', [0])]
  const isWhole = blocks === sizeOf(scales.shape)
  return {
    bytes: b.node('Slice', own, { dtype: 'uint8', shape: [length] }),
    scales: isWhole ? scales : slice(b, scales, [from], [blocks]),
    blocks,
  }
}

/** The weight, `[outputs, inputs]`. */
function dequantized(b: Builder, { bytes, scales, blocks }: Packed, pairs: Value, [outputs, inputs]: [number, number]) {
  const values = reshape(b, lookUp(b, pairs, bytes), [blocks, BLOCK])
  const flat = reshape(b, mul(b, values, reshape(b, scales, [blocks, 1])), [blocks * BLOCK])
  return reshape(b, slice(b, flat, [0], [outputs * inputs]), [outputs, inputs])
}

/**
 * MatMulBnb4 computes `x·Wᵀ` only: in its CPU kernel, `transB` of 0 changes the shapes but not the product. The gradient's `x·W`
 * dequantizes the weight.
 */
function lower(trace: Trace, given: Given, { outputs, inputs, first, isGradient }: Nf4Attributes): Value {
  const { builder: b } = trace
  const [x, blocks] = [given['x']!, Math.ceil((outputs * inputs) / BLOCK)]
  const codes = given['codes']!
  const all = (2 * BYTES * sizeOf(codes.shape)) / BLOCK
  const whole = {
    bytes: viewOf(trace, codes, { dtype: 'uint8', shape: [BYTES * sizeOf(codes.shape)] }),
    scales: scalesOf(trace, all, given),
    blocks,
  }
  const isPart = blocks < all
  const weight = isPart || isGradient ? copied(b, whole, (first * inputs) / BLOCK, given['after']!) : whole
  if (isGradient) return product(b, x, dequantized(b, weight, given['pairs']!, [outputs, inputs]), false, false)
  const sizes = { K: inputs, N: outputs, block_size: BLOCK, quant_type: NF4 }
  return b.node(
    'MatMulBnb4',
    [x, weight.bytes, weight.scales],
    { dtype: 'float32', shape: [x.shape[0]!, outputs] },
    {
      domain: 'com.microsoft',
      attributes: Object.fromEntries(Object.entries(sizes).map(([name, int]) => [name, { int }])),
    },
  )
}

/**
 * Registers a kernel for products with a weight in 4-bit NormalFloat, which the graph keeps packed: `x·Wᵀ` is ONNX Runtime's MatMulBnb4,
 * which dequantizes into memory that it frees, and the gradient's `x·W` dequantizes the weight when its operand is known.
 *
 * `inputs: { x, after, codes, scales, pairs }`, and `{ map, nestedScales, nestedOffset }` where the scales are 8-bit codes; `attrs: { outputs,
 * inputs, first, isGradient }`. The weight is dequantized after `after` is computed. `first` is the index of its first row among those of
 * the codes; rows consist of whole blocks unless it has all of them. `codes` are int32 arguments of the compiled function or constants, each with eight 4-bit codes, the first in the
 * high bits of the lowest byte; `pairs` holds the two values of each byte, `[256, 2]`.
 */
export function registerNf4Product(kernelName: string): void {
  graphBackend()
  if (getKernel(kernelName, BACKEND) != null) return
  registerKernel({
    kernelName,
    backendName: BACKEND,
    kernelFunc: (call) => {
      const backend = backendOf(call)
      const trace = backend.activeTrace
      if (trace === undefined || trace.isStep) throw notCompiled(kernelName)
      const given = Object.entries(call.inputs).map(
        ([name, info]) => [name, backend.valueOf(info as TensorInfo, trace)] as const,
      )
      return backend.symbol(lower(trace, Object.fromEntries(given), call.attrs as never), trace)
    },
  })
}
