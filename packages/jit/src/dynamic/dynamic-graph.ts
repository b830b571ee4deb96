import { type Params, type Tree, isTensor, leaves } from '@attune/core'
import { type Tensor, engine } from '@tensorflow/tfjs-core'
import { type GraphBackend, graphBackend } from '../backend.js'
import { type Builder, builder, emptyValues } from '../builder.js'
import { type Graph, type Value, nodesOf } from '../graph.js'
import { cast } from '../lower/lowering.js'
import { readBy } from '../onnx-model.js'
import { registerKernels } from '../register.js'
import { simplify } from '../simplify/simplify.js'
import { traceFunction } from '../trace.js'
import {
  type Sizes,
  MAXIMUM_AXES,
  axesOf,
  constantOf,
  evaluate,
  parseDimension,
  samplePoints,
  textOf,
} from './expression.js'
import { type SizedTrace, cannotExport, matchTraces } from './match-traces.js'
import { rebuildGraph } from './rebuild-graph.js'
import { saveDynamicGraph } from './save-dynamic-graph.js'
import { type ShapeArithmetic, shapeArithmetic } from './shape-arithmetic.js'

/** Dimension: a number, the name of a dynamic axis, or a sum of axes, such as `past_sequence_length + sequence_length`. */
export type Dimension = number | string

/** Value of a graph with dynamic axes. */
export interface DynamicValue {
  readonly value: Value
  readonly dimensions: readonly Dimension[]
}

/** Function of parameters and inputs by name; int64 inputs are int32 tensors. */
export type NamedFunction = (
  params: Params,
  inputs: Readonly<Record<string, Tensor>>,
) => Readonly<Record<string, Tensor>>

/** ONNX graph with dynamic axes, made of one or more traced functions. */
export interface DynamicGraph {
  /** Adds an input of the graph. An axis has the same size in all inputs. */
  input(name: string, dtype: 'int64' | 'float32' | 'bool', dimensions: readonly Dimension[]): DynamicValue
  /**
   * Traces a function and adds its operations; `params` become constants.
   * @throws AttuneError `CANNOT_EXPORT` if the operations depend on the sizes of the axes, and the errors of `jit`
   */
  trace(
    fn: NamedFunction,
    params: Params,
    inputs: Readonly<Record<string, DynamicValue>>,
  ): Readonly<Record<string, DynamicValue>>
  /** Values of `yes` if the condition, bool `[1]`, is true, otherwise those of `no` of the same names, which are computed only then. */
  choose(
    condition: DynamicValue,
    yes: Readonly<Record<string, DynamicValue>>,
    no: Readonly<Record<string, DynamicValue>>,
  ): Readonly<Record<string, DynamicValue>>
  /** Names of the inputs that outputs need. */
  inputsOf(outputs: Readonly<Record<string, DynamicValue>>): readonly string[]
  /** Writes an `.onnx` file with these outputs and the inputs that they need. Returns the names of its files. */
  save(path: string, outputs: Readonly<Record<string, DynamicValue>>): readonly string[]
}

const sizesOf = (dimensions: readonly Dimension[], sizes: Sizes): number[] =>
  dimensions.map((each) => evaluate(parseDimension(each), sizes))

const axesIn = (dimensions: readonly Dimension[]): readonly string[] =>
  dimensions.flatMap((each) => [...parseDimension(each).keys()].flatMap(axesOf))

/** Tensor of a shape, whose values are never read. */
const placeholder = (backend: GraphBackend, shape: readonly number[], isInteger: boolean): Tensor => {
  const dtype = isInteger ? 'int32' : 'float32'
  return engine().makeTensorFromTensorInfo(backend.hold(emptyValues(dtype, 0), shape, dtype), backend)
}

/** A trace with the names of its inputs and outputs, in their order. */
interface NamedTrace extends SizedTrace {
  readonly given: readonly string[]
  readonly names: readonly string[]
}

/** Names of the tensors of a record, in the order in which a trace lists them. */
const namesOf = (tensors: Readonly<Record<string, Tensor>>): readonly string[] =>
  leaves(tensors, isTensor).map(([name]) => name)

/** Traces a function with these sizes. */
function traceAt(
  fn: NamedFunction,
  params: Params,
  inputs: Readonly<Record<string, DynamicValue>>,
  sizes: Sizes,
): NamedTrace {
  const backend = graphBackend()
  registerKernels()
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, { value, dimensions }]) => [
      name,
      placeholder(backend, sizesOf(dimensions, sizes), value.dtype !== 'float32'),
    ]),
  )
  let names: readonly string[] = []
  const named = (all: Params, own: Readonly<Record<string, Tensor>>): Tree => {
    const results = fn(all, own)
    names = namesOf(results)
    return results
  }
  const {
    inputs: own,
    outputs,
    hosted,
    views,
  } = traceFunction(named, [params, given], backend, ([path]) => path.startsWith('0'))
  for (const tensor of Object.values(given)) tensor.dispose()
  if (hosted.length > 0) throw cannotExport('it samples random numbers')
  if (views.length > 0) throw cannotExport('it multiplies with 4-bit weights')
  const graph: Graph = simplify({ inputs: own, outputs }, new Map())
  return { sizes, given: namesOf(given), names, graph }
}

/** Adds the operations of a function to a graph. */
function addTraced(
  b: Builder,
  sizes: ShapeArithmetic,
  fn: NamedFunction,
  params: Params,
  inputs: Readonly<Record<string, DynamicValue>>,
): Readonly<Record<string, DynamicValue>> {
  const axes = [...new Set(Object.values(inputs).flatMap(({ dimensions }) => axesIn(dimensions)))]
  if (axes.length > MAXIMUM_AXES) throw new RangeError(`expected at most ${MAXIMUM_AXES} axes, got ${axes.length}`)
  const traces = samplePoints(axes).map((point) => traceAt(fn, params, inputs, point))
  const [first] = traces as [(typeof traces)[number]]
  const matched = matchTraces(traces)
  const now = new Map(
    first.given.map((name, i) => {
      const { value } = inputs[name]!
      return [first.graph.inputs[i]!, value.dtype === 'float32' ? value : cast(b, value, 'int32')]
    }),
  )
  const outputs = rebuildGraph({ b, traces, matched, sizes, now })
  const dimensions = (i: number): readonly Dimension[] => {
    const output = matched.outputs[i]!
    const source = 'source' in output ? output.source : output.constants[0]!
    return matched.dimensionsOf(source).map((each) => constantOf(each) ?? textOf(each))
  }
  return Object.fromEntries(
    first.names.map((name, i) => [name, { value: outputs[i]!, dimensions: dimensions(i) }] as const),
  )
}

/** If operation whose second branch computes `no`. */
function conditional(b: Builder, condition: Value, yes: readonly Value[], no: readonly Value[]): readonly Value[] {
  const outputs: Value[] = []
  const attributes = { then_branch: { branch: yes }, else_branch: { branch: no } }
  const node = { op: 'If', domain: '', inputs: [condition], attributes, outputs }
  for (const value of no) outputs.push({ ...b.input(value), node })
  return outputs
}

/**
 * Creates an empty graph with dynamic axes. Functions are traced several times with different sizes; every integer that
 * differs between the traces must be a sum of products of sizes, and becomes an operation that computes it.
 *
 * When to use it: to write a model for other programs, which run it with inputs of any size. {@link jit} is faster for
 * functions that are called in this process.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs'
 * import { dynamicGraph } from '@attune/jit'
 * import { matMul, reshape, tensor2d } from '@tensorflow/tfjs-core'
 * const graph = dynamicGraph()
 * const x = graph.input('x', 'float32', ['rows', 2])
 * const y = graph.trace(({ w }, { x }) => ({ y: matMul(reshape(x!, [-1, 2]), w!) }), { w: tensor2d([[1], [2]]) }, { x })
 * console.log(y['y']!.dimensions) // [ 'rows', 1 ]
 * graph.save('product.onnx', y)
 * ```
 */
export function dynamicGraph(): DynamicGraph {
  const b = builder()
  const inputs = new Map<string, DynamicValue>()
  const sizes = shapeArithmetic(b, (axis) => {
    for (const { value, dimensions } of inputs.values()) {
      const at = dimensions.indexOf(axis)
      const attributes = { start: { int: at }, end: { int: at + 1 } }
      if (at >= 0) return b.node('Shape', [value], { dtype: 'int64', shape: [1] }, { attributes })
    }
    throw cannotExport(`no input has the axis ${axis}`)
  })
  return {
    input(name, dtype, dimensions) {
      const [point] = samplePoints([...new Set(axesIn(dimensions))])
      const added = { value: b.input({ dtype, shape: sizesOf(dimensions, point!) }), dimensions }
      inputs.set(name, added)
      return added
    },
    trace: (fn, params, given) => addTraced(b, sizes, fn, params, given),
    choose(condition, yes, no) {
      const names = Object.keys(no)
      const of = (all: Readonly<Record<string, DynamicValue>>): Value[] => names.map((name) => all[name]!.value)
      const made = conditional(b, condition.value, of(yes), of(no))
      return Object.fromEntries(names.map((name, i) => [name, { ...no[name]!, value: made[i]! }]))
    },
    inputsOf(outputs) {
      const read = new Set(readBy(nodesOf(Object.values(outputs).map(({ value }) => value))))
      return [...inputs].flatMap(([name, { value }]) => (read.has(value) ? [name] : []))
    },
    save(path, outputs) {
      const named = (all: Iterable<readonly [string, DynamicValue]>) =>
        [...all].map(([name, each]) => ({ name, ...each }))
      return saveDynamicGraph(b, named(inputs), named(Object.entries(outputs)), path)
    },
  }
}
