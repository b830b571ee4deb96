import { replaceKernel } from '@attune/nn'
import type { TensorInfo } from '@tensorflow/tfjs-core'

/** Storage buffers per shader on every GPU (WebGPU, "limits", maxStorageBuffersPerShaderStage), less one for the result. */
const ADDED_AT_ONCE = 7

interface Backend {
  disposeData(dataId: object): void
}
type AddN = (call: { readonly inputs: readonly TensorInfo[]; readonly backend: Backend }) => TensorInfo

/** Adds up to seven tensors at a time, partial sums included. @param add the kernel, called with as many tensors as it supports */
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
 * Lets the backend add more tensors than a shader has buffers. TF.js binds one buffer per tensor in its shader; with too many the GPU
 * rejects it, and the result is uninitialized memory.
 */
export const splitSums = (): void => replaceKernel<AddN>('webgpu', 'AddN', inGroups)
