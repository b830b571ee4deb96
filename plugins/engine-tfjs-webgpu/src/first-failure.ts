import { AttuneError } from '@attune/core'

/** The part of a WebGPU device that reports errors. */
export interface Device {
  addEventListener(type: 'uncapturederror', listener: (event: UncapturedError) => void): void
}
interface UncapturedError {
  readonly error: { readonly message: string }
  preventDefault(): void
}

/**
 * Listens for errors of a device, which does not throw when it rejects a command: it continues with wrong results. The returned
 * function throws from the first rejected command on.
 */
export function firstFailure(device: Device): () => void {
  let message: string | undefined
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault() // otherwise it is printed
    message ??= event.error.message.trim()
  })
  return () => {
    if (message === undefined) return
    throw new AttuneError(
      'ENGINE_FAILED',
      `engine tfjs-webgpu: the GPU rejected a command: ${message}`,
      'All results since then are wrong: use another engine (`npx attune doctor` shows which work here), and please report the message.',
    )
  }
}
