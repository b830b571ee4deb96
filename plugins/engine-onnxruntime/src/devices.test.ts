import { describe, expect, it } from '@jest/globals'
import type { AttuneError } from '@attune/core'
import { describeEngine } from '@attune/testkit'
import { onnxruntime } from './onnxruntime.js'

const started = async (device: 'webgpu' | 'cuda' | 'auto'): Promise<AttuneError | undefined> =>
  onnxruntime({ device })
    .start()
    .then(() => undefined)
    .catch((error: AttuneError) => error)

for (const device of ['webgpu', 'cuda'] as const) {
  const failure = await started(device)
  describe(`with device: ${device}`, () => {
    if (failure === undefined) return describeEngine(onnxruntime, { options: { device } })
    it(`throws ENGINE_UNAVAILABLE: ${failure.problem}`, () => {
      expect(failure).toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
      expect(failure.remedy).toMatch(/`device: cpu`\.$/)
    })
  })
}

describe('with device: auto', () => {
  it('works everywhere, on CUDA where that works, and reports the device', async () => {
    const engine = onnxruntime({ device: 'auto' })
    await engine.start()
    const onGpu = (await started('cuda')) === undefined
    expect(engine.device).toMatch(onGpu ? /through CUDA$/ : /CPU.*\(no CUDA: .+\)$/)
    expect(engine.launchBound).toBe(onGpu)
  })
})
