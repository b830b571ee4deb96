// @ts-check
/**
 * Compiles the JSON Schemas of npm packages to constraints: `node tools/bench/schemas.mjs [package or folder…] [most=N] [--write]`. Reports the
 * fraction that compiles, the CPU time with a vocabulary of 50,000 tokens, why others are rejected, what is narrowed, and whether
 * invalid values are accepted: random texts of each constraint are validated by ajv, and the values of schemas with tests must be
 * accepted or not. `most` limits the schemas of each source; folders hold schemas, or files such as `{ schema, tests }` of
 * JSONSchemaBench. `--write` updates docs/measurements/schemas.md.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { constrainToSchema } from '@attune/generate'
import { writePart } from '../check/replace-part.mjs'
import { table } from '../check/table.mjs'
import { PACKAGES, casesOf } from './schema-sources.mjs'
import { allows, randomText, validatorOf } from './schema-validator.mjs'

/** @import { Tokenizer } from '@attune/core' */
/** @import { Case } from './schema-sources.mjs' */

const PAGE = join(import.meta.dirname, '../../docs/measurements/schemas.md')
const VOCABULARY = 50_000
/** Random texts of each schema, and their most bytes. */
const [TEXTS, BYTES] = [5, 400]

/** Byte-level vocabulary: all bytes, JSON punctuation and random words. @returns {Tokenizer} */
function tokenizer() {
  const printable = (/** @type {number} */ byte) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad)
  let other = 0x100
  const alphabet = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : other++))
  const tokens = new Set([
    '</s>',
    ...alphabet,
    '{"',
    '":',
    '":"',
    '","',
    '"}',
    '},{',
    '[{',
    '}]',
    'true',
    'false',
    'null',
  ])
  let seed = 1
  const random = (/** @type {number} */ most) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0
    return (seed >>> 8) % most
  }
  while (tokens.size < VOCABULARY) {
    const word = Array.from({ length: 2 + random(7) }, () => String.fromCharCode(97 + random(26))).join('')
    tokens.add(random(2) === 0 ? word : `Ġ${word}`)
  }
  const list = [...tokens]
  const ids = new Map(list.map((token, id) => [token, id]))
  return {
    vocabularySize: list.length,
    special: { end: 0 },
    paddingSide: 'right',
    encode: () => ({ ids: [], typeIds: [], truncated: false }),
    decode: () => '',
    id: (token) => ids.get(token),
    token: (id) => list[id],
    files: () => ({ 'tokenizer.json': { decoder: { type: 'ByteLevel' } } }),
  }
}

/** A reproducible random number generator. */
function randomNumbers() {
  let seed = 7
  return () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0
    return (seed >>> 8) / 2 ** 24
  }
}

/** Validates random texts of a constraint. @param {any} schema @param {any} constraint */
function checkedTexts(schema, constraint) {
  const isValid = validatorOf(schema)
  const random = randomNumbers()
  /** @type {string[]} */
  const invalid = []
  let texts = 0
  for (let i = 0; i < TEXTS && isValid !== undefined; i++) {
    const text = randomText(constraint, random, BYTES)
    if (text === undefined) continue
    texts++
    if (!isValid(JSON.parse(text))) invalid.push(text)
  }
  return { texts, invalid }
}

/** Accepts the values of a schema's tests, or not. @param {Case['tests']} tests @param {any} constraint */
function checkedValues(tests, constraint) {
  const accepted = tests.map(({ data }) => allows(constraint, JSON.stringify(data)))
  const count = (/** @type {boolean} */ valid, /** @type {boolean} */ own) =>
    tests.filter((each, i) => each.valid === valid && (!own || accepted[i])).length
  return {
    valid: count(true, false),
    validAccepted: count(true, true),
    invalid: count(false, false),
    wrong: count(false, true),
  }
}

/** Checks of a constraint; an error during generation, such as `PATTERN_TOO_LARGE`, ends them. @param {Case} each @param {any} constraint */
function checked({ name, schema, tests }, constraint) {
  const values = { valid: 0, validAccepted: 0, invalid: 0, wrong: 0 }
  const texts = { texts: 0, invalid: /** @type {string[]} */ ([]) }
  if (constraint === undefined) return { values, texts }
  try {
    Object.assign(values, checkedValues(tests, constraint))
    Object.assign(texts, checkedTexts(schema, constraint))
  } catch (error) {
    if (/** @type {any} */ (error).code !== 'PATTERN_TOO_LARGE') throw error
  }
  for (const text of texts.invalid) console.log(`invalid under ${name}: ${text.slice(0, 300)}`)
  return { values, texts }
}

/** Compiles a schema. @param {Case} each @param {Tokenizer} words */
function compiled(each, words) {
  const before = process.cpuUsage()
  /** @type {any} */
  let constraint
  let why = ''
  try {
    constraint = constrainToSchema(
      each.schema,
      words,
      [0],
      each.documents === undefined ? {} : { documents: each.documents },
    )
  } catch (error) {
    const { code = 'a crash', problem = String(error) } = /** @type {any} */ (error)
    // A schema without valid values compiles to nothing, rightly.
    if (code !== 'NOT_SPELLABLE') why = `${code} ${problem}`
  }
  const { user, system } = process.cpuUsage(before)
  /** @type {string[]} */
  const narrowed = (constraint?.narrowed ?? []).map((/** @type {any} */ { keyword, how }) => `${keyword}: ${how}`)
  return { why, milliseconds: (user + system) / 1e3, narrowed, ...checked(each, constraint) }
}

/** @typedef {ReturnType<typeof compiled>} Compiled */

/** Counts names, most frequent first. @param {readonly string[]} names */
function counted(names) {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => [String(count), name])
}

const percent = (/** @type {number} */ part, /** @type {number} */ whole) =>
  whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`

/** Row of a source. @param {string} name @param {readonly Compiled[]} all */
function rowOf(name, all) {
  const times = all.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b)
  const at = (/** @type {number} */ part) => String(Math.ceil(times[Math.floor((times.length - 1) * part)] ?? 0))
  const sum = (/** @type {(each: Compiled) => number} */ of) => all.reduce((total, each) => total + of(each), 0)
  const valid = sum(({ values }) => values.valid)
  return [
    name,
    String(all.length),
    percent(all.filter(({ why }) => why === '').length, all.length),
    at(0.5),
    at(0.95),
    at(1),
    valid === 0 ? '–' : `${sum(({ values }) => values.validAccepted)} of ${valid}`,
    `${sum(({ values }) => values.wrong)} of ${sum(({ values }) => values.invalid)}`,
    `${sum(({ texts }) => texts.invalid.length)} of ${sum(({ texts }) => texts.texts)}`,
  ]
}

const COLUMNS = [
  'source',
  'schemas',
  'compile',
  'median ms',
  '95 % ms',
  'most ms',
  'valid values accepted',
  'invalid values accepted',
  'invalid texts generated',
]

/** The report. @param {ReadonlyMap<string, readonly Compiled[]>} sources */
function report(sources) {
  const all = [...sources.values()].flat()
  const rows = [...Array.from(sources, ([name, own]) => rowOf(name, own)), rowOf('all', all)]
  const reasons = all
    .filter(({ why }) => why !== '')
    .map(({ why }) =>
      why
        .replace(/, at [#/\d][\s\S]*/, '')
        .replaceAll(/"[^"]*"|got \S+/g, '…')
        .replaceAll(/#\/\S*/g, '…')
        .replaceAll(/\d[\d,.]*/g, 'N')
        .slice(0, 150),
    )
  return [
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model.trim()}, one core of ${cpus().length}, Node ${process.versions.node}.`,
    table(COLUMNS, rows),
    'Why the others are rejected:',
    table(['schemas', 'reason'], counted(reasons)),
    'What is narrowed, by the number of schemas:',
    table(['schemas', 'narrowing'], counted(all.flatMap(({ narrowed }) => narrowed))),
  ].join('\n\n')
}

const options = process.argv.slice(2)
const most = Number(options.find((each) => each.startsWith('most='))?.slice(5) ?? Infinity)
const named = options.filter((each) => !each.startsWith('most=') && each !== '--write')
const temporary = mkdtempSync(join(tmpdir(), 'attune-schemas-'))
try {
  const words = tokenizer()
  constrainToSchema({ type: 'null' }, words, [0])
  /** @type {Map<string, readonly Compiled[]>} */
  const sources = new Map()
  for (const source of named.length > 0 ? named : PACKAGES) {
    const cases = casesOf(source, temporary)
    const step = Math.max(1, cases.length / most)
    const some = cases.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step))
    process.stderr.write(`${source}: ${some.length} schemas\n`)
    sources.set(
      basename(source) === source || source.startsWith('@') ? source : basename(source),
      some.map((each) => compiled(each, words)),
    )
  }
  const text = report(sources)
  console.log(text)
  if (options.includes('--write'))
    writePart(PAGE, 'schemas', await format(text, { ...(await resolveConfig(PAGE)), filepath: PAGE }))
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
