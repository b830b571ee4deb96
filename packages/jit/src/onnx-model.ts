import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import {
  type Attribute,
  type Body,
  type ElementType,
  type Graph,
  type Node,
  type Value,
  type Values,
  branchesOf,
  nodesOf,
} from './graph.js'
import { deepestFirst } from './lower/deepest-first.js'

/** Values of `TensorProto.DataType` in ONNX. */
const DATA_TYPE: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  uint32: 12,
}

/** Values of `AttributeProto.AttributeType` in ONNX. */
const ATTRIBUTE_TYPE = { float: 1, int: 2, text: 3, branch: 5, body: 5, ints: 7 } as const

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

/** Name of a value in the graph. */
type Naming = (value: Value) => string

const nameOf: Naming = ({ id }) => `v${id}`

const identity =
  (from: string, to: string): Write =>
  (writer) => {
    text(writer, 1, from)
    text(writer, 2, to)
    text(writer, 4, 'Identity')
  }

/** Subgraph that computes the results of a branch. Its own values have other names than those of the outer graph. */
const branch =
  (results: readonly Value[], name: Naming, of: string): Write =>
  (writer) => {
    const nodes = nodesOf(results)
    const own = new Set(nodes.flatMap(({ outputs }) => outputs))
    const inner: Naming = (value) => `${own.has(value) ? `${of}_` : ''}${name(value)}`
    for (const each of nodes) message(writer, 1, node(each, inner))
    for (const [i, value] of results.entries()) message(writer, 1, identity(inner(value), `${of}_result_${i}`))
    text(writer, 2, of)
    for (const [i, value] of results.entries()) message(writer, 12, declaration(value, `${of}_result_${i}`, []))
  }

/** Body of a loop that reads `given` in the outer graph. Its last inputs are values of the outer graph, read by their names there. */
const loopBody =
  (body: Body, given: readonly (Value | undefined)[], outer: Naming, of: string): Write =>
  (writer) => {
    const taken = body.inputs.length - body.captured
    const names = new Map(body.inputs.slice(taken).map((value, i) => [value, outer(given[taken + i]!)]))
    const inner: Naming = (value) => names.get(value) ?? `${of}_${nameOf(value)}`
    const nodes = nodesOf(body.outputs)
    // An output must be the output of a node, and of one name.
    const isOwn = (value: Value, i: number): boolean => value.node !== undefined && body.outputs.indexOf(value) === i
    const nameAt = (value: Value, i: number): string => (isOwn(value, i) ? inner(value) : `${of}_result_${i}`)
    for (const each of nodes) message(writer, 1, node(each, inner))
    for (const [i, value] of body.outputs.entries())
      if (!isOwn(value, i)) message(writer, 1, identity(inner(value), nameAt(value, i)))
    text(writer, 2, of)
    const constants = constantsOf([...nodes, { inputs: body.outputs, attributes: {} }])
    for (const value of constants) message(writer, 5, initializer(value, inner, undefined))
    for (const value of body.inputs.slice(0, taken)) message(writer, 11, declaration(value, inner(value), value.shape))
    for (const [i, value] of body.outputs.entries())
      message(writer, 12, declaration(value, nameAt(value, i), value.shape))
  }

const attribute =
  (name: string, value: Attribute, naming: Naming, of: string, given: readonly (Value | undefined)[]): Write =>
  (writer) => {
    text(writer, 1, name)
    if ('float' in value) writer.tag(2, WireType.Bit32).float(value.float)
    else if ('int' in value) int(writer, 3, value.int)
    else if ('text' in value) text(writer, 4, value.text)
    else if ('branch' in value) message(writer, 6, branch(value.branch, naming, `${of}_${name}`))
    else if ('body' in value) message(writer, 6, loopBody(value.body, given, naming, of))
    else for (const each of value.ints) int(writer, 8, each)
    const kind = Object.keys(value)[0] as keyof typeof ATTRIBUTE_TYPE
    int(writer, 20, ATTRIBUTE_TYPE[kind])
  }

const node =
  ({ op, domain, inputs, outputs, attributes }: Node, nameOf: Naming): Write =>
  (writer) => {
    const own = `${op}_${nameOf(outputs[0]!)}`
    const captured = 'body' in attributes && 'body' in attributes['body']! ? attributes['body'].body.captured : 0
    for (const value of inputs.slice(0, inputs.length - captured))
      text(writer, 1, value === undefined ? '' : nameOf(value))
    for (const value of outputs) text(writer, 2, nameOf(value))
    text(writer, 3, own)
    text(writer, 4, op)
    for (const [name, value] of Object.entries(attributes))
      message(writer, 5, attribute(name, value, nameOf, own, inputs))
    if (domain !== '') text(writer, 7, domain)
  }

/** Bytes of an array, not copied. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Values): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)

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
  (value: Value, nameOf: Naming, external: ExternalData | undefined): Write =>
  (writer) => {
    for (const size of value.shape) int(writer, 1, size)
    int(writer, 2, DATA_TYPE[value.dtype])
    text(writer, 8, nameOf(value))
    if (external === undefined) return void writer.tag(9, WireType.LengthDelimited).bytes(bytesOf(value.constant!))
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

/** Declaration of a value, with its type and shape; a name is a dynamic dimension. */
const declaration =
  ({ dtype, shape }: Value, name: string, dimensions: readonly (number | string)[]): Write =>
  (writer) => {
    text(writer, 1, name)
    message(writer, 2, (type) =>
      message(type, 1, (tensor) => {
        int(tensor, 1, DATA_TYPE[dtype])
        if (dimensions.length === 0 && shape.length > 0) return
        message(tensor, 2, (sizes) => {
          for (const size of dimensions)
            message(sizes, 1, (dimension) =>
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

/** Distinct values that nodes and their branches read. */
export function readBy(nodes: readonly Pick<Node, 'inputs' | 'attributes'>[]): readonly Value[] {
  const inner = nodes.flatMap(branchesOf).flatMap((results) => [...results, ...readBy(nodesOf(results))])
  const read = nodes.flatMap(({ inputs }) => inputs).filter((value) => value !== undefined)
  return [...new Set([...read, ...inner])]
}

/** Distinct constants that nodes read. */
export const constantsOf = (nodes: readonly Pick<Node, 'inputs' | 'attributes'>[]): readonly Value[] =>
  readBy(nodes).filter(({ constant }) => constant !== undefined)

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
  /** Names of inputs and outputs, and their dimensions. Default: a number, and the shape. */
  readonly ports?: ReadonlyMap<Value, Port>
  /** Dimensions of all values, if some differ between runs. ONNX Runtime cannot infer all of them, so intermediates are declared, too. */
  readonly dimensions?: Dimensions | undefined
}

/** Name and dimensions of an input or output; a name among the dimensions is a dynamic one. */
export interface Port {
  readonly name: string
  readonly dimensions: readonly (number | string)[]
}

/** Encodes a graph as an `.onnx` file (`ModelProto` of onnx.proto 1.18), which Netron and ONNX Runtime open. */
export function encodeModel(
  graph: Graph,
  { withSequence = false, external = new Map(), ports = new Map(), dimensions }: Encoding = {},
): Uint8Array {
  // ONNX Runtime computes the last output first, and what the others share with it: the gradients of the last layer before those of the first.
  const nodes = nodesOf(deepestFirst(graph.outputs))
  const naming: Naming = (value) => ports.get(value)?.name ?? nameOf(value)
  const sizesOf = dimensions ?? fixedDimensions
  const declare = (value: Value): Write =>
    declaration(value, naming(value), ports.get(value)?.dimensions ?? sizesOf(value))
  const writer = new BinaryWriter()
  int(writer, 1, IR_VERSION)
  text(writer, 2, 'attune')
  message(writer, 7, (body) => {
    if (withSequence) message(body, 1, sequenceNode)
    for (const each of nodes) message(body, 1, node(each, naming))
    text(body, 2, 'function')
    for (const each of constantsOf(nodes)) message(body, 5, initializer(each, naming, external.get(each)))
    for (const each of graph.inputs) message(body, 11, declare(each))
    if (withSequence) message(body, 12, sequenceDeclaration)
    for (const each of graph.outputs) message(body, 12, declare(each))
    if (dimensions !== undefined) for (const each of intermediatesOf(nodes, graph)) message(body, 13, declare(each))
  })
  message(writer, 8, opset('', OPSET))
  if (ports.size === 0) message(writer, 8, opset('com.microsoft', 1)) // graphs for other programs have standard operations
  return writer.finish()
}

/** Name of a value in a session. */
export const sessionName = nameOf
