import { readFileSync } from 'node:fs'
import { type OptimizerGolden, describeOptimizer, goldenDeviation, referenceEngine } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { sophia } from './sophia.js'

const read = (name: string) => JSON.parse(readFileSync(`golden/${name}.json`, 'utf8')) as OptimizerGolden

describeOptimizer(sophia, { golden: read('pytorch_optimizer-sophia') })

const sampled = read('sophia-g')

it.each(sampled.cases)('matches ten steps of Sophia-G of its authors for $options', async (example) => {
  const engine = referenceEngine()
  await engine.start()
  expect(await goldenDeviation(engine, sophia, sampled, example)).toBeLessThan(1e-5)
  await engine.close()
})
