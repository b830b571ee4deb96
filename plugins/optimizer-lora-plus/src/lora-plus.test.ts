import { readFileSync } from 'node:fs'
import { OPTIMIZER, definePlugin } from '@attune/core'
import { addDecayedWeights, chain, scaleByAdam, scaleByLearningRate } from '@attune/nn'
import { type OptimizerGolden, describeOptimizer, goldenDeviation, referenceEngine } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { z } from 'zod'
import { loraPlus } from './lora-plus.js'

const read = (name: string) => JSON.parse(readFileSync(`golden/${name}.json`, 'utf8')) as OptimizerGolden

describeOptimizer(loraPlus, {
  golden: read('peft-lora-plus'),
  minimizes: { parabola: { learningRate: 0.02, steps: 100 } },
})

/** The chain of AdamW and LoRA+. */
const adamwLoraPlus = definePlugin({
  kind: OPTIMIZER,
  name: 'adamw-lora-plus',
  summary: 'AdamW with LoRA+',
  options: z.strictObject({ ratio: z.number(), weightDecay: z.number() }),
  create: ({ ratio, weightDecay }) =>
    chain(scaleByAdam(0.9, 0.999, 1e-8), addDecayedWeights(weightDecay), scaleByLearningRate(), loraPlus({ ratio })),
})

it('matches create_loraplus_optimizer of peft with AdamW within 1e-5', async () => {
  const [engine, golden] = [referenceEngine(), read('peft-lora-plus-adamw')]
  await engine.start()
  for (const example of golden.cases)
    expect(await goldenDeviation(engine, adamwLoraPlus, golden, example)).toBeLessThan(1e-5)
  await engine.close()
})
