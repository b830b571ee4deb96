import { jest } from '@jest/globals'
import { engine } from '@tensorflow/tfjs-core'

/** What a step gives that brings no number to the host; an engine that compiles would take such a number for a constant. */
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
