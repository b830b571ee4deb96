import { type Attribute, type ElementType, type Node, type Value, type Values, sameShape, sizeOf } from './graph.js'

/** Options of a node. */
export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>
  readonly domain?: string
}

/** Element type and shape of an output. */
export interface Type {
  readonly dtype: ElementType
  readonly shape: readonly number[]
}

const ARRAYS = {
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
  uint8: Uint8Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  float16: Uint16Array,
} as const

/** Returns a zero-filled array of an element type. */
export const emptyValues = (dtype: ElementType, size: number): Values => new ARRAYS[dtype](size)

/** Returns the memory of an array as an array of an element type. */
export function viewAs(dtype: ElementType, { buffer, byteOffset, byteLength }: Values): Values {
  const type = ARRAYS[dtype]
  return new type(buffer as ArrayBuffer, byteOffset, byteLength / type.BYTES_PER_ELEMENT)
}

/** Returns numbers as an array of an element type. */
export const valuesOf = (dtype: ElementType, numbers: readonly number[]): Values =>
  dtype === 'int64' ? BigInt64Array.from(numbers, BigInt) : ARRAYS[dtype].from(numbers)

/** Constants of up to this many values are deduplicated by value, larger ones by their array. */
export const SMALL = 4096

/**
 * Adds nodes to a graph, with common-subexpression elimination: the same operation on the same inputs returns the
 * existing value.
 */
export interface Builder {
  input(type: Type): Value
  constant(dtype: ElementType, numbers: readonly number[], shape?: readonly number[]): Value
  /** Constant from an array, which is not copied. */
  array(dtype: ElementType, values: Values, shape: readonly number[]): Value
  node(op: string, inputs: readonly (Value | undefined)[], type: Type, options?: NodeOptions): Value
  /** Adds a node with several outputs. */
  nodes(
    op: string,
    inputs: readonly (Value | undefined)[],
    types: readonly Type[],
    options?: NodeOptions,
  ): readonly Value[]
}

/** Numbers as a string that is unique for each list, including the sign of zero. */
const exact = (numbers: readonly number[]): string => numbers.map((n) => (Object.is(n, -0) ? '-0' : String(n))).join()

export function builder(): Builder {
  let count = 0
  const known = new Map<string, readonly Value[]>()
  const arrays = new Map<Values, Value>()

  const once = (key: string, make: () => readonly Value[]): readonly Value[] => {
    const found = known.get(key) ?? make()
    known.set(key, found)
    return found
  }

  const constant: Builder['constant'] = (dtype, numbers, shape = [numbers.length]) => {
    if (sizeOf(shape) !== numbers.length)
      throw new RangeError(`expected ${sizeOf(shape)} values for [${shape.join()}], got ${numbers.length}`)
    const make = (): readonly Value[] => [{ id: count++, dtype, shape, constant: valuesOf(dtype, numbers) }]
    return (numbers.length > SMALL ? make() : once(`constant ${dtype} ${shape.join()} ${exact(numbers)}`, make))[0]!
  }

  const nodes: Builder['nodes'] = (op, inputs, types, { attributes = {}, domain = '' } = {}) => {
    // Some operations of ONNX Runtime terminate the process for empty outputs, which need no computation.
    if (types.every(({ shape }) => sizeOf(shape) === 0))
      return types.map(({ dtype, shape }) => constant(dtype, [], shape))
    return once(`${domain} ${op} ${inputs.map((v) => v?.id ?? '').join()} ${JSON.stringify(attributes)}`, () => {
      const outputs: Value[] = []
      const node: Node = { op, domain, inputs, attributes, outputs }
      for (const { dtype, shape } of types) outputs.push({ id: count++, dtype, shape, node })
      return outputs
    })
  }

  const array: Builder['array'] = (dtype, values, shape) => {
    const found = arrays.get(values)
    if (found !== undefined && found.dtype === dtype && sameShape(found.shape, shape)) return found
    const value = { id: count++, dtype, shape, constant: values }
    arrays.set(values, value)
    return value
  }

  return {
    input: ({ dtype, shape }) => ({ id: count++, dtype, shape }),
    constant,
    array,
    node: (op, inputs, type, options) => nodes(op, inputs, [type], options)[0]!,
    nodes,
  }
}
