import { describe, expect, it } from '@jest/globals'
import { deriveKey, key, stream } from '@attune/core'
import { Ajv as Ajv7 } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import { constrainToSchema } from './constrain-to-schema.js'
import { admits, randomWalk, textAfter } from './random-walk.test.fixture.js'
import type { Schema } from './schema.js'
import { tokenizerOf } from './vocabulary.test.fixture.js'

const ends = [2]
const byteLevel = tokenizerOf('byte-level')
const WORD = byteLevel.id('A')!
/** The reference validators: JSON Schema 2020-12, and draft 7 for array `items` and `dependencies`. */
const [newest, older] = [new Ajv2020({ strict: false, logger: false }), new Ajv7({ strict: false, logger: false })]
ajvFormats.default(newest)
ajvFormats.default(older)
const validatorOf = (schema: Schema) =>
  (Array.isArray(schema['items']) || 'dependencies' in schema ? older : newest).compile(schema)

const ADDRESS = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
/** Schemas with values that the constraint must allow, and values that it must not. */
const CASES: readonly (readonly [
  name: string,
  schema: Schema,
  valid: readonly unknown[],
  invalid: readonly unknown[],
])[] = [
  [
    'annotations',
    { type: 'string', 'x-order': 1, self: {}, links: [], readonly: true, $comment: 'c', examples: [1], unknown: 2 },
    ['a'],
    [1],
  ],
  [
    'a negated oneOf: valid under none or under two',
    {
      enum: [1, 2, 3, 4, 5, 'a'],
      not: {
        oneOf: [
          { maximum: 4, type: 'integer' },
          { minimum: 3, type: 'integer' },
        ],
      },
    },
    [3, 4, 'a'],
    [1, 2, 5],
  ],
  [
    'a negated oneOf of disjoint objects',
    {
      type: 'object',
      properties: { kind: { enum: ['a', 'b', 'c'] } },
      required: ['kind'],
      not: {
        oneOf: [{ properties: { kind: { const: 'a' } } }, { properties: { kind: { const: 'b' } } }],
      },
    },
    [{ kind: 'c' }],
    [{ kind: 'a' }, { kind: 'b' }],
  ],
  ['no keywords', {}, [null, true, 1.5, 'a', [1, ['a']], { a: { b: [] } }], []],
  [
    'boolean schemas',
    { type: 'object', properties: { a: true, b: false } },
    [{}, { a: 1 }, { a: [] }],
    [{ b: 1 }, { a: 1, b: 1 }],
  ],
  [
    'allOf with a reference',
    {
      $defs: { Address: ADDRESS },
      type: 'object',
      properties: { from: { allOf: [{ $ref: '#/$defs/Address' }], description: 'where it starts' } },
      required: ['from'],
    },
    [{ from: { city: 'Ulm' } }],
    [{}, { from: {} }, { from: 'Ulm' }, { from: { city: 1 } }],
  ],
  [
    'allOf of objects',
    { allOf: [ADDRESS, { properties: { city: { maxLength: 3 }, zip: { type: 'integer' } }, required: ['zip'] }] },
    [{ city: 'Ulm', zip: 1 }],
    [{ city: 'Ulm' }, { city: 'Bern', zip: 1 }, { zip: 1 }, 3],
  ],
  [
    'type beside anyOf',
    { type: ['string', 'null'], anyOf: [{ minLength: 2 }, { type: 'null' }] },
    ['ab', null],
    ['a', 1],
  ],
  [
    'required alternatives',
    {
      type: 'object',
      properties: { a: { type: 'null' }, b: { type: 'null' } },
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    [{ a: null }, { b: null }, { a: null, b: null }],
    [{}, { a: 1 }],
  ],
  [
    'oneOf of overlapping objects',
    {
      type: 'object',
      properties: { a: { type: 'null' }, b: { type: 'null' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    [{ a: null }, { b: null }],
    [{}, { a: null, b: null }],
  ],
  ['oneOf of a type and a wider one', { oneOf: [{ type: 'integer' }, { type: 'number' }] }, [0.5, -2.25], [1, 0, 'a']],
  ['oneOf of strings', { oneOf: [{ type: 'string', minLength: 2 }, { enum: ['a', 'bb'] }] }, ['a', 'cc'], ['bb', 'c']],
  [
    'additional members',
    { type: 'object', properties: { a: { type: 'integer' } }, additionalProperties: { type: 'string' } },
    [{}, { a: 1 }, { b: 'x' }, { a: 1, b: 'x', c: 'y' }],
    [{ a: 'x' }, { b: 1 }],
  ],
  [
    'patterns of names',
    {
      type: 'object',
      patternProperties: { '^x-': { type: 'integer' }, '\\d$': { minimum: 3 } },
      additionalProperties: false,
    },
    [{}, { 'x-a': 1 }, { 'x-1': 3 }, { b1: 'c', b2: 4 }],
    [{ 'x-a': 'b' }, { 'x-1': 2 }, { b: 1 }],
  ],
  [
    'required members without a schema',
    { type: 'object', required: ['b'], additionalProperties: { type: 'integer' } },
    [{ b: 1 }, { b: 1, a: 2 }],
    [{}, { a: 1 }, { b: 'x' }],
  ],
  [
    'numbers of members',
    {
      type: 'object',
      properties: { a: { const: 1 }, b: { const: 2 }, c: { const: 3 } },
      minProperties: 1,
      maxProperties: 2,
    },
    [{ a: 1 }, { a: 1, c: 3 }, { b: 2, c: 3 }],
    [{}, { a: 1, b: 2, c: 3 }],
  ],
  ['names', { type: 'object', propertyNames: { pattern: '^[a-z]$' } }, [{}, { a: 1, b: [] }], [{ A: 1 }, { ab: 1 }]],
  [
    'dependencies',
    {
      type: 'object',
      properties: { a: { const: 1 }, b: { const: 2 }, c: { const: 3 } },
      dependencies: { a: ['b'], b: { required: ['c'] } },
    },
    [{}, { c: 3 }, { b: 2, c: 3 }, { a: 1, b: 2, c: 3 }],
    [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }],
  ],
  [
    'conditions',
    {
      type: 'object',
      properties: { kind: { enum: ['a', 'b'] }, size: { type: 'integer' } },
      required: ['kind'],
      if: { properties: { kind: { const: 'a' } } },
      then: { required: ['size'] },
      else: { properties: { size: false } },
    },
    [{ kind: 'a', size: 1 }, { kind: 'b' }],
    [{ kind: 'a' }, { kind: 'b', size: 1 }, {}],
  ],
  ['negation', { type: ['string', 'integer'], not: { enum: ['a', 3] } }, ['b', '', 'aa', 2, 4], ['a', 3, null]],
  [
    'unevaluated members',
    {
      type: 'object',
      allOf: [{ properties: { a: { const: 1 } } }],
      properties: { b: { const: 2 } },
      unevaluatedProperties: false,
    },
    [{ b: 2 }, { b: 2, a: 1 }],
    [{ c: 1 }, { a: 2 }],
  ],
  [
    'tuples',
    { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], items: { type: 'null' }, minItems: 1 },
    [[1], [1, 'a'], [1, 'a', null, null]],
    [[], ['a'], [1, 2], [1, 'a', 3]],
  ],
  [
    'tuples of draft 7',
    { type: 'array', items: [{ type: 'integer' }, { type: 'string' }], additionalItems: false },
    [[], [1], [1, 'a']],
    [['a'], [1, 'a', 3]],
  ],
  [
    'a wanted item',
    { type: 'array', items: { type: 'integer' }, contains: { minimum: 5 } },
    [[5], [1, 7], [9, 1]],
    [[], [1, 2]],
  ],
  [
    'distinct listed items',
    { type: 'array', items: { enum: ['a', 'b', 'c'] }, uniqueItems: true, minItems: 1 },
    [['a'], ['c', 'a'], ['b', 'c', 'a']],
    [[], ['a', 'a'], ['a', 'b', 'a']],
  ],
  [
    'distinct strings',
    { type: 'array', items: { type: 'string' }, uniqueItems: true },
    [[], ['api', 'backend', 'web'], ['', 'x']],
    [
      ['a', 'a'],
      ['web', 'api', 'web'],
    ],
  ],
  [
    'bounds of numbers',
    { type: 'array', items: { type: 'number', minimum: -1.5, exclusiveMaximum: 2 } },
    [[-1.5, -1.25, -0.001, 0, 0.5, 1, 1.999999, 1.5]],
    [[2], [-1.51], [2.5], [-2], [10], [1e5]],
  ],
  [
    'a bound of numbers',
    { type: 'array', items: { type: 'number', exclusiveMinimum: 12.5 } },
    [[12.51, 13, 99, 100, 1e300, 123456789.125]],
    [[12.5], [12.4], [0], [-13], [1]],
  ],
  [
    'multiples',
    { type: 'array', items: { type: 'integer', multipleOf: 3, minimum: 0 } },
    [[0, 3, 99, 3000]],
    [[1], [-3], [100]],
  ],
  ['multiples of a fraction', { type: 'number', multipleOf: 0.25 }, [0, 0.25, 1.5, -7.75, 3], [0.1, 0.3]],
  [
    'a pattern, a length and a format',
    {
      type: 'array',
      items: {
        anyOf: [
          { type: 'string', pattern: '^[a-z]+$', minLength: 2, maxLength: 4 },
          { type: 'string', format: 'ipv4', pattern: '^10' },
        ],
      },
    },
    [['ab', 'abcd', '10.0.0.1']],
    [['a'], ['abcde'], ['AB'], ['11.0.0.1']],
  ],
  [
    'formats',
    {
      type: 'array',
      items: { anyOf: ['time', 'ipv4', 'ipv6', 'uri', 'duration'].map((format) => ({ type: 'string', format })) },
    },
    [
      [
        '23:59:59Z',
        '255.0.10.1',
        '::1',
        'fe80::1:2',
        '1:2:3:4:5:6:7:8',
        'https://example.org/a?b=c#d',
        'P1DT2H',
        'urn:a:b',
      ],
    ],
    [['24:00:00Z'], ['256.0.0.1'], [':::'], ['example'], ['P']],
  ],
  ...['hostname', 'uri-reference', 'uri-template', 'json-pointer', 'relative-json-pointer', 'regex', 'byte'].map(
    (format) => [`the format ${format}`, { type: 'string', format }, [], []] as const,
  ),
  ['a format beside an integer', { type: 'integer', format: 'int32' }, [1, -2147483648], ['1', 2147483648]],
  ['an unknown format', { type: 'string', format: 'color' }, ['red'], [1]],
  ['exclusive bounds of draft 4', { type: 'integer', multipleOf: 2, enum: [1, 2, 'a', 4] }, [2, 4], [1, 'a']],
  ['anchors', { $ref: '#one', $defs: { a: { $anchor: 'one', type: 'integer' } } }, [1], ['a']],
  [
    'an embedded schema',
    { $id: 'https://example.org/a', $ref: 'b', $defs: { b: { $id: 'b', type: 'integer' } } },
    [1],
    ['a'],
  ],
]

describe.each(CASES)('constrainToSchema with %s', (_, schema, valid, invalid) => {
  const constraint = constrainToSchema(schema, byteLevel, ends)
  const accepts = validatorOf(schema)
  const allowed = (value: unknown): boolean => admits(constraint, ends, byteLevel.encode(JSON.stringify(value)).ids)

  it('allows valid values and no invalid ones', () => {
    for (const value of valid) expect([value, accepts(value), allowed(value)]).toEqual([value, true, true])
    for (const value of invalid) expect([value, accepts(value), allowed(value)]).toEqual([value, false, false])
  })

  it('generates only values that ajv accepts', () => {
    for (let i = 0; i < 12; i++) {
      const ids = randomWalk(constraint, ends, i % 2 === 0 ? 250 : 60, stream(deriveKey(key(11), i)))
      const text = textAfter(byteLevel, WORD, ids)
      expect([text, accepts(JSON.parse(text)), accepts.errors]).toEqual([text, true, null])
    }
  })
})

describe('constrainToSchema', () => {
  it('excludes a bound that rounding could reach', () => {
    const constraint = constrainToSchema({ type: 'number', minimum: 0, exclusiveMaximum: 1 }, byteLevel, ends)
    const allowed = (text: string): boolean => admits(constraint, ends, byteLevel.encode(text).ids)
    expect(['0.99999999999999', '0.99999999999999999999', '1'].map(allowed)).toEqual([true, false, false])
  })

  it('allows a recursive schema up to the default depth', () => {
    const list = { type: 'object', properties: { next: { $ref: '#' } }, additionalProperties: false }
    const constraint = constrainToSchema(list, byteLevel, ends)
    const allowed = (text: string): boolean => admits(constraint, ends, byteLevel.encode(text).ids)
    expect(['{}', '{"next":{"next":{}}}', '{"next":{"next":{"next":{}}}}'].map(allowed)).toEqual([true, true, false])
  })
})
