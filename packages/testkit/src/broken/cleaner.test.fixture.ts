import { CLEANER, type Cleaner, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeCleaner } from '../describe-cleaner.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Clean = Cleaner['clean']

/** A run of more spaces than are allowed becomes as many as are allowed. */
const spaces = definePlugin({
  kind: CLEANER,
  name: 'spaces',
  summary: 'Shortens runs of spaces',
  options: z.strictObject({ most: z.int().min(1).max(9).default(1).describe('Spaces that may stand side by side') }),
  create: ({ most }): Cleaner => {
    const runs = new RegExp(` {${most + 1},}`, 'g')
    return {
      clean: (text) => ({
        text: text.replace(runs, ' '.repeat(most)),
        changes: [...text.matchAll(runs)].length,
      }),
    }
  },
})

const cases = [{ text: 'a  b   c', cleaned: 'a b c' }]
const suite = (change: (clean: Clean) => Clean) => (): void =>
  describeCleaner(
    altered<Cleaner>(spaces, ({ clean }) => ({ clean: change(clean) })),
    { cases },
  )

const idempotent = 'changes nothing in a cleaned text'
const alike = 'cleans a text alike every time'
const counts = 'counts changes where it made some, and nowhere else'
const made = 'makes "a b c" of "a  b   c"'

/** Takes one space of each run. */
const oneOfEach: Clean = (text) => ({ text: text.replace(/ ( *)/g, ' $1').replace(/ {2}/g, ' '), changes: 0 })

/** A pattern that remembers where it stopped. */
const sticky = (clean: Clean): Clean => {
  const runs = / {2}/g
  return (text) => (runs.test(text) ? clean(text) : { text, changes: 0 })
}

/** Cleaners. */
export const cleaners: readonly Specimen[] = [
  sound('spaces', () => describeCleaner(spaces, { cases })),
  broken(
    'takes one space of a run each time',
    [idempotent, made],
    suite((clean) => (text) => ({ text: oneOfEach(text).text, changes: clean(text).changes })),
  ),
  broken(
    'makes what it would clean',
    [idempotent],
    suite((clean) => (text) => {
      const { text: cleaned, changes } = clean(text.replaceAll('\u3000', '  '))
      return { text: cleaned.replaceAll('\ufeff', '  '), changes: changes + (text.includes('\ufeff') ? 1 : 0) }
    }),
  ),
  broken('remembers where it stopped', [alike], suite(sticky)),
  broken(
    'counts a change where there is none',
    [counts, idempotent],
    suite((clean) => (text) => ({ ...clean(text), changes: clean(text).changes + 1 })),
  ),
  broken(
    'counts no change where there is one',
    [counts],
    suite((clean) => (text) => ({ ...clean(text), changes: 0 })),
  ),
  broken(
    'counts parts of changes',
    [counts],
    suite((clean) => (text) => ({ ...clean(text), changes: clean(text).changes / 3 })),
  ),
  broken(
    'leaves two spaces',
    [made],
    suite(
      (clean) => (text) =>
        text === 'a  b   c' ? { text: 'a  b c', changes: 1 } : text === 'a  b c' ? { text, changes: 0 } : clean(text),
    ),
  ),
  broken('any options will do', uncheckedFails(5), () => describeCleaner(unchecked(spaces), { cases })),
]
