import { existsSync, openSync, readFileSync } from 'node:fs'
import type { Example, Rejected, Source } from '@attune/core'
import { describeSource } from '../describe-source.js'
import { type Options, fixture, lines, options } from './lines.test.fixture.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Open = Source['open']

const suite = (change: (open: Open, options: Options) => Open) => (): void =>
  describeSource(
    altered<Source>(lines, (sane, given) => ({ ...sane, open: change(sane.open, options.parse(given)) })),
    fixture,
  )

const inOrder = 'gives the rows in order, the same ones each time it is opened'
const twice = 'can be opened twice at once'
const nothing = 'gives nothing where there is nothing'
const awkward = 'keeps every character of awkward text'
const stops = 'stops at a bad row, after the rows before it, and names its line'
const skips = 'leaves a bad row out if told to skip, and hands it to `reject` with line, reason and text'
const needs = 'takes a row that has nothing under a field that is needed as a bad one'
const unheard = 'skips bad rows even if nobody listens'
const closes = 'holds no file open after it was abandoned half-way, read to the end, or never read'
const little = 'reads 30 MB in less than a third of that memory'
const refuses = 'refuses what does not exist, with a code and a remedy'

/** Rows with a change to each. */
const mapped = (change: (row: Example, index: number) => Example) =>
  suite(
    (open) =>
      async function* (reject, fields) {
        let index = 0
        for await (const row of open(reject, fields)) yield change(row, index++)
      },
  )

/** One reading for all who open it. */
const once = (open: Open): Open => {
  let reading: AsyncIterable<Example> | undefined
  return (...all) => (reading ??= open(...all))
}

/** The rows of the second reading are turned round. */
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

/** Sources. */
export const sources: readonly Specimen[] = [
  sound('lines', () => describeSource(lines, fixture)),
  broken('is read once', [inOrder, twice, skips, closes], suite(once)),
  broken('gives other rows the second time', [inOrder, twice, skips, closes], suite(turning)),
  broken(
    'gives an empty row where there is nothing',
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
    'takes texts for numbers',
    [awkward],
    mapped((row) => ({ ...row, text: /^\d+$/.test(String(row['text'])) ? Number(row['text']) : row['text'] })),
  ),
  broken(
    'skips although not told to',
    [stops, skips, needs],
    suite(
      (_, { path }) =>
        (reject, fields) =>
          lines({ path, onBadRow: 'skip' }).open(reject, fields),
    ),
  ),
  broken(
    'stops although told to skip',
    [skips, needs, unheard],
    suite(
      (_, { path }) =>
        (reject, fields) =>
          lines({ path }).open(reject, fields),
    ),
  ),
  broken(
    'fails when nobody listens',
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
    'does not look at what is needed',
    [needs],
    suite((open) => (reject) => open(reject)),
  ),
  broken(
    'looks at what is needed only when it skips',
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
    'reads everything at once',
    [little],
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
    'gives no rows of what does not exist',
    [refuses],
    suite((open, { path }) =>
      existsSync(path)
        ? open
        : async function* () {
            yield* []
          },
    ),
  ),
  broken(
    'fails without a code',
    [refuses],
    suite((open, { path }) =>
      existsSync(path)
        ? open
        : async function* () {
            yield* JSON.parse(readFileSync(path, 'utf8')) as Example[]
          },
    ),
  ),
  broken('any options will do', uncheckedFails(4), () => describeSource(unchecked(lines, fixture.missing), fixture)),
]
