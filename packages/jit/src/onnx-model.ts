import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { type Attribute, type ElementType, type Graph, type Node, type Value, nodesOf } from './graph.js'

/** Values of `TensorProto.DataType` in ONNX. */
const DATA_TYPE: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  uint32: 12,
}

/** Values of `AttributeProto.AttributeType` in ONNX. */
const ATTRIBUTE_TYPE = { float: 1, int: 2, text: 3, ints: 7 } as const

const IR_VERSION = 10
const OPSET = 21

type Write = (writer: BinaryWriter) => void

const message = (writer: BinaryWriter, field: number, write: Write): void => {
  writer.tag(field, WireType.LengthDelimited).fork()
  write(writer)
  writer.join()
}
const text = (writer: BinaryWriter, field: number, value: string): void => {
  writer.tag(field, WireType.LengthDelimited).string(value)
}
const int = (writer: BinaryWriter, field: number, value: number): void => {
  writer.tag(field, WireType.Varint).int64(value)
}

const nameOf = ({ id }: Value): string => `v${id}`

const attribute =
  (name: string, value: Attribute): Write =>
  (writer) => {
    text(writer, 1, name)
    if ('float' in value) writer.tag(2, WireType.Bit32).float(value.float)
    else if ('int' in value) int(writer, 3, value.int)
    else if ('text' in value) text(writer, 4, value.text)
    else for (const each of value.ints) int(writer, 8, each)
    const kind = Object.keys(value)[0] as keyof typeof ATTRIBUTE_TYPE
    int(writer, 20, ATTRIBUTE_TYPE[kind])
  }

const node =
  ({ op, domain, inputs, outputs, attributes }: Node): Write =>
  (writer) => {
    for (const value of inputs) text(writer, 1, value === undefined ? '' : nameOf(value))
    for (const value of outputs) text(writer, 2, nameOf(value))
    text(writer, 3, `${op}_${nameOf(outputs[0]!)}`)
    text(writer, 4, op)
    for (const [name, value] of Object.entries(attributes)) message(writer, 5, attribute(name, value))
    if (domain !== '') text(writer, 7, domain)
  }

/** Bytes of a constant, not copied. */
export function bytesOf({ constant }: Value): Uint8Array {
  const { buffer, byteOffset, byteLength } = constant!
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
}

/** Value of `TensorProto.DataLocation` for external data. */
const EXTERNAL = 1

/** External data of a constant: a file next to the graph's, and the byte offset of the values in it (default: 0). */
export interface ExternalData {
  readonly file: string
  readonly offset?: number
}

const entry =
  (key: string, value: string): Write =>
  (writer) => {
    text(writer, 1, key)
    text(writer, 2, value)
  }

const initializer =
  (value: Value, external: ExternalData | undefined): Write =>
  (writer) => {
    for (const size of value.shape) int(writer, 1, size)
    int(writer, 2, DATA_TYPE[value.dtype])
    text(writer, 8, nameOf(value))
    if (external === undefined) return void writer.tag(9, WireType.LengthDelimited).bytes(bytesOf(value))
    message(writer, 13, entry('location', external.file))
    if (external.offset !== undefined) {
      message(writer, 13, entry('offset', String(external.offset)))
      message(writer, 13, entry('length', String(value.constant!.byteLength)))
    }
    int(writer, 14, EXTERNAL)
  }

/** Dimensions of a value: sizes, or the names of sizes that differ between runs. Equal names are equal sizes. */
export type Dimensions = (value: Value) => readonly (number | string)[]

const fixedDimensions: Dimensions = ({ shape }) => shape

/** Declaration of a value, with its type and shape. */
const declaration =
  (value: Value, dimensionsOf: Dimensions): Write =>
  (writer) => {
    text(writer, 1, nameOf(value))
    message(writer, 2, (type) =>
      message(type, 1, (tensor) => {
        int(tensor, 1, DATA_TYPE[value.dtype])
        message(tensor, 2, (shape) => {
          for (const size of dimensionsOf(value))
            message(shape, 1, (dimension) =>
              typeof size === 'number' ? int(dimension, 1, size) : text(dimension, 2, size),
            )
        })
      }),
    )
  }

const opset =
  (domain: string, version: number): Write =>
  (writer) => {
    text(writer, 1, domain)
    int(writer, 2, version)
  }

/** Distinct constants that nodes read. */
export function constantsOf(nodes: readonly Node[]): readonly Value[] {
  const read = nodes.flatMap(({ inputs }) => inputs).filter((value) => value?.constant !== undefined) as Value[]
  return [...new Set(read)]
}

/** Name of the optional output that is an empty sequence; session.ts explains its use. */
export const SEQUENCE = 'nothing'

const sequenceNode: Write = (writer) => {
  text(writer, 2, SEQUENCE)
  text(writer, 4, 'SequenceEmpty')
}

const sequenceDeclaration: Write = (writer) => {
  text(writer, 1, SEQUENCE)
  message(writer, 2, (type) =>
    message(type, 4, (sequence) =>
      message(sequence, 1, (element) => message(element, 1, (tensor) => int(tensor, 1, DATA_TYPE.float32))),
    ),
  )
}

/** Outputs of nodes that are not outputs of the graph. */
const intermediatesOf = (nodes: readonly Node[], { outputs }: Graph): readonly Value[] => {
  const known = new Set(outputs)
  return nodes.flatMap((each) => each.outputs).filter((value) => !known.has(value))
}

/** Options of {@link encodeModel}. */
interface Encoding {
  /** Adds a first output that is an empty sequence. */
  readonly withSequence?: boolean
  /** Constants with external data. */
  readonly external?: ReadonlyMap<Value, ExternalData>
  /** Dimensions of all values, if some differ between runs. ONNX Runtime cannot infer all of them, so intermediates are declared, too. */
  readonly dimensions?: Dimensions | undefined
}

/** Encodes a graph as an `.onnx` file (`ModelProto` of onnx.proto 1.18), which Netron and ONNX Runtime open. */
export function encodeModel(
  graph: Graph,
  { withSequence = false, external = new Map(), dimensions }: Encoding = {},
): Uint8Array {
  const declared = (value: Value): Write => declaration(value, dimensions ?? fixedDimensions)
  const nodes = nodesOf(graph.outputs)
  const writer = new BinaryWriter()
  int(writer, 1, IR_VERSION)
  text(writer, 2, 'attune')
  message(writer, 7, (body) => {
    if (withSequence) message(body, 1, sequenceNode)
    for (const each of nodes) message(body, 1, node(each))
    text(body, 2, 'function')
    for (const each of constantsOf(nodes)) message(body, 5, initializer(each, external.get(each)))
    for (const each of graph.inputs) message(body, 11, declared(each))
    if (withSequence) message(body, 12, sequenceDeclaration)
    for (const each of graph.outputs) message(body, 12, declared(each))
    if (dimensions !== undefined) for (const each of intermediatesOf(nodes, graph)) message(body, 13, declared(each))
  })
  message(writer, 8, opset('', OPSET))
  message(writer, 8, opset('com.microsoft', 1))
  return writer.finish()
}

/** Name of a value in a session. */
export const sessionName = nameOf
