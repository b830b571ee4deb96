import type { Edit } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { applyEdits } from './apply-edits.js'
import { composeEdits } from './compose-edits.js'
import { editsBetween } from './edits-between.js'
import { moveSpans } from './move-spans.js'

const edit = (start: number, end: number, text: string): Edit => ({ start, end, text })

/** Valid edits of a text of some length. */
const editsOf = (length: number): fc.Arbitrary<Edit[]> =>
  fc
    .array(fc.tuple(fc.nat(length), fc.string({ maxLength: 3 })), { maxLength: 8 })
    .map((marks) => marks.sort(([a], [b]) => a - b))
    .map((marks) => marks.flatMap(([at, text], i) => (i % 2 === 0 ? [edit(at, marks[i + 1]?.[0] ?? at, text)] : [])))

describe('edits', () => {
  it('replace parts of a text', () => {
    expect(applyEdits('one two three', [edit(0, 3, '1'), edit(4, 7, ''), edit(13, 13, '!')])).toBe('1  three!')
    expect(applyEdits('', [edit(0, 0, 'a')])).toBe('a')
  })

  it.each([
    ['that overlap', [edit(0, 3, ''), edit(2, 4, '')]],
    ['that are not sorted', [edit(3, 4, ''), edit(0, 1, '')]],
    ['beyond the end', [edit(3, 6, '')]],
    ['before the start', [edit(-1, 2, '')]],
    ['that end before they start', [edit(3, 2, '')]],
    ['at fractions', [edit(0.5, 2, '')]],
  ])('are refused %s', (_, edits) =>
    expect(() => applyEdits('text!', edits)).toThrow(expect.objectContaining({ code: 'BAD_EDITS' })),
  )

  it('of two lists compose to one that does the same at once', () =>
    fc.assert(
      fc.property(
        fc.string({ maxLength: 30 }).chain((text) =>
          editsOf(text.length).chain((first) => {
            const between = applyEdits(text, first)
            return fc.tuple(fc.constant(text), fc.constant(first), editsOf(between.length))
          }),
        ),
        ([text, first, second]) => {
          const composed = composeEdits(first, second)
          expect(applyEdits(text, composed)).toBe(applyEdits(applyEdits(text, first), second))
        },
      ),
      { numRuns: 2000 },
    ))
})

describe('edits between two texts', () => {
  it('are the fewest words', () => {
    const [before, after] = ['the quick brown fox', 'the slow brown foxes run']
    expect(editsBetween(before, after)).toEqual([edit(4, 9, 'slow'), edit(16, 19, 'foxes run')])
    expect(editsBetween('same', 'same')).toEqual([])
  })

  it('make one of the other', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.array(fc.nat(), { maxLength: 5 }), (text, at) => {
        const parts = text.split('')
        for (const position of at) parts.splice(position % (parts.length + 1), position % 3, 'ab ')
        expect(applyEdits(text, editsBetween(text, parts.join('')))).toBe(parts.join(''))
        expect(applyEdits(parts.join(''), editsBetween(parts.join(''), text))).toBe(text)
      }),
      { numRuns: 2000 },
    ))

  it('take little time where texts have nothing in common', () => {
    const [before, after] = ['a b '.repeat(250_000), 'c d '.repeat(250_000)]
    const start = process.cpuUsage().user
    expect(applyEdits(before, editsBetween(before, after))).toBe(after)
    expect((process.cpuUsage().user - start) / 1e6).toBeLessThan(5)
  })
})

describe('spans', () => {
  const moved = (start: number, end: number, ...edits: Edit[]): number[] =>
    Object.values(moveSpans([{ start, end }], edits)[0]!)

  it('move with what is before them', () => {
    expect(moved(5, 9, edit(0, 3, ''))).toEqual([2, 6])
    expect(moved(5, 9, edit(0, 0, 'abc'), edit(9, 12, 'x'))).toEqual([8, 12])
  })

  it('grow and shrink with edits inside, and leave out what is inserted at their ends', () => {
    expect(moved(2, 8, edit(3, 5, ''), edit(6, 6, 'abc'))).toEqual([2, 9])
    expect(moved(2, 8, edit(2, 2, 'ab'), edit(8, 8, 'cd'))).toEqual([4, 10])
  })

  it('take in an edit across one of their ends, and become empty where they are deleted', () => {
    expect(moved(4, 8, edit(2, 6, 'x'))).toEqual([2, 5])
    expect(moved(4, 8, edit(6, 10, 'xyz'))).toEqual([4, 9])
    expect(moved(4, 8, edit(2, 10, ''))).toEqual([2, 2])
  })

  it('hold the same text after edits that do not touch them', () =>
    fc.assert(
      fc.property(
        fc.string({ maxLength: 30 }).chain((text) => fc.tuple(fc.constant(text), editsOf(text.length))),
        fc.nat(30),
        fc.nat(30),
        ([text, edits], a, b) => {
          const [start, end] = [Math.min(a, b, text.length), Math.min(Math.max(a, b), text.length)]
          fc.pre(start < end && edits.every((each) => each.end <= start || each.start >= end))
          const [span] = moveSpans([{ start, end }], edits)
          expect(applyEdits(text, edits).slice(span!.start, span!.end)).toBe(text.slice(start, end))
        },
      ),
    ))
})
