// @ts-check
import { isAttuneError } from '@attune/core'
import { BACKEND, jit, kernelNames } from '@attune/jit'
import { engine, getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core'

/** Kernels with a list of outputs. */
const SEVERAL = ['SplitV', 'Unpack', 'TopK']

/** @typedef {Parameters<import('@tensorflow/tfjs-core').KernelFunc>[0]} Call */

/** Tensor that refers to the same values. @param {import('@tensorflow/tfjs-core').TensorInfo} info */
function shared({ dataId, shape, dtype }) {
  const backend = /** @type {import('@tensorflow/tfjs-core').KernelBackend} */ (
    engine().state.tensorInfo.get(dataId)?.backend
  )
  backend.incRef(dataId)
  return engine().makeTensorFromTensorInfo({ dataId, shape, dtype }, backend)
}

/** Runs one kernel as a compiled function. @param {string} kernelName @param {Call} call */
function runCompiled(kernelName, { inputs, attrs }) {
  const given = Object.fromEntries(
    Object.entries(inputs).flatMap(([name, info]) => (info == null ? [] : [[name, shared(info)]])),
  )
  const compiled = jit(
    (tensors) =>
      Object.fromEntries([engine().runKernel(kernelName, tensors, attrs)].flat().map((each, i) => [i, each])),
    { threads: 1 },
  )
  /** @type {import('@tensorflow/tfjs-core').Tensor[]} */
  let results = []
  try {
    results = Object.values(compiled(given))
    return SEVERAL.includes(kernelName) ? results : results[0]
  } finally {
    compiled.dispose()
    for (const tensor of Object.values(given)) if (!results.includes(tensor)) tensor.dispose()
  }
}

/**
 * Replaces each kernel of the backend of `@attune/jit` by one that compiles and runs itself when it is called outside of a compiled
 * function, where the backend refuses it. @returns the name of the backend
 */
export function compileEachKernel() {
  jit((x) => x) // registers the backend
  for (const kernelName of kernelNames) {
    const kernel = getKernel(kernelName, BACKEND)
    unregisterKernel(kernelName, BACKEND)
    registerKernel({
      ...kernel,
      kernelFunc(call) {
        try {
          return kernel.kernelFunc(call)
        } catch (error) {
          if (isAttuneError(error) && error.code === 'NOT_COMPILED') return runCompiled(kernelName, call)
          throw error
        }
      },
    })
  }
  return BACKEND
}
