import { describe, expect, it } from '@jest/globals'
import { deriveKey, key, stream } from '@attune/core'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { constrainToSchema } from './constrain-to-schema.js'
import { admits, randomWalk, textAfter } from './random-walk.test.fixture.js'
import { SCHEMAS_IN_USE } from './schemas-in-use.test.fixture.js'
import { tokenizerOf } from './vocabulary.test.fixture.js'

const ends = [2]
const byteLevel = tokenizerOf('byte-level')
const WORD = byteLevel.id('A')!
const ajv = new Ajv({ strict: false, logger: false })
formats.default(ajv)
const TEXTS = Number(process.env['TEXTS'] ?? 12)

describe.each(SCHEMAS_IN_USE)('constrainToSchema, for $name', ({ schema, valid, invalid }) => {
  const { $schema: _, ...rest } = schema
  const accepts = ajv.compile(rest)
  const constraint = constrainToSchema(schema, byteLevel, ends)
  const allows = (value: unknown): boolean => admits(constraint, ends, byteLevel.encode(JSON.stringify(value)).ids)

  it('allows the valid values and no invalid one', () => {
    expect(valid.map((value) => [value, accepts(value), allows(value)])).toEqual(
      valid.map((each) => [each, true, true]),
    )
    expect(invalid.map((value) => [value, accepts(value), allows(value)])).toEqual(
      invalid.map((each) => [each, false, false]),
    )
  })

  it('generates only values that ajv accepts', () => {
    for (let i = 0; i < TEXTS; i++) {
      const random = stream(deriveKey(key(31), i))
      const text = textAfter(byteLevel, WORD, randomWalk(constraint, ends, i % 3 === 0 ? 300 : 60, random))
      expect([text, accepts(JSON.parse(text))]).toEqual([text, true])
    }
  })
})

it('resolves references to other documents, by address and by identifier', () => {
  const documents = {
    'city.json': {
      definitions: { city: { type: 'string', maxLength: 3 } },
      properties: { city: { $ref: '#/definitions/city' } },
    },
    other: { $id: 'https://example.com/unit', enum: ['m', 'ft'] },
  }
  const schema = {
    $id: 'https://example.com/schemas/root.json',
    type: 'object',
    properties: { from: { $ref: 'city.json' }, unit: { $ref: '/unit' }, to: { $ref: 'city.json#/definitions/city' } },
  }
  const constraint = constrainToSchema(schema, byteLevel, ends, { documents })
  const values = [
    { from: { city: 'abc' }, unit: 'm', to: 'x' },
    { from: { city: 'abcd' } },
    { unit: 'km' },
    { to: 'long' },
  ]
  expect(values.map((value) => admits(constraint, ends, byteLevel.encode(JSON.stringify(value)).ids))).toEqual([
    ...[true, false, false, false],
  ])
  expect(() => constrainToSchema(schema, byteLevel, ends)).toThrow(/pass its document as an option: `documents`/)
})

it('generates texts of the format url that ajv accepts', () => {
  const accepts = ajv.compile({ type: 'string', format: 'url' })
  const constraint = constrainToSchema({ type: 'string', format: 'url' }, byteLevel, ends)
  for (let i = 0; i < TEXTS; i++) {
    const random = stream(deriveKey(key(32), i))
    const text = textAfter(byteLevel, WORD, randomWalk(constraint, ends, 60, random))
    expect([text, accepts(JSON.parse(text))]).toEqual([text, true])
  }
})

describe('narrowed', () => {
  const keywords = (schema: object) =>
    constrainToSchema(schema as never, byteLevel, ends).narrowed.map(({ keyword, at, count }) => [keyword, at, count])

  it('is empty if every valid value is generated', () =>
    expect([
      keywords({ enum: ['a', 1, null] }),
      keywords({ type: 'array', items: { type: 'boolean' }, uniqueItems: true }),
      keywords({ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false }),
      keywords({ type: 'integer', minimum: 0, maximum: 9 }),
    ]).toEqual([[], [], [], []]))

  it('names the keywords of which some valid values are not generated, and where', () => {
    expect(keywords({ type: 'array', items: { type: 'string' }, uniqueItems: true })).toEqual([['uniqueItems', '#', 1]])
    expect(keywords({ properties: { a: { format: 'date-time', type: 'string' } }, type: 'object' })).toEqual([
      ['properties', '#', 1],
      ['format', '#/properties/a', 1],
    ])
    expect(keywords({ $defs: { t: { type: 'array', items: { $ref: '#/$defs/t' } } }, $ref: '#/$defs/t' })).toEqual([
      ['$ref', '#/$defs/t', 1],
    ])
    expect(keywords({ type: 'array', items: [{ type: 'null' }] })).toEqual([['items', '#', 1]])
    expect(keywords({ type: 'number' })).toEqual([['type', '#', 1]])
  })
})
