import { describe, expect, it, jest } from '@jest/globals'
import { type Device, firstFailure } from './first-failure.js'

/** A device, and a function that makes it reject a command. */
function failingDevice() {
  const listeners: Parameters<Device['addEventListener']>[1][] = []
  const reject = (message: string) => {
    const preventDefault = jest.fn()
    for (const listener of listeners) listener({ error: { message }, preventDefault })
    return preventDefault
  }
  const device: Device = { addEventListener: (_, listener) => void listeners.push(listener) }
  return { device, reject }
}

describe('firstFailure', () => {
  it('does not throw while the device accepts all commands', () =>
    expect(firstFailure(failingDevice().device)).not.toThrow())

  it('throws the first failure at every call, and keeps it from being printed', () => {
    const { device, reject } = failingDevice()
    const check = firstFailure(device)
    expect(reject(' too many buffers\n')).toHaveBeenCalled()
    reject('a consequence of it')
    for (let i = 0; i < 2; i++)
      expect(check).toThrow(
        expect.objectContaining({
          code: 'ENGINE_FAILED',
          problem: 'engine tfjs-webgpu: the GPU rejected a command: too many buffers',
        }),
      )
  })
})
