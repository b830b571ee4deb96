import { AttuneError } from '@attune/core'
import { type TensorInfo, type getKernel, util } from '@tensorflow/tfjs-core'
import type { GraphBackend } from './backend.js'
import { sizeOf } from './graph.js'

/** Arguments of a TF.js kernel. */
export type KernelCall = Parameters<NonNullable<ReturnType<typeof getKernel>>['kernelFunc']>[0]

/** Type of the output of a kernel; undefined if it does not return the values of its input. */
type OutputOf = (input: TensorInfo, call: KernelCall) => Omit<TensorInfo, 'dataId'> | undefined

const same: OutputOf = ({ shape, dtype }) => ({ shape, dtype })

const reshaped: OutputOf = ({ shape, dtype }, { attrs }) => {
  const wanted = util.inferFromImplicitShape(attrs!['shape'] as number[], sizeOf(shape))
  util.assert(
    sizeOf(wanted) === sizeOf(shape),
    () => `The new shape (${wanted.join()}) has another number of elements than the old shape (${shape.join()})`,
  )
  return { shape: wanted, dtype }
}

const expanded: OutputOf = ({ shape, dtype }, { attrs }) => {
  const dim = attrs!['dim'] as number
  util.assert(
    Number.isInteger(dim) && dim >= -shape.length - 1 && dim <= shape.length,
    () => `Axis must be in the interval [${-shape.length - 1}, ${shape.length}], got ${dim}`,
  )
  const at = dim < 0 ? dim + shape.length + 1 : dim
  return { shape: [...shape.slice(0, at), 1, ...shape.slice(at)], dtype }
}

const converted: OutputOf = ({ shape, dtype }, { attrs }) => {
  const wanted = attrs!['dtype'] as unknown as TensorInfo['dtype']
  return util.hasEncodingLoss(dtype, wanted) ? undefined : { shape, dtype: wanted }
}

/** Input and output type of the kernels whose output has the values of their input. */
const PASSING: Readonly<Record<string, readonly [input: string, outputOf: OutputOf]>> = {
  Identity: ['x', same],
  Reshape: ['x', reshaped],
  ExpandDims: ['input', expanded],
  Cast: ['x', converted],
}

/** Names of these kernels. */
export const passingKernels: readonly string[] = Object.keys(PASSING)

/**
 * Output of a kernel that returns the values of its input, otherwise undefined. It refers to the same data, as on
 * TF.js' own backends, on which functions rely: it is valid until both tensors are disposed.
 */
export function passOn(kernelName: string, call: KernelCall, backend: GraphBackend): TensorInfo | undefined {
  const passing = PASSING[kernelName]
  if (passing === undefined) return undefined
  const [name, outputOf] = passing
  const input = call.inputs[name] as TensorInfo
  const output = outputOf(input, call)
  if (output === undefined) return undefined
  backend.incRef(input.dataId)
  return { dataId: input.dataId, ...output }
}

/** Error for a kernel that is called while no function is traced. */
export const notCompiled = (kernelName: string): AttuneError =>
  new AttuneError(
    'NOT_COMPILED',
    `${kernelName} is called outside of a compiled function, on a backend that only runs compiled functions`,
    'Call it inside of the compiled function, or select another TF.js backend first.',
  )
