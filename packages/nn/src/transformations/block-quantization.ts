import {
  type Tensor,
  abs,
  add,
  cast,
  concat,
  divNoNan,
  floorDiv,
  gather,
  greater,
  less,
  max,
  mul,
  pad,
  reshape,
  scalar,
  slice,
  sub,
  tensor1d,
  unstack,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core'

/** Bits of the exponent of the dynamic data type. */
const EXPONENTS = 7

/**
 * The 256 values of the 8-bit dynamic data type, ascending: a sign (if `signed`), an exponent of ten from −6 to 0 in unary code, and the
 * remaining bits as a linear fraction of [0.1, 1]; and 0 and 1.
 * Source: Dettmers et al., 8-bit Optimizers via Block-wise Quantization, 2022, section 1.3, as in bitsandbytes' create_dynamic_map.
 */
export function dynamicMap(signed: boolean): Float32Array {
  const values = [0, 1]
  for (let i = 0; i < EXPONENTS; i++) {
    const count = 2 ** (signed ? i : i + 1)
    for (let j = 0; j < count; j++) {
      const value = 10 ** (i + 1 - EXPONENTS) * (0.1 + (0.9 * (j + 0.5)) / count)
      values.push(value, ...(signed ? [-value] : []))
    }
  }
  return Float32Array.from(values).sort()
}

/** A tensor in 8 bits: four codes per int32, `[blocks · blockSize / 4]`, and the largest absolute value per block, `[blocks]`. */
export interface QuantizedBlocks {
  readonly codes: Tensor
  readonly scales: Tensor
}

const [BYTE, WORD] = [256, 65536]

/** Packs integers from 0 to 255 into int32, four in each. */
function pack(codes: Tensor): Tensor {
  const [a, b, c, d] = unstack(reshape(codes, [-1, 4]), 1) as [Tensor, Tensor, Tensor, Tensor]
  const factor = (n: number): Tensor => scalar(n, 'int32')
  const [low, high] = [add(a, mul(b, factor(BYTE))), add(c, mul(sub(d, factor(128)), factor(BYTE)))]
  return add(low, mul(high, factor(WORD)))
}

/** Integers from 0 to 255 from int32 that hold four of them: `[n]` → `[4 · n]`. `highest` recovers the last one from the highest byte. */
function unpackWith(packed: Tensor, highest: (signed: Tensor) => Tensor): Tensor {
  const factor = (n: number): Tensor => scalar(n, 'int32')
  const high = floorDiv(packed, factor(WORD))
  const low = sub(packed, mul(high, factor(WORD)))
  const [b, d] = [floorDiv(low, factor(BYTE)), floorDiv(high, factor(BYTE))]
  const columns = [sub(low, mul(b, factor(BYTE))), b, sub(high, mul(d, factor(BYTE))), highest(d)]
  return reshape(
    concat(
      columns.map((x) => reshape(x, [-1, 1])),
      1,
    ),
    [-1],
  )
}

/** The inverse of {@link pack}. */
const unpack = (packed: Tensor): Tensor => unpackWith(packed, (signed) => add(signed, scalar(128, 'int32')))

/** The bytes of int32 in little-endian order: `[n]` → `[4 · n]`. */
export const bytesOf = (packed: Tensor): Tensor =>
  unpackWith(packed, (signed) => where(less(signed, 0), add(signed, scalar(BYTE, 'int32')), signed))

/** The index of the nearest value of an ascending map, by binary search: eight gathers instead of 256 comparisons. */
function nearestCode(x: Tensor, map: Float32Array): Tensor {
  const middles = tensor1d(Float32Array.from(map, (value, i) => (i === 0 ? -Infinity : (map[i - 1]! + value) / 2)))
  let at = cast(zerosLike(x), 'int32')
  for (let bit = 128; bit >= 1; bit /= 2) {
    const next = add(at, scalar(bit, 'int32'))
    at = add(at, mul(cast(greater(x, gather(middles, next as never)), 'int32'), scalar(bit, 'int32')))
  }
  return at
}

/**
 * Block-wise dynamic quantization of a tensor of any shape: blocks of `blockSize` consecutive values are divided by their largest absolute
 * value and replaced by the code of the nearest value of `map`.
 * Source: Dettmers et al., 8-bit Optimizers via Block-wise Quantization, 2022, section 2.
 * @param blockSize a multiple of 4; the last block is padded with zeros
 */
export function quantizeBlocks(x: Tensor, map: Float32Array, blockSize: number): QuantizedBlocks {
  const blocks = Math.ceil(x.size / blockSize)
  const padded = pad(reshape(x, [x.size]), [[0, blocks * blockSize - x.size]])
  const rows = reshape(padded, [blocks, blockSize])
  const scales = max(abs(rows), 1)
  const codes = nearestCode(divNoNan(rows, reshape(scales, [blocks, 1])), map)
  return { codes: pack(codes), scales }
}

/** The inverse of {@link quantizeBlocks}, up to rounding: a float32 tensor of `shape`. */
export function dequantizeBlocks(
  { codes, scales }: QuantizedBlocks,
  map: Float32Array,
  { blockSize, shape }: { readonly blockSize: number; readonly shape: readonly number[] },
): Tensor {
  const values = reshape(gather(tensor1d(map), unpack(codes) as never), [scales.size, blockSize])
  const size = shape.reduce((product, n) => product * n, 1)
  const flat = reshape(mul(values, reshape(scales, [scales.size, 1])), [-1])
  return reshape(slice(flat, [0], [size]), [...shape])
}
