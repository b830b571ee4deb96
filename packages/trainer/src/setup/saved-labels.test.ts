import { describe, expect, it } from '@jest/globals'
import { inSavedOrder, inSavedRanks, savedLabels } from './saved-labels.js'

const labels = (...names: string[]): Record<string, string> => Object.fromEntries(names.entries())
const named = (...names: string[]) => ({ names, problem: undefined })

describe('savedLabels', () => {
  it.each([
    ['id2label', { id2label: labels('b', 'a') }, ['b', 'a']],
    ['id2label in any order of its keys', { id2label: { '1': 'a', '0': 'b' } }, ['b', 'a']],
    ['label2id alone', { label2id: { a: 1, b: 0 } }, ['b', 'a']],
    ['id2label next to placeholders', { id2label: labels('b', 'a'), label2id: { LABEL_0: 0, LABEL_1: 1 } }, ['b', 'a']],
    ['no names for placeholders', { id2label: labels('LABEL_0', 'LABEL_1') }, undefined],
    ['no names for repeated labels', { id2label: labels('a', 'a') }, undefined],
    ['no names for missing class ids', { id2label: { '0': 'a', '2': 'b' } }, undefined],
    ['no names for other content', { id2label: ['a', 'b'], label2id: 'a' }, undefined],
  ])('returns %s', (_, config, names) => expect(savedLabels(config, 'here').names).toEqual(names))

  it('rejects a configuration whose maps disagree', () => {
    const config = { id2label: labels('a', 'b'), label2id: { a: 1, b: 0 } }
    expect(() => savedLabels(config, 'here')).toThrow(expect.objectContaining({ code: 'BAD_MODEL_FOLDER' }))
  })
})

describe('inSavedOrder', () => {
  it.each([
    ['the saved order', ['a', 'b'], named('b', 'a'), ['b', 'a']],
    ['saved labels without examples', ['a'], named('c', 'b', 'a'), ['c', 'b', 'a']],
    ['new labels last', ['a', 'b', 'z'], named('b', 'a'), ['b', 'a', 'z']],
    ['labels with no saved one unchanged', ['x', 'y'], named('b', 'a'), ['x', 'y']],
    ['class ids by number', ['0', '1', '10', '2'], { names: undefined, problem: undefined }, ['0', '1', '2', '10']],
  ])('returns %s', (_, learned, saved, expected) => expect(inSavedOrder(learned, saved)).toEqual(expected))
})

it('inSavedRanks returns the saved ranks if they have all labels, otherwise the learned ones', () => {
  expect(inSavedRanks(['1', '2'], ['2', '3', '1'])).toEqual(['2', '3', '1'])
  expect(inSavedRanks(['1', '2', '4'], ['2', '3', '1'])).toEqual(['1', '2', '4'])
})
