import { describe, expect, it, jest } from '@jest/globals'
import { type Device, firstFailure } from './first-failure.js'

/** A device, and what makes it refuse a command. */
function deviceThatRefuses() {
  const listeners: Parameters<Device['addEventListener']>[1][] = []
  const refuse = (message: string) => {
    const preventDefault = jest.fn()
    for (const listener of listeners) listener({ error: { message }, preventDefault })
    return preventDefault
  }
  const device: Device = { addEventListener: (_, listener) => void listeners.push(listener) }
  return { device, refuse }
}

describe('firstFailure', () => {
  it('is silent while the device refuses nothing', () => expect(firstFailure(deviceThatRefuses().device)).not.toThrow())

  it('throws what was refused first, again and again, and keeps it from being printed', () => {
    const { device, refuse } = deviceThatRefuses()
    const check = firstFailure(device)
    expect(refuse(' too many buffers\n')).toHaveBeenCalled()
    refuse('what follows from it')
    for (let i = 0; i < 2; i++)
      expect(check).toThrow(
        expect.objectContaining({
          code: 'ENGINE_FAILED',
          problem: 'engine tfjs-webgpu: the GPU refused a command: too many buffers',
        }),
      )
  })
})
