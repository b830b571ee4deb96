import type { Edit } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { applyEdits } from './apply-edits.js'
import { composeEdits } from './compose-edits.js'
import { editsBetween } from './edits-between.js'
import { moveSpans } from './move-spans.js'

const edit = (start: number, end: number, text: string): Edit => ({ start, end, text })

/** Arbitrary valid edits of a text of the given length. */
const editsOf = (length: number): fc.Arbitrary<Edit[]> =>
  fc
    .array(fc.tuple(fc.nat(length), fc.string({ maxLength: 3 })), { maxLength: 8 })
    .map((marks) => marks.sort(([a], [b]) => a - b))
    .map((marks) => marks.flatMap(([at, text], i) => (i % 2 === 0 ? [edit(at, marks[i + 1]?.[0] ?? at, text)] : [])))

describe('applyEdits and composeEdits', () => {
  it('replaces parts of a text', () => {
    expect(applyEdits('one two three', [edit(0, 3, '1'), edit(4, 7, ''), edit(13, 13, '!')])).toBe('1  three!')
    expect(applyEdits('', [edit(0, 0, 'a')])).toBe('a')
  })

  it.each([
    ['overlapping', [edit(0, 3, ''), edit(2, 4, '')]],
    ['unsorted', [edit(3, 4, ''), edit(0, 1, '')]],
    ['out-of-range (beyond the end)', [edit(3, 6, '')]],
    ['out-of-range (before the start)', [edit(-1, 2, '')]],
    ['reversed', [edit(3, 2, '')]],
    ['fractional', [edit(0.5, 2, '')]],
  ])('rejects %s edits', (_, edits) =>
    expect(() => applyEdits('text!', edits)).toThrow(expect.objectContaining({ code: 'BAD_EDITS' })),
  )

  it('composes two lists into one with the same result', () =>
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

describe('editsBetween', () => {
  it('returns a minimal word diff', () => {
    const [before, after] = ['the quick brown fox', 'the slow brown foxes run']
    expect(editsBetween(before, after)).toEqual([edit(4, 9, 'slow'), edit(16, 19, 'foxes run')])
    expect(editsBetween('same', 'same')).toEqual([])
  })

  it('transforms one text into the other', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.array(fc.nat(), { maxLength: 5 }), (text, at) => {
        const parts = text.split('')
        for (const position of at) parts.splice(position % (parts.length + 1), position % 3, 'ab ')
        expect(applyEdits(text, editsBetween(text, parts.join('')))).toBe(parts.join(''))
        expect(applyEdits(parts.join(''), editsBetween(parts.join(''), text))).toBe(text)
      }),
      { numRuns: 2000 },
    ))

  it('stays fast for texts without common parts', () => {
    const [before, after] = ['a b '.repeat(250_000), 'c d '.repeat(250_000)]
    const start = process.cpuUsage().user
    expect(applyEdits(before, editsBetween(before, after))).toBe(after)
    expect((process.cpuUsage().user - start) / 1e6).toBeLessThan(5)
  })
})

describe('moveSpans', () => {
  const moved = (start: number, end: number, ...edits: Edit[]): number[] =>
    Object.values(moveSpans([{ start, end }], edits)[0]!)

  it('shifts spans by the edits before them', () => {
    expect(moved(5, 9, edit(0, 3, ''))).toEqual([2, 6])
    expect(moved(5, 9, edit(0, 0, 'abc'), edit(9, 12, 'x'))).toEqual([8, 12])
  })

  it('resizes spans with edits inside, and excludes insertions at their ends', () => {
    expect(moved(2, 8, edit(3, 5, ''), edit(6, 6, 'abc'))).toEqual([2, 9])
    expect(moved(2, 8, edit(2, 2, 'ab'), edit(8, 8, 'cd'))).toEqual([4, 10])
  })

  it('includes edits that cross an end of a span, and empties deleted spans', () => {
    expect(moved(4, 8, edit(2, 6, 'x'))).toEqual([2, 5])
    expect(moved(4, 8, edit(6, 10, 'xyz'))).toEqual([4, 9])
    expect(moved(4, 8, edit(2, 10, ''))).toEqual([2, 2])
  })

  it('keeps the text of spans that no edit touches', () =>
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
