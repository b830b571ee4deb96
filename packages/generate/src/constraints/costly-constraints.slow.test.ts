import type { Tokenizer } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import { allOf } from './all-of.js'
import { constrainToPattern } from './constrain-to-pattern.js'
import { constrainToSchema } from './constrain-to-schema.js'
import { requireKeywords } from './require-keywords.js'
import type { Schema } from './schema.js'

/** CPU seconds: ten times the usual. */
const SECONDS = 6

/** A vocabulary of a few thousand syllables. Without byte tokens, endings must be searched for. */
function tokenizer(bytes: boolean): Tokenizer {
  const letters = [...'abcdefghijklmnopqrstuvwxyz']
  const signs = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
  const syllables = letters.flatMap((a) => letters.flatMap((b) => [...'aeiou'].map((c) => a + b + c)))
  const all = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).padStart(2, '0').toUpperCase()}>`)
  const tokens = ['</s>', ...(bytes ? all : []), '▁', ...signs, ...syllables]
  const decoders = [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }]
  return {
    vocabularySize: tokens.length,
    special: { end: 0 },
    paddingSide: 'right',
    encode: () => ({ ids: [], typeIds: [], truncated: false }),
    decode: () => '',
    id: (token) => tokens.indexOf(token),
    token: (id) => tokens[id],
    files: () => ({ 'tokenizer.json': { decoder: { type: 'Sequence', decoders } } }),
  }
}
const [byBytes, bySearch] = [tokenizer(true), tokenizer(false)]

function inTime(work: () => unknown): unknown {
  const before = process.cpuUsage().user
  let outcome: unknown
  try {
    work()
    outcome = 'made'
  } catch (error) {
    outcome = (error as { code?: string }).code ?? error
    expect(String((error as Error).message).length).toBeLessThan(1000)
  }
  expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(SECONDS)
  return outcome
}
const schemaOf = (schema: Schema, options = {}) => inTime(() => constrainToSchema(schema, byBytes, [0], options))
const patternOf = (pattern: string, by = byBytes) => inTime(() => constrainToPattern(pattern, by, [0]))
const times = (text: string, length: number): string => text.repeat(Math.floor(length / text.length))
const list = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i))
const record = <T>(length: number, make: (i: number) => [string, T]): Record<string, T> =>
  Object.fromEntries(list(length, make))

describe('constrainToPattern compiles or rejects a pattern in time proportional to its length', () => {
  it.each([
    ['((a{1000}){1000}){1000}', 'PATTERN_TOO_LARGE'],
    ['((a{0,40}){0,40}){0,40}', 'made'],
    ['(.{0,300}){0,30}', 'made'],
    ['(?:a{0}){1000000000}', 'made'],
    ['(?:(?:a?){300}){300}', 'made'],
    ['(.*[a-m].{20}){50}', 'made'],
    [times('(a|b)*', 99_000), 'made'],
    [times('a|', 99_000), 'made'],
    [times('[^a]', 99_000), 'PATTERN_TOO_LARGE'],
    [`[${times('\\S', 90_000)}]{0,9000}`, 'PATTERN_TOO_LARGE'],
    [`${'('.repeat(190)}a${')*'.repeat(190)}`, 'made'],
    [`${'a'.repeat(99_000)}\\1`, 'BAD_PATTERN'],
    ['('.repeat(5000), 'BAD_PATTERN'],
    ['a'.repeat(1_000_000), 'BAD_PATTERN'],
  ])('%.40s', (pattern, outcome) => expect(patternOf(pattern)).toBe(outcome))

  it.each([
    ['.{0,1000}', 'made'],
    ['"[^"]{0,1000}"', 'made'],
    ['.*a.{11}', 'made'],
    ['(.*a.{14}){2}', 'PATTERN_TOO_LARGE'],
  ])('without byte tokens: %s', (pattern, outcome) => expect(patternOf(pattern, bySearch)).toBe(outcome))

  it('limits the work during generation by the number of generated tokens', () => {
    const constraint = constrainToPattern('(.*[a-m].{20}){50}', byBytes, [0])
    const write = (): void => {
      for (let state = 0, generated = 0; generated < 3000; generated++) {
        const allowed = constraint.allowed(state, 10_000)
        const ids = list(allowed.length, (id) => id).filter((id) => id > 0 && allowed[id] === 1)
        state = constraint.next(state, ids[(generated * 7919) % ids.length]!)
      }
    }
    expect(inTime(write)).toBe('PATTERN_TOO_LARGE')
  })
})

describe('constrainToSchema compiles or rejects a schema in time proportional to its length', () => {
  const doubling = (depth: number) =>
    record(depth, (i) => [
      `d${i}`,
      i === depth - 1
        ? { type: 'null' }
        : {
            type: 'object',
            required: ['a', 'b'],
            properties: { a: { $ref: `#/$defs/d${i + 1}` }, b: { $ref: `#/$defs/d${i + 1}` } },
          },
    ])
  const mutual = record(8, (i) => [
    `d${i}`,
    {
      anyOf: [{ type: 'null' }, ...list(8, (j) => ({ type: 'array', items: { $ref: `#/$defs/d${j}` }, maxItems: 1 }))],
    },
  ])
  let shared: Schema = { type: 'null' }
  for (let depth = 0; depth < 40; depth++) shared = { anyOf: [shared, { type: 'array', items: shared, maxItems: 1 }] }
  const strings = (pattern: (i: number) => string) => list(10, (i) => ({ type: 'string', pattern: pattern(i) }))

  it.each<[string, Schema, string]>([
    ['100,000 values', { enum: list(100_000, (i) => i.toString(36)) }, 'PATTERN_TOO_LARGE'],
    ['a string of a megabyte', { const: 'a'.repeat(1_000_000) }, 'PATTERN_TOO_LARGE'],
    ['a list of 500,000 numbers', { const: list(500_000, () => 1) }, 'PATTERN_TOO_LARGE'],
    ['a billion items', { type: 'array', items: { type: 'null' }, maxItems: 1e9 }, 'made'],
    ['at least a billion items', { type: 'array', items: { type: 'null' }, minItems: 1e9 }, 'PATTERN_TOO_LARGE'],
    ['at least a billion impossible items', { type: 'array', items: { enum: [] }, minItems: 1e9 }, 'NOT_SPELLABLE'],
    ['a billion letters', { type: 'string', maxLength: 1e9 }, 'made'],
    ['definitions that double', { $defs: doubling(30), $ref: '#/$defs/d0' }, 'PATTERN_TOO_LARGE'],
    ['one object shared 2^40 times', shared, 'made'],
    [
      '40,000 references',
      { $defs: { x: { type: 'null' } }, anyOf: list(40_000, () => ({ $ref: '#/$defs/x' })) },
      'made',
    ],
    ['a reference of a megabyte', { $ref: `#${'/a'.repeat(500_000)}` }, 'BAD_SCHEMA'],
    ['a keyword of a megabyte', { type: 'null', ['k'.repeat(1_000_000)]: 1 }, 'made'],
    ['a string instead of a schema', { type: 'array', items: 'x'.repeat(1_000_000) }, 'BAD_SCHEMA'],
    ['3000 values that exclude each other', { oneOf: list(3000, (i) => ({ const: i })) }, 'made'],
    [
      '2000 objects that exclude each other',
      {
        oneOf: list(2000, (i) => ({
          type: 'object',
          required: ['a', 'kind'],
          properties: { a: { type: 'null' }, kind: { const: i } },
        })),
      },
      'PATTERN_TOO_LARGE',
    ],
    ['types in a long list', { type: list(140_000, () => 'null') }, 'made'],
    ['names in a long list', { type: 'object', properties: { a: {} }, required: list(200_000, () => 'b') }, 'made'],
    [
      '20,000 properties',
      { type: 'object', properties: record(20_000, (i) => [`p${i}`, { type: 'number' }]) },
      'PATTERN_TOO_LARGE',
    ],
    ['long patterns', { anyOf: strings((i) => times('(a|b)*', 99_000) + String(i)) }, 'PATTERN_TOO_LARGE'],
    ['long patterns of alternatives', { anyOf: strings((i) => times('a|', 99_000) + String(i)) }, 'PATTERN_TOO_LARGE'],
    ['long patterns of classes', { anyOf: strings((i) => times('[^a-c]', 99_000) + String(i)) }, 'PATTERN_TOO_LARGE'],
    ['many patterns', { anyOf: list(25_000, (i) => ({ type: 'string', pattern: String(i) })) }, 'PATTERN_TOO_LARGE'],
    [
      'alternatives that multiply',
      { allOf: list(40, (i) => ({ anyOf: [{ required: [`a${i}`] }, { required: [`b${i}`] }] })) },
      'PATTERN_TOO_LARGE',
    ],
    [
      'conditions that multiply',
      { allOf: list(60, (i) => ({ if: { properties: { [`a${i}`]: { const: i } } }, then: { required: [`b${i}`] } })) },
      'PATTERN_TOO_LARGE',
    ],
    ['dependencies that multiply', { dependentRequired: record(60, (i) => [`a${i}`, [`b${i}`]]) }, 'PATTERN_TOO_LARGE'],
    ['2000 overlapping branches', { oneOf: list(2000, (i) => ({ required: [`a${i}`] })) }, 'PATTERN_TOO_LARGE'],
    [
      'patterns of names that overlap',
      { patternProperties: record(40, (i) => [`a{${i}}.*b`, { type: 'null' }]) },
      'PATTERN_TOO_LARGE',
    ],
    ['a pattern and a length', { type: 'string', pattern: '(.*a.{14}){2}', maxLength: 9000 }, 'PATTERN_TOO_LARGE'],
    ['excluded texts', { type: 'string', not: { enum: list(20_000, (i) => i.toString(36)) } }, 'PATTERN_TOO_LARGE'],
    ['excluded numbers', { type: 'number', not: { enum: list(20_000, (i) => i) } }, 'PATTERN_TOO_LARGE'],
    [
      'distinct items',
      { uniqueItems: true, items: { enum: list(2000, (i) => i) }, maxItems: 1000 },
      'PATTERN_TOO_LARGE',
    ],
    ['a wanted item among many', { contains: { const: 1 }, maxItems: 1e9 }, 'PATTERN_TOO_LARGE'],
    ['nested negations', list(150, (i) => i).reduce<Schema>((inner) => ({ not: inner }), { type: 'null' }), 'made'],
    ['members without a schema', { properties: record(2000, (i) => [`p${i}`, {}]) }, 'PATTERN_TOO_LARGE'],
    [
      'counted members',
      { properties: record(900, (i) => [`p${i}`, { const: 1 }]), minProperties: 500 },
      'PATTERN_TOO_LARGE',
    ],
    [
      'many bounds',
      { anyOf: list(16_000, (i) => ({ type: 'integer', minimum: -98765432109876 - i, maximum: 98765432109876 })) },
      'PATTERN_TOO_LARGE',
    ],
  ])('%s', (_, schema, outcome) => expect(schemaOf(schema)).toBe(outcome))

  it('compiles mutually recursive definitions', () =>
    expect(schemaOf({ $defs: mutual, $ref: '#/$defs/d0' }, { recursionDepth: 3 })).toBe('made'))

  it('rejects deeply nested schemas and values', () => {
    let [schema, value]: [Schema, unknown] = [{ type: 'null' }, 0]
    for (let depth = 0; depth < 100_000; depth++) [schema, value] = [{ type: 'array', items: schema }, [value]]
    expect([schemaOf(schema), schemaOf({ const: value }), schemaOf({ type: 'null', default: value })]).toEqual([
      'BAD_SCHEMA',
      'BAD_SCHEMA',
      'BAD_SCHEMA',
    ])
  })
})

describe('requireKeywords and allOf compile or reject constraints in bounded time', () => {
  const words = (count: number, length: number) => list(count, (i) => String.fromCharCode(97 + i).repeat(length))

  it('compiles sixteen keywords of the maximum length', () =>
    expect(inTime(() => requireKeywords(words(16, 256), byBytes, [0]))).toBe('made'))

  it('rejects joined patterns with a product of states', () => {
    const patterns = [2, 3, 5, 7, 11, 13, 17].map((n) => constrainToPattern(`(?:.{${n}})*`, byBytes, [0]))
    expect(inTime(() => allOf(patterns))).toBe('PATTERN_TOO_LARGE')
    const long = [constrainToPattern('.{0,2000}', byBytes, [0]), requireKeywords(words(16, 30), byBytes, [0])]
    expect(inTime(() => allOf(long))).toBe('PATTERN_TOO_LARGE')
  })
})
