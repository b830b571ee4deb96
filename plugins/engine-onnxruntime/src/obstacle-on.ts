import { jit } from '@attune/jit'
import { toDevice, toHost, release } from '@attune/nn'
import { type Tensor, matMul } from '@tensorflow/tfjs-core'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Device } from './choose-device.js'

/** Whether onnxruntime-node has its library for CUDA, which comes apart from it. */
function hasCuda(): boolean {
  const jitsRequire = createRequire(createRequire(import.meta.url).resolve('@attune/jit'))
  const folder = dirname(jitsRequire.resolve('onnxruntime-node/package.json'))
  return readdirSync(join(folder, 'bin'), { recursive: true }).some((file) =>
    String(file).includes('onnxruntime_providers_cuda'),
  )
}

/** What ONNX Runtime says, without the place in its source where it says so. */
const reasonOf = ({ message }: Error): string => message.split('\n')[0]!.replace(/^.* was false\. /, '')

/** Runs a small graph on a device: what stands in the way, or nothing if it gives the right numbers. */
export async function obstacleOn(device: Device): Promise<string | undefined> {
  // Tried without it, ONNX Runtime prints errors besides, also for those who have left the choice to the engine.
  if (device === 'cuda' && !hasCuda()) return "onnxruntime-node's library for CUDA is not installed"
  const square = jit((x: Tensor) => matMul(x, x), { providers: [device] })
  const x = toDevice({ shape: [2, 2], dtype: 'float32', values: Float32Array.of(1, 2, 3, 4) })
  try {
    const result = square(x)
    const { values } = await toHost(result)
    release(result)
    return values.join() === '7,10,15,22' ? undefined : `it computes ${values.join()} where 7,10,15,22 is right`
  } catch (error) {
    return reasonOf(error as Error)
  } finally {
    release(x)
    square.dispose()
  }
}
