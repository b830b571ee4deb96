import { engine } from '@tensorflow/tfjs-core'
import { replaceMethod } from './replace-method.js'

/**
 * Runs a step that must not read tensors on the host: a compiling engine would treat such a value as a constant. Kernels of the reference
 * engine run on the host and may read their inputs.
 */
export function onlyTensors<T>(step: () => T): T {
  const restore = replaceMethod(engine(), 'readSync', () => {
    throw new Error('a step must not read a tensor on the host')
  })
  try {
    return step()
  } finally {
    restore()
  }
}
