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
  env().set('WEBGPU_CPU_FORWARD', false) // otherwise small tensors, as in the suite, are computed on the CPU
  describeEngine(tfjsWebgpu, { settlesAfter: 600 }) // TF.js pools buffers and Dawn pools commands for a few hundred steps
} else
  describe('engine tfjs-webgpu', () => {
    it(`throws ENGINE_UNAVAILABLE: ${failure.problem}`, () => {
      expect(failure).toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    })
  })
