import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { key } from '@attune/core'
import { normal } from '@attune/nn'
import { referenceEngine, tinyModel } from '@attune/testkit'
import { trainAddedRows } from './added-tokens.js'

const engine = referenceEngine()
beforeAll(() => engine.start())
afterAll(() => engine.close())

const added = { names: ['words.weight'], saved: 3 }

it('trains the added rows of a frozen table, and no others', () => {
  const frozen = { 'words.weight': normal(key(1), [5, 2], 1), other: normal(key(2), [2], 1) }
  const { trainable, masks, ...rest } = trainAddedRows(engine, { model: tinyModel(), trainable: {}, frozen }, added)
  expect(Object.keys(trainable)).toEqual(['words.weight'])
  expect(Object.keys(rest.frozen)).toEqual(['other'])
  expect([...masks!['words.weight']!.dataSync()]).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
})

it('throws ADAPTER_MISMATCH if the adapter stores the table in another form', () => {
  const frozen = { 'words.weight.nf4': normal(key(1), [5, 2], 1) }
  const attempt = () => trainAddedRows(engine, { model: tinyModel(), trainable: {}, frozen }, added)
  expect(attempt).toThrow(expect.objectContaining({ code: 'ADAPTER_MISMATCH' }) as never)
  expect(attempt).toThrow('words.weight')
})
