import { AttuneError } from '@attune/core'

/** A device that ONNX Runtime can compute on. */
export type Device = 'cpu' | 'webgpu' | 'cuda'

/** A device, and the reason if it is not the preferred one. */
export interface DeviceChoice {
  readonly device: Device
  readonly because?: string
}

const REMEDIES: Readonly<Record<Exclude<Device, 'cpu'>, string>> = {
  webgpu: 'Install the driver of the GPU (Vulkan, Metal or Direct3D 12)',
  cuda: 'Install CUDA 12 and cuDNN 9, and the CUDA library of ONNX Runtime with `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node --ignore-scripts=false` (Linux x64 only)',
}

/**
 * The device to compute on. A named device is used or refused, never replaced. `auto` is CUDA where it works, else the CPU. It is
 * never WebGPU, since ONNX Runtime does not report whether its adapter is a GPU or a software renderer, which is tens of times
 * slower than the CPU kernels.
 * @param obstacle the reason in one line why a device cannot be used here, or undefined if it can
 * @throws AttuneError `ENGINE_UNAVAILABLE` if a named device does not work.
 */
export async function chooseDevice(
  wanted: Device | 'auto',
  obstacle: (device: Device) => Promise<string | undefined>,
): Promise<DeviceChoice> {
  if (wanted === 'cpu') return { device: wanted }
  const device = wanted === 'auto' ? 'cuda' : wanted
  const why = await obstacle(device)
  if (why === undefined) return { device }
  if (wanted === 'auto') return { device: 'cpu', because: `no CUDA: ${why}` }
  throw new AttuneError(
    'ENGINE_UNAVAILABLE',
    `engine onnxruntime: \`device: ${wanted}\` does not work here: ${why}`,
    `${REMEDIES[wanted]}; or use the CPU with \`device: cpu\`.`,
  )
}
