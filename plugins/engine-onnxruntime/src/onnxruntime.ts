import '@tensorflow/tfjs'
import { ENGINE, type Engine, definePlugin } from '@attune/core'
import { BACKEND, type JitOptions, graphBackend, jit, registerHostKernel } from '@attune/jit'
import { DROPOUT_MASK, type MaskAttributes, maskValues, put, read, release } from '@attune/nn'
import { enableProdMode, getBackend, memory, setBackend } from '@tensorflow/tfjs-core'
import { availableParallelism } from 'node:os'
import { z } from 'zod'

/** TF.js makes tensors on the backend that is current. */
const select = (): void => {
  if (getBackend() !== BACKEND) void setBackend(BACKEND) // done on return, because the backend is there already
}

/**
 * The compiled engine: the step is traced once for each shape of its arguments into an ONNX graph, gradients and optimizer
 * included, and ONNX Runtime runs it with native code on all cores.
 */
export const onnxruntime = definePlugin({
  kind: ENGINE,
  name: 'onnxruntime',
  summary: 'Compiles the training step and runs it natively with ONNX Runtime',
  options: z.strictObject({
    threads: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe('Threads that share an operation; as many as there are cores when absent'),
  }),
  create: ({ threads = availableParallelism() }): Engine => {
    const options: JitOptions = { threads }
    return {
      device: `ONNX Runtime on the processor, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      start() {
        enableProdMode() // without it TF.js prints an advertisement of tfjs-node
        const backend = graphBackend()
        registerHostKernel(
          {
            kernelName: DROPOUT_MASK,
            compute: (attributes, into, seed) => void maskValues(seed!, attributes as unknown as MaskAttributes, into),
          },
          backend,
        )
        select()
        return Promise.resolve()
      },
      compile: (fn, { donate = [] } = {}) => jit(fn, { ...options, donate }),
      put: (tree) => (select(), put(tree)),
      read,
      release,
      live: () => memory().numTensors,
      close: () => Promise.resolve(),
    }
  },
})
export default onnxruntime
