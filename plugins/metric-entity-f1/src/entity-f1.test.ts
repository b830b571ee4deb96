import { readFileSync } from 'node:fs'
import { type MetricGolden, describeMetric } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { entityF1 } from './entity-f1.js'

describeMetric(entityF1, {
  golden: JSON.parse(readFileSync('golden/seqeval-entity-f1.json', 'utf8')) as MetricGolden,
})

it('counts an entity of a truncated word as missed, and reads predictions and references of two schemes alike', () => {
  const metric = entityF1()
  const state = metric.add(
    metric.init(),
    [
      ['B-PER', 'E-PER', 'O'],
      ['S-LOC', ''],
    ],
    [
      ['B-PER', 'I-PER', 'O'],
      ['B-LOC', 'B-LOC'],
    ],
  )
  expect(metric.result(state)).toEqual({
    value: 0.8,
    parts: {
      LOC: { precision: 1, recall: 0.5, f1: 2 / 3, support: 2 },
      PER: { precision: 1, recall: 1, f1: 1, support: 1 },
    },
  })
})
