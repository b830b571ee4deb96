import { describe, expect, it } from '@jest/globals'
import { type Key, deriveKey, key, stream } from '@attune/core'
import { memberNames, tinyTokenizer } from '@attune/testkit'
import { Ajv } from 'ajv'
import ajvFormats from 'ajv-formats'
import { constrainToSchema } from './constrain-to-schema.js'
import { admits, randomWalk, textAfter } from './random-walk.test.fixture.js'
import { FORMATS } from './json-formats.js'
import { matches, regularExpression } from './regular-expression.js'
import type { Schema } from './schema.js'
import { tokenizerOf } from './vocabulary.test.fixture.js'

const ajv = new Ajv({ strict: false })
ajvFormats.default(ajv)
const ends = [2]
const byteLevel = tokenizerOf('byte-level')
const WORD = byteLevel.id('A')!
const MOST = 400

const PERSON: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 12 },
    age: { type: 'integer', minimum: 0, maximum: 130 },
    email: { type: 'string' },
    tags: { type: 'array', items: { enum: ['new', 'old', 'a "quoted"\nword'] }, minItems: 1, maxItems: 3 },
    score: { type: ['number', 'null'] },
    active: { type: 'boolean' },
  },
  required: ['name', 'age', 'tags'],
  additionalProperties: false,
}
const SHAPE = {
  oneOf: [
    { $ref: '#/$defs/circle' },
    {
      type: 'object',
      properties: {
        kind: { const: 'box' },
        sides: { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 2 },
      },
      required: ['kind'],
    },
    { type: 'null' },
  ],
  $defs: {
    circle: {
      type: 'object',
      properties: { kind: { const: 'circle' }, radius: { type: 'number', minimum: 0 } },
      required: ['kind', 'radius'],
    },
  },
}
const TREE: Schema = {
  $ref: '#/$defs/tree',
  $defs: {
    tree: {
      type: 'object',
      properties: { value: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/$defs/tree' } } },
      required: ['value'],
      additionalProperties: false,
    },
  },
}
/** Schemas with valid values that the constraint must allow. */
const CASES: readonly (readonly [name: string, schema: Schema, values: readonly unknown[]])[] = [
  [
    'person',
    PERSON,
    [
      { name: 'Émile', age: 0, tags: ['new'] },
      {
        name: '日本 😀"\\/\n\u0001\u001f',
        age: 130,
        email: '',
        tags: ['old', 'new', 'a "quoted"\nword'],
        score: -0.5,
        active: false,
      },
      { name: 'x', age: 42, tags: ['new', 'new'], score: null },
      { name: 'x', age: 42, tags: ['new'], active: true },
    ],
  ],
  ['shape', SHAPE, [null, { kind: 'circle', radius: 2.5 }, { kind: 'box' }, { kind: 'box', sides: [1, -2] }]],
  [
    'options only',
    { type: 'object', properties: { a: { const: 1 }, b: { const: 2 }, c: { const: 3 } } },
    [{}, { a: 1 }, { b: 2 }, { c: 3 }, { a: 1, b: 2 }, { a: 1, c: 3 }, { b: 2, c: 3 }, { a: 1, b: 2, c: 3 }],
  ],
  [
    'numbers',
    { type: 'array', items: { type: 'number' } },
    [[], [0, -1, 1.5, 1e21, 1e-7, 123456789012345680000, 5e-324, 1e300, -2.5e-10, 0.000001, 0.1 + 0.2, 4.35e25]],
  ],
  [
    'integers',
    { type: 'array', items: { type: 'integer' } },
    [[0, -1, 9007199254740991, -9007199254740991, 100, 123456789012345680000]],
  ],
  [
    'strings',
    { type: 'array', items: { type: 'string' } },
    [['', ' ', '\u0000\b\f\n\r\t\u007f\u2028', 'é\ud7ff\ue000\uffff😀\u{10ffff}', '</script>', '\\u0041', '"']],
  ],
  [
    'strings of few characters',
    { type: 'array', items: { type: 'string', minLength: 2, maxLength: 3 } },
    [['ab', '😀"é', '\n\\']],
  ],
  [
    'patterns',
    {
      type: 'array',
      items: {
        anyOf: [
          { type: 'string', pattern: '^[A-Z]{2}-\\d+$' },
          { type: 'string', pattern: 'a"b|^\\\\' },
          { type: 'string', pattern: '^$' },
        ],
      },
    },
    [['AB-12', 'xa"by', '\\\n', '', 'a"b']],
  ],
  [
    'formats',
    {
      type: 'array',
      items: { anyOf: ['date', 'date-time', 'uuid', 'email'].map((format) => ({ type: 'string', format })) },
    },
    [
      ['2024-02-29', '2000-02-29', '1999-12-31', '2024-01-31T23:59:59Z', '2024-06-30T00:00:00.123+05:30'],
      ['123e4567-e89b-12d3-a456-426614174000', 'ada@example.org', 'a.b+c@mail.example.co.uk'],
    ],
  ],
  [
    'lists',
    { type: 'array', minItems: 2, items: { type: 'array', maxItems: 1, items: { type: 'boolean' } } },
    [
      [[], []],
      [[true], [], [false]],
    ],
  ],
  ['no items', { type: 'array', maxItems: 0 }, [[]]],
  [
    'values',
    { enum: [1, 'one', null, { a: [1, 2], b: {} }, [], -0.5, true] },
    [1, 'one', null, { a: [1, 2], b: {} }, [], -0.5, true],
  ],
  ['values of a type', { type: ['string', 'integer'], enum: [1, 'one', null, 1.5] }, [1, 'one']],
  [
    'names to be escaped',
    { type: 'object', properties: { 'a"b\\': { type: 'null' }, é: { type: 'null' } }, required: ['é'] },
    [{ é: null }, { 'a"b\\': null, é: null }],
  ],
  ['pointers', { $ref: '#/$defs/a~1b', $defs: { 'a/b': { const: 'x' } } }, ['x']],
]

const generated = (text: string, spaces: boolean): string =>
  spaces
    ? text.replaceAll(/("(?:[^"\\]|\\.)*")|([:,])/g, (_, string: string, sign: string) => string ?? `${sign} `)
    : text

describe.each([false, true])('constrainToSchema, spaces: %s', (spaces) => {
  it.each(CASES)('generates only valid JSON: %s', (_, schema) => {
    const constraint = constrainToSchema(schema, byteLevel, ends, { spaces })
    const accepts = ajv.compile(schema)
    for (let i = 0; i < 40; i++) {
      const ids = randomWalk(constraint, ends, i % 2 === 0 ? MOST : 90, stream(deriveKey(key(7), i)))
      const text = textAfter(byteLevel, WORD, ids)
      const value: unknown = JSON.parse(text)
      if (!accepts(value)) throw new Error(`${text}: ${ajv.errorsText(accepts.errors)}`)
    }
  })

  it.each(CASES)('allows any value in canonical spelling: %s', (_, schema, values) => {
    const constraint = constrainToSchema(schema, byteLevel, ends, { spaces })
    for (const value of values) {
      expect([value, ajv.validate(schema, value)]).toEqual([value, true])
      const text = generated(JSON.stringify(value), spaces)
      expect([text, admits(constraint, ends, byteLevel.encode(text).ids)]).toEqual([text, true])
    }
  })
})

/** A random schema with a value that it accepts. */
function randomSchema(random: () => number, depth: number): { schema: Schema; value: unknown } {
  const whole = (most: number): number => Math.floor(random() * (most + 1))
  const kind = whole(depth === 0 ? 4 : 7)
  const letters = [...'ab"\\\n é日😀']
  const word = (length: number): string => Array.from({ length }, () => letters[whole(letters.length - 1)]).join('')
  if (kind === 0) {
    const [min, more, extra] = [whole(3), whole(3), whole(3)]
    const value = word(min + Math.min(more, extra))
    return {
      schema: { type: 'string', minLength: min, ...(random() < 0.7 ? { maxLength: min + more } : {}) },
      value,
    }
  }
  if (kind === 1) {
    const size = 10 ** whole(6)
    const [a, b] = [whole(2 * size) - size, whole(2 * size) - size].sort((x, y) => x - y) as [number, number]
    const value = a + whole(b - a)
    return random() < 0.5
      ? { schema: { type: 'integer', minimum: a, maximum: b }, value }
      : { schema: { type: 'integer', exclusiveMinimum: a - 1, exclusiveMaximum: b + 1 }, value }
  }
  if (kind === 2)
    return { schema: { type: 'integer', ...(random() < 0.5 ? { minimum: 3.5 } : { maximum: 7 }) }, value: 4 + whole(3) }
  if (kind === 3)
    return {
      schema: { type: ['boolean', 'null', 'number'] },
      value: [true, false, null, random(), 1 / random()][whole(4)],
    }
  if (kind === 4) return { schema: { enum: ['x', 3, [word(2)]] }, value: ['x', 3][whole(1)] }
  const parts = Array.from({ length: 1 + whole(3) }, () => randomSchema(random, depth - 1))
  if (kind === 5)
    return { schema: { anyOf: parts.map(({ schema }) => schema) }, value: parts[whole(parts.length - 1)]!.value }
  if (kind === 6) {
    const [{ schema, value }] = parts as [{ schema: Schema; value: unknown }]
    const [min, more] = [whole(2), whole(2)]
    const length = min + whole(more)
    return {
      schema: { type: 'array', items: schema, minItems: min, maxItems: min + more },
      value: Array.from({ length }, () => value),
    }
  }
  const names = parts.map((_, i) => `${word(1 + whole(3))}${i}`)
  const required = names.filter(() => random() < 0.5)
  const kept = names.flatMap((name, i) =>
    required.includes(name) || random() < 0.5 ? [[name, parts[i]!.value] as const] : [],
  )
  const properties = Object.fromEntries(names.map((name, i) => [name, parts[i]!.schema]))
  return {
    schema: { type: 'object', properties, required, additionalProperties: false },
    value: Object.fromEntries(kept),
  }
}

// Not compared with Ajv, which ignores the property `__proto__`.
it('constrainToSchema requires and constrains properties with the names of members of every object', () => {
  const names = memberNames
  const properties = Object.fromEntries(names.map((name) => [name, { enum: [1, 2] }]))
  const schema = { type: 'object', properties, required: names, additionalProperties: false }
  const constraint = constrainToSchema(schema, byteLevel, ends)
  const isAdmitted = (members: readonly (readonly [string, number])[]): boolean =>
    admits(constraint, ends, byteLevel.encode(JSON.stringify(Object.fromEntries(members))).ids)
  const all = names.map((name): [string, number] => [name, 1])
  expect(isAdmitted(all)).toBe(true)
  for (const [at, name] of names.entries()) {
    expect([name, isAdmitted(all.toSpliced(at, 1))]).toEqual([name, false])
    expect([name, isAdmitted(all.with(at, [name, 3]))]).toEqual([name, false])
  }
})

describe('constrainToSchema with random schemas', () => {
  const walked = (seed: Key): void => {
    const random = stream(seed)
    const { schema, value } = randomSchema(random, 3)
    const constraint = constrainToSchema(schema, byteLevel, ends)
    const accepts = ajv.compile(schema)
    const wanted = JSON.stringify(value)
    expect([schema, wanted, accepts(value)]).toEqual([schema, wanted, true])
    expect([schema, wanted, admits(constraint, ends, byteLevel.encode(wanted).ids)]).toEqual([schema, wanted, true])
    for (let i = 0; i < 5; i++) {
      const text = textAfter(byteLevel, WORD, randomWalk(constraint, ends, MOST, random))
      expect([schema, text, accepts(JSON.parse(text))]).toEqual([schema, text, true])
    }
  }

  it('generates only valid values and allows every valid value', () => {
    for (let seed = 0; seed < 120; seed++) walked(deriveKey(key(9), seed))
  })
})

describe('constrainToSchema', () => {
  it('enforces integer bounds exactly', () => {
    const bounds = [
      [0, 0],
      [-3, 7],
      [-120, -7],
      [8, 1204],
      [99, 101],
      [-1000, 1000],
      [5, 4],
      [1.5, 2.5],
    ] as const
    for (const [minimum, maximum] of bounds) {
      const make = (): ReturnType<typeof constrainToSchema> =>
        constrainToSchema({ type: 'integer', minimum, maximum }, tinyTokenizer(), [3])
      if (minimum > maximum) {
        expect(make).toThrow(expect.objectContaining({ code: 'NOT_SPELLABLE' }))
        continue
      }
      const constraint = make()
      const ids = (text: string): number[] => Array.from(text, (letter) => tinyTokenizer().id(letter)!)
      for (let n = -1300; n <= 1300; n++)
        expect([n, admits(constraint, [3], ids(`${n}`))]).toEqual([n, minimum <= n && n <= maximum])
      for (const text of ['-0', '00', '01', '+1', '1.0', '']) expect(admits(constraint, [3], ids(text))).toBe(false)
    }
  })

  it('validates the days of each month and the hours of each day', () => {
    const two = (n: number): string => String(n).padStart(2, '0')
    const date = regularExpression(FORMATS['date']!)
    for (const year of ['0004', '1900', '1996', '1999', '2000', '2023', '2024', '2100'])
      for (let month = 0; month <= 13; month++)
        for (let day = 0; day <= 32; day++) {
          const text = `${year}-${two(month)}-${two(day)}`
          expect([text, matches(date, text)]).toEqual([text, ajv.validate({ format: 'date' }, text)])
        }
    const time = regularExpression(FORMATS['date-time']!)
    for (let hour = 0; hour <= 25; hour++)
      for (const rest of [
        '00:00Z',
        '59:59Z',
        '60:00Z',
        '00:61Z',
        '07:09.5+23:59',
        '07:09.5+24:00',
        '07:09',
        '07:09.Z',
      ]) {
        const text = `2024-01-01T${two(hour)}:${rest}`
        expect([text, matches(time, text)]).toEqual([text, ajv.validate({ format: 'date-time' }, text)])
      }
  })

  it.each([1, 3])('allows recursion up to recursionDepth: %d', (recursionDepth) => {
    const constraint = constrainToSchema(TREE, byteLevel, ends, { recursionDepth })
    const nested = (depth: number): unknown =>
      depth === 0 ? { value: 0 } : { value: depth, children: [nested(depth - 1)] }
    const allows = (depth: number): boolean =>
      admits(constraint, ends, byteLevel.encode(JSON.stringify(nested(depth))).ids)
    expect([allows(0), allows(recursionDepth), allows(recursionDepth + 1)]).toEqual([true, true, false])
    const accepts = ajv.compile(TREE)
    for (let i = 0; i < 20; i++) {
      const text = textAfter(byteLevel, WORD, randomWalk(constraint, ends, 200, stream(deriveKey(key(3), i))))
      expect(accepts(JSON.parse(text))).toBe(true)
    }
  })

  it('supports vocabularies with byte fallback', () => {
    const tokenizer = tokenizerOf('fallback')
    const constraint = constrainToSchema(PERSON, tokenizer, ends)
    const accepts = ajv.compile(PERSON)
    for (let i = 0; i < 20; i++) {
      const ids = randomWalk(constraint, ends, 200, stream(deriveKey(key(4), i)))
      expect(accepts(JSON.parse(textAfter(tokenizer, tokenizer.id('a')!, ids)))).toBe(true)
    }
  })

  it('rejects invalid and unsupported keywords with their location', () => {
    const property = (schema: unknown): Schema => ({ type: 'object', properties: { x: schema } })
    const refused: readonly (readonly [Schema, RegExp])[] = [
      [property({ type: 'number', multipleOf: 0.01 }), /multipleOf must be .* got 0.01, at #\/properties\/x /],
      [property({ type: 'integer', minimum: '3' }), /minimum must be a number/],
      [property('x'), /must be an object or a boolean, got "x"/],
      [property({ type: 'text' }), /type must be one of .*"text"/],
      [property({ type: { toString: 1 } }), /type must be one of .*"toString"/],
      [{ oneOf: [{ type: [{ toString: 'null' }] }, { type: 'null' }] }, /must be disjoint|type must be one of/],
      [property({ type: 'string', pattern: { toString: 1 } }), /pattern must be a string/],
      [property({ type: 'string', minLength: -1 }), /minLength must be a non-negative integer/],
      [property({ not: { format: 'date' }, type: 'string' }), /inverse of the keyword format/],
      [property({ enum: 'x' }), /enum must be an array/],
      [{ type: 'object', required: true }, /required must be an array of names, got true/],
      [{ type: 'array', contains: {}, maxContains: 2 }, /keyword maxContains is not supported/],
      [{ type: 'array', allOf: [{ contains: { const: 1 } }, { contains: { const: 2 } }] }, /contains .* only once/],
      [{ type: 'object', minProperties: 3 }, /minProperties must be at most/],
      [{ $dynamicRef: '#node' }, /keyword \$dynamicRef is not supported/],
      [
        {
          oneOf: [
            { type: 'string', format: 'date' },
            { type: 'string', format: 'email' },
          ],
        },
        /must be disjoint/,
      ],
      [{ $ref: '#/$defs/none' }, /\$ref must point to/],
      [{ $ref: '#anchor' }, /\$ref must point to/],
      [{ $ref: 'https://example.org/schema' }, /\$ref must point to/],
      [{ $ref: '#' }, /refers to itself/],
    ]
    for (const [schema, why] of refused)
      expect(() => constrainToSchema(schema, byteLevel, ends)).toThrow(
        expect.objectContaining({ code: 'BAD_SCHEMA', problem: expect.stringMatching(why) as never }),
      )
    expect(() => constrainToSchema(TREE, byteLevel, ends, { recursionDepth: 0 })).toThrow(
      expect.objectContaining({ code: 'BAD_SCHEMA', problem: expect.stringMatching(/is recursive/) as never }),
    )
    const code = (code: string): never => expect.objectContaining({ code }) as never
    expect(() => constrainToSchema(property({ type: 'string', pattern: '(?<=a)b' }), byteLevel, ends)).toThrow(
      code('BAD_PATTERN'),
    )
    expect(() => constrainToSchema({ type: 'string', minLength: 1e7 }, byteLevel, ends)).toThrow(
      code('PATTERN_TOO_LARGE'),
    )
    // WordPiece puts a space around each punctuation mark: `{ " a`.
    const strange = { type: 'object', properties: { a: { type: 'null' } }, required: ['a'] }
    expect(() => constrainToSchema(strange, tokenizerOf('wordpiece'), ends)).toThrow(code('NOT_SPELLABLE'))
  })
})
