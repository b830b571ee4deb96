import { type KernelFunc, type TensorInfo, findBackend, getKernel } from '@tensorflow/tfjs-core'
import type { Call } from './kernel.js'

/** A backend that reads and writes whole arrays, as both here do. */
type ArrayBackend = {
  write(values: unknown, shape: readonly number[], dtype: string): object
  readSync(id: object): unknown
  disposeData(id: object): boolean
}

/** Copies a tensor to another backend. */
const copied = (tensor: TensorInfo, from: ArrayBackend, to: ArrayBackend): TensorInfo => ({
  ...tensor,
  dataId: to.write((from.readSync(tensor.dataId) as { slice(): unknown }).slice(), tensor.shape, tensor.dtype),
})

/** Copies the inputs of a kernel, which are named or, for kernels with any number of them, a list. */
function copiedInputs(inputs: Call['inputs'], from: ArrayBackend, to: ArrayBackend): Call['inputs'] {
  const copy = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(copy) : value == null ? value : copied(value as TensorInfo, from, to)
  if (Array.isArray(inputs)) return inputs.map(copy) as unknown as Call['inputs']
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, copy(value)])) as Call['inputs']
}

/** Runs a kernel of the JavaScript backend on copies of the inputs, and copies the results back. */
export const borrowed =
  (kernelFunc: KernelFunc) =>
  ({ inputs, attrs, backend }: Call): TensorInfo | TensorInfo[] => {
    const [device, host] = [backend as unknown as ArrayBackend, findBackend('cpu') as unknown as ArrayBackend]
    const given = copiedInputs(inputs, device, host)
    const held = Object.values(given).flat() as TensorInfo[]
    try {
      const results = kernelFunc({ inputs: given, attrs: attrs ?? {}, backend: host })
      held.push(...([results].flat() as TensorInfo[]))
      const moved = [results].flat().map((tensor) => copied(tensor as TensorInfo, host, device))
      return Array.isArray(results) ? moved : (moved[0] as TensorInfo)
    } finally {
      for (const tensor of held) if (tensor != null) host.disposeData(tensor.dataId)
    }
  }

/** Runs the JavaScript kernel of a name. */
export const runBorrowed = (kernelName: string, call: Call): TensorInfo =>
  borrowed(getKernel(kernelName, 'cpu').kernelFunc)(call) as TensorInfo
