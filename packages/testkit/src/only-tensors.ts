import { jest } from '@jest/globals'
import { engine } from '@tensorflow/tfjs-core'

/** Runs a step that must not read tensors on the host: a compiling engine would treat such a value as a constant. */
export function onlyTensors<T>(step: () => T): T {
  const reading = jest.spyOn(engine().backend, 'readSync').mockImplementation(() => {
    throw new Error('a step must not read a tensor on the host')
  })
  try {
    return step()
  } finally {
    reading.mockRestore()
  }
}
