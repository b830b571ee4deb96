import { AttuneError } from '@attune/core'

/** Where ONNX Runtime can compute. */
export type Device = 'cpu' | 'webgpu' | 'cuda'

/** A device, and in words why it is not the one that would be best. */
export interface DeviceChoice {
  readonly device: Device
  readonly because?: string
}

const REMEDIES: Readonly<Record<Exclude<Device, 'cpu'>, string>> = {
  webgpu: 'Install the driver of the GPU (Vulkan, Metal or Direct3D 12)',
  cuda: 'Install CUDA 12 and cuDNN 9, and with `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node --ignore-scripts=false` what ONNX Runtime needs for them, which exists for Linux on x64 only',
}

/**
 * The device to compute on. One that is named is taken or refused, never replaced. `auto` is CUDA where it works, else the
 * processor; never WebGPU, since ONNX Runtime does not say whether its adapter is a GPU or a program that stands in for one,
 * tens of times more slowly than the processor's own kernels.
 * @param obstacle why a device cannot be used here, as far as it can be said in a line; nothing if it can
 * @throws AttuneError `ENGINE_UNAVAILABLE` where a named device does not work.
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
    `${REMEDIES[wanted]}; or compute on the processor with \`device: cpu\`.`,
  )
}
