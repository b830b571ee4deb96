import '@tensorflow/tfjs'
import {
  ENGINE,
  type Engine,
  type HostArray,
  type HostTree,
  type OnDevice,
  type OnHost,
  type Tree,
  definePlugin,
  isHostArray,
  isTensor,
  leaves,
  mapTree,
} from '@attune/core'
import { BACKEND, type JitOptions, graphBackend, jit, registerHostKernel } from '@attune/jit'
import { DROPOUT_MASK, type MaskAttributes, maskValues } from '@attune/nn'
import { type DataType, type Tensor, enableProdMode, getBackend, memory, setBackend, tensor } from '@tensorflow/tfjs-core'
import { availableParallelism } from 'node:os'
import { z } from 'zod'

/** TF.js makes tensors on the backend that is current. */
const select = (): void => {
  if (getBackend() !== BACKEND) void setBackend(BACKEND) // done on return, because the backend is there already
}

/** The values are copied, here and in {@link read}, for what is computed later may be written over them. */
const put = <H extends HostTree>(tree: H): OnDevice<H> =>
  mapTree(tree, isHostArray, ({ values, shape, dtype }: HostArray) =>
    tensor(values.slice(), [...shape], dtype),
  ) as OnDevice<H>

async function read<T extends Tree>(tree: T): Promise<OnHost<T>> {
  const arrays = new Map<Tensor, HostArray>()
  for (const [, leaf] of leaves(tree, isTensor)) {
    const values = (await leaf.data<DataType>()) as HostArray['values'] // a copy already
    arrays.set(leaf, { shape: leaf.shape, dtype: leaf.dtype as HostArray['dtype'], values })
  }
  return mapTree(tree, isTensor, (leaf) => arrays.get(leaf)) as OnHost<T>
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
      release: (tree) => leaves(tree, isTensor).forEach(([, leaf]) => leaf.dispose()),
      live: () => memory().numTensors,
      close: () => Promise.resolve(),
    }
  },
})
export default onnxruntime
