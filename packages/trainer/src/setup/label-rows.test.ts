import { describe, expect, it } from '@jest/globals'
import { labelRows, requireEveryLabel, savedHead } from './label-rows.js'

const saved = (names: readonly string[] | undefined, problem?: string) => ({ names, problem })
const NEW = expect.stringContaining('newly initialized')
const NEW_IDS = expect.stringContaining('order of the configured labels')

describe('labelRows', () => {
  it.each([
    [
      'the saved rows in the order of the labels',
      ['a', 'b'],
      ['b', 'a'],
      2,
      [1, 0],
      [expect.stringContaining('reordered')],
    ],
    ['the saved rows as they are for the same labels', ['b', 'a'], ['b', 'a'], 2, [0, 1], []],
    ['a new row for a new label', ['b', 'a', 'z'], ['b', 'a'], 2, [0, 1, -1], [expect.stringContaining('only: z')]],
    ['no row for a label that is not used', ['a'], ['b', 'a'], 2, [1], [expect.stringContaining('not have: b')]],
    ['no rows for other labels', ['x', 'y'], ['b', 'a'], 2, undefined, [NEW]],
    ['no rows for labels without names', ['x', 'y'], undefined, 2, undefined, [NEW]],
    ['the rows of class ids', ['0', '1'], undefined, 2, [0, 1], []],
    ['no rows of a head of another size', ['a', 'b'], ['b', 'a'], 3, undefined, [NEW]],
    ['no rows of a regression head', ['a', 'b'], ['b'], 1, undefined, [NEW]],
  ])('returns %s', (_, labels, names, count, from, notes) =>
    expect(labelRows(labels, saved(names), count, false)).toEqual({ from, notes }),
  )

  it('takes configured labels in the order of class ids that have no names', () => {
    expect(labelRows(['x', 'y'], saved(undefined), 2, true)).toMatchObject({ from: [0, 1], notes: [NEW_IDS] })
    expect(labelRows(['x', 'y'], saved(undefined), 3, true)).toBeUndefined()
  })

  it('reports a head that was trained for several labels per example', () => {
    const rows = labelRows(['a', 'b'], saved(['a', 'b'], 'multi_label_classification'), 2, false)
    expect(rows).toEqual({ from: [0, 1], notes: [expect.stringContaining('several labels')] })
  })
})

describe('savedHead', () => {
  const classifier = (architecture: string) => ({ architecture, tensors: { 'classifier.weight': 'classifier.weight' } })
  const model = { heads: { sequences: classifier('ForSequences'), tokens: classifier('ForTokens') } }
  const id2label = { '0': 'b', '1': 'a' }
  const objective = { config: { architectures: ['ForSequences'], id2label: { '0': 'a', '1': 'b' } } }

  it('matches the head of the same architecture', () => {
    const head = savedHead({ model, objective }, { architectures: ['ForSequences'], id2label }, 'here', false)!
    expect([...head.names]).toEqual(['classifier.weight'])
    expect(head.rows(2)?.from).toEqual([1, 0])
  })

  it('reports a head for several labels per example only if the run trains one', () => {
    const several = { problem_type: 'multi_label_classification' }
    const notes = (own: object) => {
      const run = { config: { ...objective.config, ...own } }
      const head = savedHead(
        { model, objective: run },
        { architectures: ['ForSequences'], id2label, ...several },
        '',
        true,
      )!
      return head.rows(2)?.notes.filter((note) => note.includes('several labels'))
    }
    expect(notes(several)).toEqual([])
    expect(notes({})).toHaveLength(1)
  })

  it('does not use the head of another architecture, even if its labels and tensor names are the same', () => {
    const head = savedHead({ model, objective }, { architectures: ['ForTokens'], id2label }, 'here', false)!
    expect(head.rows(2)).toEqual({ from: undefined, notes: [expect.stringContaining('ForTokens')] })
  })

  it('rejects a teacher without a label of the run', () => {
    const config = { architectures: ['ForSequences'], id2label: { '0': 'b', '1': 'c' } }
    const head = requireEveryLabel(savedHead({ model, objective }, config, 'here', true)!, 'here')
    expect(() => head.rows(2)).toThrow(expect.objectContaining({ code: 'LABEL_MISMATCH' }))
  })
})
