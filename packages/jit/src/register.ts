import { AttuneError, isAttuneError } from '@attune/core'
import { type TensorInfo, getKernel, registerKernel } from '@tensorflow/tfjs-core'
import { BACKEND, type GraphBackend, graphBackend } from './backend.js'
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
import { type KernelCall, notCompiled, passOn, passingKernels } from './pass-on.js'

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
export const kernelNames: readonly string[] = [...new Set([...Object.keys(LOWERINGS), ...passingKernels])].sort()

/** Backend of a call. Another one than that of earlier calls if TF.js' engine was reset in between. */
export const backendOf = ({ backend }: KernelCall): GraphBackend => backend as unknown as GraphBackend

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

/** Calls `run`; errors about the arguments, which TF.js' functions throw, get a code. */
function refusing<T>(kernelName: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (isAttuneError(error) || !(error instanceof Error) || error instanceof TypeError) throw error
    throw new AttuneError(
      'BAD_ARGUMENT',
      `${kernelName}: ${error.message}`,
      'Correct the arguments of the operation.',
      {
        cause: error,
      },
    )
  }
}

const kernel =
  (name: string, lower: Lowering | undefined) =>
  (call: KernelCall): TensorInfo | TensorInfo[] => {
    const backend = backendOf(call)
    const trace = backend.activeTrace
    const passed = refusing(name, () => passOn(name, call, backend))
    if (passed !== undefined) return passed
    if (trace === undefined || lower === undefined) throw notCompiled(name)
    const result = refusing(name, () => lower(callOf(call, backend)))
    return 'id' in result ? backend.symbol(result, trace) : result.map((value) => backend.symbol(value, trace))
  }

/** Registers the backend and its kernels, once. */
export function registerKernels(): void {
  graphBackend()
  if (getKernel('Add', BACKEND) != null) return
  for (const kernelName of kernelNames)
    registerKernel({ kernelName, backendName: BACKEND, kernelFunc: kernel(kernelName, LOWERINGS[kernelName]) as never })
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
export function registerHostKernel({ kernelName, compute, allocate }: HostKernel): void {
  graphBackend()
  if (getKernel(kernelName, BACKEND) != null) return
  registerKernel({
    kernelName,
    backendName: BACKEND,
    kernelFunc: (call) => {
      const { inputs, attrs } = call
      const backend = backendOf(call)
      const trace = backend.activeTrace
      if (trace === undefined) throw notCompiled(kernelName)
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
