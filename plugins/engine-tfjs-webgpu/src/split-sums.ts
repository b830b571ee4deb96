import { replaceKernel } from '@attune/nn'
import type { TensorInfo } from '@tensorflow/tfjs-core'

/** Storage buffers that a shader may have on every GPU (WebGPU, "limits", maxStorageBuffersPerShaderStage); one is for the result. */
const ADDED_AT_ONCE = 7

interface Backend {
  disposeData(dataId: object): void
}
type AddN = (call: { readonly inputs: readonly TensorInfo[]; readonly backend: Backend }) => TensorInfo

/** Adds few tensors at a time, sums in their turn, until one is left. @param add the kernel that is given as many as it can take */
export function inGroups(add: AddN): AddN {
  return ({ inputs, backend }) => {
    let rest = [...inputs]
    let sum: TensorInfo | undefined
    do {
      const taken = rest.slice(0, sum === undefined ? ADDED_AT_ONCE : ADDED_AT_ONCE - 1)
      rest = rest.slice(taken.length)
      const next = add({ inputs: sum === undefined ? taken : [sum, ...taken], backend })
      if (sum !== undefined) backend.disposeData(sum.dataId)
      sum = next
    } while (rest.length > 0)
    return sum
  }
}

/**
 * Lets the backend add more tensors than a shader has buffers for. TF.js gives its shader a buffer for every tensor; the GPU
 * then refuses it, and what is read as the sum is whatever stood in memory.
 */
export const splitSums = (): void => replaceKernel<AddN>('webgpu', 'AddN', inGroups)
