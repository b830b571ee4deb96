import { AttuneError } from '@attune/core'
import { type Tensor, type TensorInfo, engine, getKernel, registerKernel, tidy } from '@tensorflow/tfjs-core'
import { BACKEND, type GraphBackend, graphBackend } from './backend.js'
import type { Type } from './builder.js'
import { type Body, type Graph, type Value, nodesOf } from './graph.js'
import { type KernelCall, notCompiled } from './pass-on.js'
import { backendOf } from './register.js'
import { simplify } from './simplify/simplify.js'

/** Attributes of a scan. Its inputs are the initial carries, then the scanned tensors, then those that all steps read. */
export interface ScanAttributes {
  /** One step: carries, slices of the scanned tensors, and shared tensors to the next carries and the step's outputs. */
  step(tensors: readonly Tensor[]): readonly Tensor[]
  /** Number of carries. */
  readonly carries: number
  /** Number of tensors that are scanned along their first axis. */
  readonly scanned: number
  /** True to scan from the last slice to the first. */
  readonly reverse: boolean
}

const typeOf = ({ dtype, shape }: Type): string => `${dtype}[${shape.join()}]`

/** Text of a graph that is equal for graphs of equal operations, shapes and constants. */
function textOf({ inputs, outputs }: Graph): string {
  const names = new Map(inputs.map((value, i) => [value, `input${i}`]))
  const exact = (n: number | bigint): string => (Object.is(n, -0) ? '-0' : String(n))
  const nameOf = (value: Value | undefined): string =>
    value?.constant === undefined
      ? (names.get(value!) ?? '')
      : `${typeOf(value)}{${Array.from(value.constant as Float32Array, exact).join()}}`
  const lines = nodesOf(outputs).map((node, i) => {
    node.outputs.forEach((value, j) => names.set(value, `${i}.${j}`))
    const head = `${node.domain} ${node.op} ${JSON.stringify(node.attributes)}`
    return `${head} ${node.inputs.map(nameOf).join(' ')} ${node.outputs.map(typeOf).join(' ')}`
  })
  return [inputs.map(typeOf).join(' '), ...lines, outputs.map(nameOf).join(' ')].join('\n')
}

/** Runs `f` as if no gradient were being computed and no kernel were running, so that it may compute gradients itself. */
function outsideOfGradients<T>(f: () => T): T {
  const { state } = engine()
  const { kernelDepth, gradientDepth, activeTape } = state
  Object.assign(state, { kernelDepth: 0, gradientDepth: 0, activeTape: undefined })
  try {
    return f()
  } finally {
    Object.assign(state, { kernelDepth, gradientDepth, activeTape })
  }
}

/** Traces a step with symbolic tensors of these types. */
function traceStep(backend: GraphBackend, step: ScanAttributes['step'], types: readonly Type[]): Graph {
  const run = (): Graph =>
    backend.trace((trace) => {
      const inputs = types.map((type) => trace.builder.input(type))
      const symbols = inputs.map((value) => engine().makeTensorFromTensorInfo(backend.symbol(value, trace)))
      const outputs = step(symbols).map((tensor) => backend.valueOf(tensor, trace))
      if (trace.hosted.length === 0) return { inputs, outputs }
      throw new AttuneError(
        'FROZEN_RANDOMNESS',
        'the step of a scan samples random values, which would be the same in every step',
        'Sample the values of all steps before the scan and pass them among `inputs`.',
      )
    }, true)
  let graph: Graph | undefined
  outsideOfGradients(() => tidy(() => void (graph = run())))
  return graph!
}

/** The traced step as the body of a loop. */
function bodyOf(backend: GraphBackend, given: readonly Value[], { step, carries, scanned }: ScanAttributes): Body {
  const isScanned = (i: number): boolean => i >= carries && i < carries + scanned
  const types = given.map(({ dtype, shape }, i) => ({ dtype, shape: isScanned(i) ? shape.slice(1) : shape }))
  const graph = simplify(traceStep(backend, step, types))
  const text = textOf(graph)
  return { ...graph, captured: given.length - carries - scanned, toJSON: () => text }
}

function lowerScan(call: KernelCall, kernelName: string): TensorInfo[] {
  const backend = backendOf(call)
  const trace = backend.activeTrace
  if (trace === undefined) throw notCompiled(kernelName)
  const attributes = call.attrs as unknown as ScanAttributes
  const { carries, scanned, reverse } = attributes
  const given = Object.values(call.inputs).map((info) => backend.valueOf(info as TensorInfo, trace))
  const body = bodyOf(backend, given, attributes)
  const length = given[carries]!.shape[0]!
  const types = body.outputs.map(({ dtype, shape }, i) => ({ dtype, shape: i < carries ? shape : [length, ...shape] }))
  const directions = (count: number) => ({ ints: Array<number>(count).fill(reverse ? 1 : 0) })
  const made = trace.builder.nodes('Scan', given, types, {
    attributes: {
      body: { body },
      num_scan_inputs: { int: scanned },
      scan_input_directions: directions(scanned),
      scan_output_directions: directions(types.length - carries),
    },
  })
  return made.map((value) => backend.symbol(value, trace))
}

/**
 * Registers a kernel that runs a step for each slice of its inputs, with {@link ScanAttributes} as attributes: it becomes one `Scan` operation,
 * so that the graph does not grow with the number of steps. Outputs are the last carries, then the outputs of all steps, stacked along a
 * new first axis, in the order of the inputs.
 */
export function registerScanKernel(kernelName: string): void {
  graphBackend()
  if (getKernel(kernelName, BACKEND) != null) return
  registerKernel({ kernelName, backendName: BACKEND, kernelFunc: (call) => lowerScan(call, kernelName) })
}
