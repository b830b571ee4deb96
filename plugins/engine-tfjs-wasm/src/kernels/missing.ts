import {
  type KernelConfig,
  type KernelFunc,
  type TensorInfo,
  findBackend,
  getKernel,
  getKernelsForBackend,
  registerKernel,
} from '@tensorflow/tfjs-core'
import type { Call } from './kernel.js'

/** A backend that reads and writes whole arrays, as both here do. */
type ArrayBackend = {
  write(values: unknown, shape: readonly number[], dtype: string): object
  readSync(id: object): unknown
  disposeData(id: object): boolean
}

/** Runs a kernel of the JavaScript backend on copies of the inputs, and copies the results back. */
const borrowed =
  (kernelFunc: KernelFunc) =>
  ({ inputs, attrs, backend }: Call): TensorInfo | TensorInfo[] => {
    const [device, host] = [backend as unknown as ArrayBackend, findBackend('cpu') as unknown as ArrayBackend]
    const move = (tensor: TensorInfo, from: ArrayBackend, to: ArrayBackend): TensorInfo => ({
      ...tensor,
      dataId: to.write((from.readSync(tensor.dataId) as { slice(): unknown }).slice(), tensor.shape, tensor.dtype),
    })
    const copies = Object.entries(inputs).map(([name, value]) => [
      name,
      Array.isArray(value)
        ? value.map((each: TensorInfo) => move(each, device, host))
        : move(value as TensorInfo, device, host),
    ])
    const given = Object.fromEntries(copies) as Call['inputs']
    const results = kernelFunc({ inputs: given, attrs: attrs ?? {}, backend: host })
    const moved = [results].flat().map((tensor) => move(tensor, host, device))
    for (const tensor of [Object.values(given), results].flat(2) as TensorInfo[]) host.disposeData(tensor.dataId)
    return Array.isArray(results) ? moved : (moved[0] as TensorInfo)
  }

/** Kernels whose data are not plain numbers and cannot be copied that way. */
const NOT_NUMBERS = /Complex|FFT|Imag|Real|Ragged|String|Draw/

/** Registers for the WebAssembly backend every numeric kernel that it lacks and the JavaScript backend has. */
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
