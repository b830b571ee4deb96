import { expect, it } from '@jest/globals'
import { key } from '@attune/core'
import { describeModel, readModelGoldens, referenceEngine } from '@attune/testkit'
import { gpt2 } from './gpt2.js'

const goldens = readModelGoldens(gpt2, 'golden')
const options = { ...goldens['lm']!.options, residPdrop: 0.1, attnPdrop: 0.1 }

describeModel(gpt2, { options, goldens: Object.values(goldens) })

it('initializes the output projections of the residual stream with smaller weights, as in the paper', async () => {
  const engine = referenceEngine()
  await engine.start()
  const wide = { ...options, nEmbd: 64, nLayer: 8 }
  const params = await engine.read(gpt2(wide).init(key(1)))
  const deviation = (name: string): number => {
    const { values } = params[`transformer.h.3.${name}.weight`] as never as { values: Float32Array }
    return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length)
  }
  // The relative standard deviation of a deviation estimated from n numbers is 1/√(2n): 1.1 % for the 4,096 of the smallest.
  expect(deviation('attn.c_attn') / 0.02).toBeCloseTo(1, 1)
  expect(deviation('attn.c_proj') / (0.02 / 4)).toBeCloseTo(1, 1)
  expect(deviation('mlp.c_proj') / (0.02 / 4)).toBeCloseTo(1, 1)
  await engine.close()
})

it('rejects a hidden size that is not a multiple of the number of heads', () => {
  expect(() => gpt2({ nEmbd: 30, nHead: 4 })).toThrow(
    expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining('nEmbd') }),
  )
})
