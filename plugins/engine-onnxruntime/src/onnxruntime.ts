import '@tensorflow/tfjs'
import { ENGINE, type Engine, type HostArray, definePlugin } from '@attune/core'
import {
  BACKEND,
  type HostKernel,
  type JitOptions,
  type CompiledFunction,
  type PureFunction,
  graphBackend,
  jit,
  registerHalfRows,
  registerHostKernel,
  registerScanKernel,
  registerNf4Product,
} from '@attune/jit'
import {
  DROPOUT_MASK,
  HALF_ROWS,
  type MaskAttributes,
  NF4_PRODUCT,
  NOISE,
  type NoiseAttributes,
  SCAN,
  maskArrays,
  maskValues,
  noiseValues,
  toDevice,
  toHost,
  release,
} from '@attune/nn'
import { type Tensor, enableProdMode, getBackend, memory, setBackend } from '@tensorflow/tfjs-core'
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { type DeviceChoice, chooseDevice } from './choose-device.js'
import { obstacleOn } from './obstacle-on.js'

/** Selects the backend: TF.js creates tensors on the current one. */
const select = (): void => {
  if (getBackend() !== BACKEND) void setBackend(BACKEND) // done on return, because the backend is there already
}

/** The backend's array for a tensor, not copied. */
const held = (tensor: Tensor): HostArray['values'] | undefined =>
  graphBackend().held(tensor) as HostArray['values'] | undefined

const dropoutMask: HostKernel = {
  kernelName: DROPOUT_MASK,
  compute: (attributes, into, seed) => void maskValues(seed!, attributes as unknown as MaskAttributes, into),
  allocate: maskArrays,
}

const noise: HostKernel = {
  kernelName: NOISE,
  compute: (attributes, into, seed) => void noiseValues(seed!, attributes as unknown as NoiseAttributes, into),
}

/** Registers the kernels that read packed weights. */
function registerPackedWeights(): void {
  registerNf4Product(NF4_PRODUCT)
  registerHalfRows(HALF_ROWS)
}

/** Describes a choice. ONNX Runtime does not report whether WebGPU's adapter is a GPU or a software renderer. */
function wordsOf({ device, because }: DeviceChoice, threads: number): string {
  if (device === 'webgpu') return 'ONNX Runtime through WebGPU'
  if (device === 'cuda') return 'ONNX Runtime on the GPU, through CUDA'
  const words = `ONNX Runtime on the CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
  return because === undefined ? words : `${words} (${because})`
}

/**
 * The compiled engine: the step, including gradients and optimizer, is traced once per shape of its arguments into an ONNX graph,
 * which ONNX Runtime executes natively on all CPU cores or on a GPU. On the CPU, the graphs of several shapes share one session.
 */
export const onnxruntime = definePlugin({
  kind: ENGINE,
  name: 'onnxruntime',
  summary: 'Compiles the training step and runs it natively with ONNX Runtime',
  options: z.strictObject({
    device: z
      .enum(['cpu', 'webgpu', 'cuda', 'auto'])
      .default('cpu')
      .describe('Device to compute on; `auto` is CUDA where it works, else the CPU'),
    threads: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe('Threads per operation on the CPU. Default: the number of cores'),
  }),
  create: ({ device, threads = availableParallelism() }): Engine => {
    let options: JitOptions = { threads }
    let words = 'ONNX Runtime'
    const compiled = new Set<CompiledFunction<PureFunction>>()
    return {
      get device() {
        return words
      },
      get launchBound() {
        return options.providers?.[0] !== 'cpu'
      },
      async start() {
        enableProdMode() // otherwise TF.js prints a recommendation of tfjs-node
        registerHostKernel(dropoutMask)
        registerHostKernel(noise)
        registerScanKernel(SCAN)
        select()
        const choice = await chooseDevice(device, obstacleOn)
        if (choice.device === 'cpu') registerPackedWeights()
        options = { threads, providers: [choice.device] }
        words = wordsOf(choice, threads)
      },
      compile(fn, how = {}) {
        const made = jit(fn, { ...options, ...how })
        const { dispose } = made
        compiled.add(made)
        return Object.assign(made, { dispose: () => (compiled.delete(made), dispose()) })
      },
      put: (tree) => (select(), toDevice(tree)),
      read: (tree) => toHost(tree, held),
      release,
      live: () => memory().numTensors,
      close() {
        for (const each of compiled) each.dispose()
        compiled.clear()
        return Promise.resolve()
      },
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'engine onnxruntime': typeof onnxruntime
  }
}

export default onnxruntime
