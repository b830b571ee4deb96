import { existsSync, openSync, readFileSync } from 'node:fs'
import type { Example, Rejected, Source } from '@attune/core'
import { describeSource } from '../describe-source.js'
import { type Options, fixture, lines, options } from './lines.test.fixture.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Open = Source['open']

const suite = (change: (open: Open, options: Options) => Open) => (): void =>
  describeSource(
    altered<Source>(lines, (sane, given) => ({ ...sane, open: change(sane.open, options.parse(given)) })),
    fixture,
  )

const inOrder = 'yields the same rows in the same order each time it is opened'
const twice = 'can be read twice concurrently'
const nothing = 'yields no rows from an empty dataset'
const awkward = 'preserves every character of unusual text'
const stops = 'stops at a bad row with its line number, after the rows before it'
const skips = 'skips a bad row with onBadRow: skip, and passes it to `reject` with line, reason and text'
const needs = 'treats a row without a required field as a bad row'
const unheard = 'skips bad rows without a `reject` callback'
const closes = 'leaves no file open after it is abandoned half-way, read to the end, or never read'
const memory = 'reads 30 MB in less than a third of that memory'
const rejects = 'rejects a missing dataset with a code and a remedy'

/** Source with changed rows. */
const mapped = (change: (row: Example, index: number) => Example) =>
  suite(
    (open) =>
      async function* (reject, fields) {
        let index = 0
        for await (const row of open(reject, fields)) yield change(row, index++)
      },
  )

/** Shares one iteration between all readers. */
const once = (open: Open): Open => {
  let reading: AsyncIterable<Example> | undefined
  return (...all) => (reading ??= open(...all))
}

/** Reverses the rows of every second reading. */
const turning = (open: Open): Open => {
  let readings = 0
  return async function* (...all) {
    const rows: Example[] = []
    if (++readings % 2 === 1) return yield* open(...all)
    for await (const row of open(...all)) rows.unshift(row)
    yield* rows
  }
}

const rejecting = (change: (row: Rejected) => Rejected) =>
  suite((open) => (reject, fields) => open(reject && ((row) => reject(change(row))), fields))

/** Source specimens. */
export const sources: readonly Specimen[] = [
  valid('lines', () => describeSource(lines, fixture)),
  broken('can be read only once', [inOrder, twice, skips, closes], suite(once)),
  broken('yields other rows the second time', [inOrder, twice, skips, closes], suite(turning)),
  broken(
    'yields an empty row from an empty dataset',
    [nothing, needs],
    suite(
      (open) =>
        async function* (...all) {
          let rows = 0
          for await (const row of open(...all)) {
            rows++
            yield row
          }
          if (rows === 0) yield {}
        },
    ),
  ),
  broken(
    'trims texts',
    [awkward],
    mapped((row) => ({ ...row, text: String(row['text']).trim() })),
  ),
  broken(
    'converts texts to numbers',
    [awkward],
    mapped((row) => ({ ...row, text: /^\d+$/.test(String(row['text'])) ? Number(row['text']) : row['text'] })),
  ),
  broken(
    'skips bad rows with onBadRow: stop',
    [stops, skips, needs],
    suite(
      (_, { path }) =>
        (reject, fields) =>
          lines({ path, onBadRow: 'skip' }).open(reject, fields),
    ),
  ),
  broken(
    'stops at bad rows with onBadRow: skip',
    [skips, needs, unheard],
    suite(
      (_, { path }) =>
        (reject, fields) =>
          lines({ path }).open(reject, fields),
    ),
  ),
  broken(
    'throws without a `reject` callback',
    [unheard],
    suite((open) => (reject, fields) => open((row) => reject!(row), fields)),
  ),
  broken(
    'rejects without a reason',
    [skips, needs],
    rejecting((row) => ({ ...row, reason: '' })),
  ),
  broken(
    'counts lines from 0 when it skips',
    [skips],
    rejecting((row) => ({ ...row, line: row.line - 1 })),
  ),
  broken(
    'ignores the required fields',
    [needs],
    suite((open) => (reject) => open(reject)),
  ),
  broken(
    'checks the required fields only when it skips',
    [needs],
    suite(
      (open, { onBadRow }) =>
        (reject, fields) =>
          open(reject, onBadRow === 'skip' ? fields : []),
    ),
  ),
  broken(
    'leaves a file open',
    [closes],
    suite(
      (open, { path }) =>
        (...all) => (existsSync(path) && openSync(path, 'r'), open(...all)),
    ),
  ),
  broken(
    'reads the whole file into memory',
    [memory],
    suite(
      (open, { path }) =>
        async function* (...all) {
          const whole = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
          yield* open(...all)
          whole.reverse()
        },
    ),
  ),
  broken(
    'yields no rows from a missing dataset',
    [rejects],
    suite((open, { path }) =>
      existsSync(path)
        ? open
        : async function* () {
            yield* []
          },
    ),
  ),
  broken(
    'throws an error without a code',
    [rejects],
    suite((open, { path }) =>
      existsSync(path)
        ? open
        : async function* () {
            yield* JSON.parse(readFileSync(path, 'utf8')) as Example[]
          },
    ),
  ),
  broken('accepts any options', uncheckedFails(4), () => describeSource(unchecked(lines, fixture.missing), fixture)),
]
