import { CLEANER, type Cleaner, type Edit, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeCleaner } from '../describe-cleaner.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Edits = Cleaner['edits']

/** Shortens runs of spaces to an allowed length. */
const spaces = definePlugin({
  kind: CLEANER,
  name: 'spaces',
  summary: 'Shortens runs of spaces',
  options: z.strictObject({ most: z.int().min(1).max(9).default(1).describe('Maximum length of a run of spaces') }),
  create: ({ most }): Cleaner => ({
    edits: (text) =>
      [...text.matchAll(new RegExp(` {${most + 1},}`, 'g'))].map(({ index, 0: run }) => ({
        start: index,
        end: index + run.length,
        text: ' '.repeat(most),
      })),
  }),
})

const cases = [{ text: 'a  b   c', cleaned: 'a b c' }]
const suite = (change: (edits: Edits) => Edits) => (): void =>
  describeCleaner(
    altered<Cleaner>(spaces, ({ edits }) => ({ edits: change(edits) })),
    { cases },
  )

const withinText = 'returns edits within the text, sorted and without overlaps'
const idempotent = 'is idempotent: a cleaned text has no edits'
const same = 'returns the same edits for the same text every time'
const made = 'cleans "a  b   c" to "a b c"'

/** Uses a global regular expression, which remembers its last index. */
const sticky = (edits: Edits): Edits => {
  const runs = / {2}/g
  return (text) => (runs.test(text) ? edits(text) : [])
}

const mapped = (change: (edit: Edit) => Edit) =>
  suite((edits) => (text) => edits(text).map((edit) => (text.startsWith('a') ? edit : change(edit))))

/** Cleaner specimens. */
export const cleaners: readonly Specimen[] = [
  valid('spaces', () => describeCleaner(spaces, { cases })),
  broken(
    'returns edits in reverse order',
    [withinText, idempotent, made],
    suite((edits) => (text) => [...edits(text)].reverse()),
  ),
  broken(
    'returns edits beyond the end',
    [withinText, idempotent],
    mapped((edit) => ({ ...edit, end: edit.end + 1000 })),
  ),
  broken(
    'returns edits that end before they start',
    [withinText, idempotent],
    mapped(({ start, end, text }) => ({ start: end, end: start, text })),
  ),
  broken(
    'leaves two spaces between lines',
    [idempotent],
    suite((edits) => (text) => edits(text).map((edit) => (text.includes('lines') ? { ...edit, text: '  ' } : edit))),
  ),
  broken('keeps the last index of a regular expression', [same], suite(sticky)),
  broken(
    'returns edits that change nothing',
    [idempotent],
    suite((edits) => (text) => (text === '' ? [{ start: 0, end: 0, text: '' }] : edits(text))),
  ),
  broken(
    'removes all spaces',
    [made],
    suite((edits) => (text) => edits(text).map((edit) => ({ ...edit, text: '' }))),
  ),
  broken('accepts any options', uncheckedFails(5), () => describeCleaner(unchecked(spaces), { cases })),
]
