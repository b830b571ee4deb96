import {
  type KernelConfig,
  type KernelFunc,
  type TensorInfo,
  findBackend,
  getKernel,
  getKernelsForBackend,
  registerKernel,
} from '@tensorflow/tfjs-core'
import type { Call } from './replace-kernel.js'

/** A backend that takes and gives whole arrays, as both here do. */
type ArrayBackend = {
  write(values: unknown, shape: readonly number[], dtype: string): object
  readSync(id: object): { slice(): unknown }
  disposeData(id: object): boolean
}

/** Runs a kernel of the JavaScript backend on copies of the inputs, and copies the results back. */
const borrowed =
  (kernelFunc: KernelFunc) =>
  ({ inputs, attrs, backend }: Call): TensorInfo | TensorInfo[] => {
    const [device, host] = [backend as unknown as ArrayBackend, findBackend('cpu') as unknown as ArrayBackend]
    const onHost: TensorInfo[] = []
    const toHost = (tensor: TensorInfo): TensorInfo => {
      const copy = { ...tensor, dataId: host.write(device.readSync(tensor.dataId).slice(), tensor.shape, tensor.dtype) }
      onHost.push(copy)
      return copy
    }
    const toDevice = (tensor: TensorInfo): TensorInfo => ({
      ...tensor,
      dataId: device.write(host.readSync(tensor.dataId).slice(), tensor.shape, tensor.dtype),
    })
    try {
      const copies = Object.entries(inputs).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.map(toHost) : toHost(value as TensorInfo),
      ])
      const results = kernelFunc({
        inputs: Object.fromEntries(copies) as Call['inputs'],
        attrs: attrs ?? {},
        backend: host,
      })
      onHost.push(...[results].flat())
      return Array.isArray(results) ? results.map(toDevice) : toDevice(results)
    } finally {
      for (const { dataId } of onHost) host.disposeData(dataId)
    }
  }

/** Kernels whose data are not plain numbers, which cannot be copied across like that. */
const NOT_NUMBERS = /Complex|FFT|Imag|Real$|Ragged|String|Draw/

/** Gives the WebAssembly backend every numeric kernel that it lacks and the JavaScript one has. */
export function supplyMissing(): void {
  for (const { kernelName, kernelFunc } of getKernelsForBackend('cpu')) {
    if (getKernel(kernelName, 'wasm') != null || NOT_NUMBERS.test(kernelName)) continue
    registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: borrowed(kernelFunc) as unknown as KernelFunc,
    } satisfies KernelConfig)
  }
}
