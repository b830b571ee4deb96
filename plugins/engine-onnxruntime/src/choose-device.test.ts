import { describe, expect, it } from '@jest/globals'
import { type Device, chooseDevice } from './choose-device.js'

/** A machine where these devices work; the others' obstacle is their name. What it was asked is noted. */
function machine(...working: Device[]) {
  const asked: Device[] = []
  const obstacle = async (device: Device): Promise<string | undefined> => {
    asked.push(device)
    return Promise.resolve(working.includes(device) ? undefined : `no driver for ${device}`)
  }
  return { asked, obstacle }
}

describe('chooseDevice', () => {
  it('takes the processor untried', async () => {
    const { asked, obstacle } = machine()
    expect(await chooseDevice('cpu', obstacle)).toEqual({ device: 'cpu' })
    expect(asked).toEqual([])
  })

  it('takes CUDA by itself where it works', async () => {
    expect(await chooseDevice('auto', machine('cuda', 'webgpu').obstacle)).toEqual({ device: 'cuda' })
  })

  it('takes the processor else, says why, and does not consider WebGPU', async () => {
    const { asked, obstacle } = machine('webgpu')
    expect(await chooseDevice('auto', obstacle)).toEqual({ device: 'cpu', because: 'no CUDA: no driver for cuda' })
    expect(asked).toEqual(['cuda'])
  })

  it.each(['cuda', 'webgpu'] as const)('takes %s where it is named and works', async (device) => {
    expect(await chooseDevice(device, machine(device).obstacle)).toEqual({ device })
  })

  it.each([
    ['cuda', /CUDA 12 and cuDNN 9.*`ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node.*`device: cpu`/],
    ['webgpu', /driver of the GPU \(Vulkan, Metal or Direct3D 12\).*`device: cpu`/],
  ] as const)('does not fall back where %s is named and does not work', async (device, remedy) => {
    await expect(chooseDevice(device, machine('cpu').obstacle)).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      problem: `engine onnxruntime: \`device: ${device}\` does not work here: no driver for ${device}`,
      remedy: expect.stringMatching(remedy),
    })
  })
})
