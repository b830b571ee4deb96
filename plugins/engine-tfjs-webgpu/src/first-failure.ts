import { AttuneError } from '@attune/core'

/** The part of a WebGPU device that tells what went wrong on it. */
export interface Device {
  addEventListener(type: 'uncapturederror', listener: (event: UncapturedError) => void): void
}
interface UncapturedError {
  readonly error: { readonly message: string }
  preventDefault(): void
}

/**
 * Listens to a device, which does not throw when it refuses a command: it goes on, and what is read afterwards is not what was
 * computed. The function that is returned throws from the first refusal on.
 */
export function firstFailure(device: Device): () => void {
  let message: string | undefined
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault() // it would be printed
    message ??= event.error.message.trim()
  })
  return () => {
    if (message === undefined) return
    throw new AttuneError(
      'ENGINE_FAILED',
      `engine tfjs-webgpu: the GPU refused a command: ${message}`,
      'Nothing computed since then is right: run on another engine (`attune doctor` shows which work here), and please report the message.',
    )
  }
}
