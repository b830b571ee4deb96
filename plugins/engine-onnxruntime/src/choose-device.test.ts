import { describe, expect, it } from '@jest/globals'
import { type Device, chooseDevice } from './choose-device.js'

/** A machine on which these devices work; for the others the obstacle names the device. Records the devices asked for. */
function machine(...working: Device[]) {
  const asked: Device[] = []
  const obstacle = async (device: Device): Promise<string | undefined> => {
    asked.push(device)
    return Promise.resolve(working.includes(device) ? undefined : `no driver for ${device}`)
  }
  return { asked, obstacle }
}

describe('chooseDevice', () => {
  it('returns the CPU without a trial', async () => {
    const { asked, obstacle } = machine()
    expect(await chooseDevice('cpu', obstacle)).toEqual({ device: 'cpu' })
    expect(asked).toEqual([])
  })

  it('returns CUDA for auto where it works', async () => {
    expect(await chooseDevice('auto', machine('cuda', 'webgpu').obstacle)).toEqual({ device: 'cuda' })
  })

  it('returns the CPU otherwise, with the reason, and does not consider WebGPU', async () => {
    const { asked, obstacle } = machine('webgpu')
    expect(await chooseDevice('auto', obstacle)).toEqual({ device: 'cpu', because: 'no CUDA: no driver for cuda' })
    expect(asked).toEqual(['cuda'])
  })

  it.each(['cuda', 'webgpu'] as const)('returns %s if it is named and works', async (device) => {
    expect(await chooseDevice(device, machine(device).obstacle)).toEqual({ device })
  })

  it.each([
    ['cuda', /CUDA 12 and cuDNN 9.*`ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node.*`device: cpu`/],
    ['webgpu', /driver of the GPU \(Vulkan, Metal or Direct3D 12\).*`device: cpu`/],
  ] as const)('throws, without fallback, if %s is named and does not work', async (device, remedy) => {
    await expect(chooseDevice(device, machine('cpu').obstacle)).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem: `engine onnxruntime: \`device: ${device}\` does not work here: no driver for ${device}`,
      remedy: expect.stringMatching(remedy),
    })
  })
})
