import { jit } from '@attune/jit'
import { toDevice, toHost, release } from '@attune/nn'
import { type Tensor, matMul } from '@tensorflow/tfjs-core'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Device } from './choose-device.js'

/** True if onnxruntime-node has its CUDA library, which is installed separately. */
function hasCuda(): boolean {
  const jitsRequire = createRequire(createRequire(import.meta.url).resolve('@attune/jit'))
  const folder = dirname(jitsRequire.resolve('onnxruntime-node/package.json'))
  return readdirSync(join(folder, 'bin'), { recursive: true }).some((file) =>
    String(file).includes('onnxruntime_providers_cuda'),
  )
}

/** The message of ONNX Runtime without the source location in front of it. */
const reasonOf = ({ message }: Error): string => message.split('\n')[0]!.replace(/^.* was false\. /, '')

/** Runs a small graph on a device; returns the reason why it does not work, or undefined if the result is right. */
export async function obstacleOn(device: Device): Promise<string | undefined> {
  // Without the library, ONNX Runtime would also print errors, even for users who let the engine choose.
  if (device === 'cuda' && !hasCuda()) return "onnxruntime-node's library for CUDA is not installed"
  const square = jit((x: Tensor) => matMul(x, x), { providers: [device] })
  const x = toDevice({ shape: [2, 2], dtype: 'float32', values: Float32Array.of(1, 2, 3, 4) })
  try {
    const result = square(x)
    const { values } = await toHost(result)
    release(result)
    return values.join() === '7,10,15,22' ? undefined : `expected the result 7,10,15,22, got ${values.join()}`
  } catch (error) {
    const { cause = error } = error as Error
    return reasonOf(cause as Error)
  } finally {
    release(x)
    square.dispose()
  }
}
