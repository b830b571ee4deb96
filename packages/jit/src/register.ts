import { AttuneError } from '@attune/core'
import { type TensorInfo, getKernel, registerKernel } from '@tensorflow/tfjs-core'
import { BACKEND, type GraphBackend } from './backend.js'
import type { Value, Values } from './graph.js'
import { convolutions } from './lower/convolution.js'
import { elementwise } from './lower/elementwise.js'
import { images } from './lower/image.js'
import { indexing } from './lower/indexing.js'
import type { Call, Lowering, Lowerings } from './lower/lowering.js'
import { movements } from './lower/movement.js'
import { normalizations } from './lower/normalization.js'
import { pools } from './lower/pool.js'
import { products } from './lower/product.js'
import { reductions } from './lower/reduction.js'

const LOWERINGS: Lowerings = {
  ...elementwise,
  ...reductions,
  ...movements,
  ...products,
  ...indexing,
  ...convolutions,
  ...pools,
  ...images,
  ...normalizations,
}

/** Names of the TF.js kernels that can be compiled, sorted. */
export const kernelNames: readonly string[] = Object.keys(LOWERINGS).sort()

/** Kernels that return their input unchanged also work outside of compiled functions. */
const PASSING: Readonly<Record<string, string>> = { Identity: 'x', Reshape: 'x', ExpandDims: 'input' }

type KernelCall = Parameters<NonNullable<ReturnType<typeof getKernel>>['kernelFunc']>[0]

/** Kernel call with inputs as values of the graph. */
function callOf({ inputs, attrs }: KernelCall, backend: GraphBackend): Call {
  const trace = backend.activeTrace!
  const valueOf = (info: TensorInfo): Value => backend.valueOf(info, trace)
  const given = Object.values(inputs).filter((info) => info != null)
  return {
    b: trace.builder,
    in: (name) => valueOf(inputs[name] as TensorInfo),
    maybe: (name) => (inputs[name] == null ? undefined : valueOf(inputs[name] as TensorInfo)),
    all: given.map((info) => valueOf(info as TensorInfo)),
    attr: <T>(name: string) => attrs?.[name] as T,
  }
}

function passOn(kernelName: string, { inputs, attrs }: KernelCall, backend: GraphBackend): TensorInfo {
  const source = inputs[PASSING[kernelName] ?? ''] as TensorInfo | undefined
  if (source === undefined)
    throw new AttuneError(
      'NOT_COMPILED',
      `${kernelName} is called outside of a compiled function, on a backend that only runs compiled functions`,
      'Call it inside of the compiled function, or select another TF.js backend first.',
    )
  backend.incRef(source.dataId)
  const size = source.shape.reduce((product, n) => product * n, 1)
  const at = attrs?.['dim'] as number | undefined
  const wanted = attrs?.['shape'] as number[] | undefined
  if (at !== undefined) return { ...source, shape: [...source.shape.slice(0, at), 1, ...source.shape.slice(at)] }
  const rest = wanted?.reduce((product, n) => (n === -1 ? product : product * n), 1) ?? 1
  return { ...source, shape: wanted?.map((n) => (n === -1 ? size / rest : n)) ?? source.shape }
}

const kernel =
  (name: string, lower: Lowering, backend: GraphBackend) =>
  (call: KernelCall): TensorInfo | TensorInfo[] => {
    const trace = backend.activeTrace
    if (trace === undefined) return passOn(name, call, backend)
    const result = lower(callOf(call, backend))
    return 'id' in result ? backend.symbol(result, trace) : result.map((value) => backend.symbol(value, trace))
  }

/** Registers the kernels of the backend, once. */
export function registerKernels(backend: GraphBackend): void {
  if (getKernel('Add', BACKEND) != null) return
  for (const [kernelName, lower] of Object.entries(LOWERINGS))
    registerKernel({ kernelName, backendName: BACKEND, kernelFunc: kernel(kernelName, lower, backend) as never })
}

/** A kernel that the host computes before each run from inputs of the compiled function, for example random numbers. */
export interface HostKernel {
  readonly kernelName: string
  /** Writes the output values, from the values of the inputs in the order in which the kernel names them. */
  compute(attributes: Readonly<Record<string, unknown>>, into: Float32Array, ...inputs: readonly Values[]): void
  /** Creates the output arrays of a graph, of these sizes, if the kernel prefers special ones. */
  readonly allocate?: (sizes: readonly number[]) => readonly Float32Array[]
}

/**
 * Registers a kernel whose values are inputs of the graph. Repeated calls share one input, as for dropout in layers
 * that gradient checkpointing computes again. Its own inputs must be inputs of the compiled function, and its
 * attributes must include the output's `shape`.
 */
export function registerHostKernel({ kernelName, compute, allocate }: HostKernel, backend: GraphBackend): void {
  if (getKernel(kernelName, BACKEND) != null) return
  registerKernel({
    kernelName,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs }) => {
      const trace = backend.activeTrace
      if (trace === undefined) return passOn(kernelName, { inputs, attrs: attrs!, backend }, backend)
      const from = Object.values(inputs).map((info) => backend.valueOf(info as TensorInfo, trace))
      const what = `${kernelName} ${JSON.stringify(attrs)}`
      const same = trace.hosted.find((each) => each.what === what && each.from.every((value, i) => value === from[i]))
      if (same !== undefined) return backend.symbol(same.value, trace)
      const value = trace.builder.input({ dtype: 'float32', shape: attrs!['shape'] as unknown as number[] })
      const own = (into: Float32Array, ...values: Values[]): void => compute(attrs as never, into, ...values)
      trace.hosted.push({ value, what, from, compute: own, allocate })
      return backend.symbol(value, trace)
    },
  })
}
