import { describe, expect, it } from '@jest/globals'
import type { AttuneError } from '@attune/core'
import { describeEngine } from '@attune/testkit'
import { env } from '@tensorflow/tfjs-core'
import { tfjsWebgpu } from './tfjs-webgpu.js'

const failure = await tfjsWebgpu()
  .start()
  .then(() => undefined)
  .catch((error: AttuneError) => error)

if (failure === undefined) {
  env().set('WEBGPU_CPU_FORWARD', false) // small tensors, and the suite's are small, would be computed by the processor
  describeEngine(tfjsWebgpu, { settlesAfter: 600 }) // TF.js keeps buffers, and Dawn commands, for a few hundred steps
} else
  describe('engine tfjs-webgpu', () => {
    it(`is not held to the contract of engines here: ${failure.problem}`, () => {
      expect(failure).toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    })
  })
