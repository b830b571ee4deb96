import {
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
  findBackend,
  getKernel,
} from '@tensorflow/tfjs-core'

/** Arguments of a kernel of a TF.js backend. */
export interface KernelCall {
  readonly inputs: NamedTensorInfoMap
  readonly attrs?: NamedAttrMap
  readonly backend: unknown
}

/** A backend that reads and writes whole arrays. */
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
function copiedInputs(inputs: NamedTensorInfoMap, from: ArrayBackend, to: ArrayBackend): NamedTensorInfoMap {
  const copy = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(copy) : value == null ? value : copied(value as TensorInfo, from, to)
  if (Array.isArray(inputs)) return inputs.map(copy) as unknown as NamedTensorInfoMap
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, copy(value)])) as NamedTensorInfoMap
}

/** Runs a kernel of the JavaScript backend on copies of the inputs, and copies the results back. */
export const borrowed =
  (kernelFunc: KernelFunc) =>
  ({ inputs, attrs, backend }: KernelCall): TensorInfo | TensorInfo[] => {
    const [device, host] = [backend as ArrayBackend, findBackend('cpu') as unknown as ArrayBackend]
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

/**
 * Runs a call of a kernel of one output with TF.js' JavaScript backend, on copies of its inputs: for calls that
 * another backend refuses or computes wrongly.
 */
export const runBorrowed = (kernelName: string, call: KernelCall): TensorInfo =>
  borrowed(getKernel(kernelName, 'cpu').kernelFunc)(call) as TensorInfo
