import type { Schema } from './schema.js'

/** A schema of a kind in use, with valid values in the order of its properties, and invalid ones. */
export interface SchemaInUse {
  readonly name: string
  readonly schema: Schema
  readonly valid: readonly unknown[]
  readonly invalid: readonly unknown[]
}

const string = { type: 'string' }
const text = (maxLength: number): Schema => ({ type: ['string', 'null'], maxLength })

export const SCHEMAS_IN_USE: readonly SchemaInUse[] = [
  {
    name: 'a function call with an untyped option',
    schema: {
      type: 'object',
      properties: {
        city: { type: 'string', 'x-order': 1 },
        unit: { enum: ['metric', 'imperial'], default: 'metric' },
        days: { type: 'integer', minimum: 1, maximum: 16, format: 'int32' },
        extra: {},
      },
      required: ['city'],
    },
    valid: [
      { city: 'Oslo', unit: 'metric', days: 16 },
      { city: '', extra: [1] },
    ],
    invalid: [{ city: 'Oslo', days: 17 }, { unit: 'metric' }, { city: 'Oslo', unit: 'kelvin' }],
  },
  {
    name: 'alternatives beside a type',
    schema: {
      type: 'object',
      properties: { path: string, inline: string, ref: { allOf: [{ $ref: '#/definitions/ref' }] } },
      anyOf: [{ required: ['path'] }, { required: ['inline'] }],
      additionalProperties: false,
      definitions: { ref: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] } },
    },
    valid: [{ path: 'a' }, { inline: 'b', ref: { id: 3 } }, { path: 'a', inline: 'b' }],
    invalid: [{}, { path: 'a', ref: {} }, { path: 'a', other: 1 }],
  },
  {
    name: 'an event table with lengths of a database',
    schema: {
      $schema: 'http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#',
      self: { vendor: 'com.example', name: 'click', format: 'jsonschema', version: '1-0-0' },
      type: 'object',
      properties: {
        id: { type: 'string', maxLength: 4096, format: 'uuid' },
        at: { type: 'string', format: 'date-time' },
        page: text(65_535),
        ...Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`field${i}`, text(4096)])),
        score: { type: ['number', 'null'], minimum: 0, maximum: 1 },
      },
      required: ['id'],
      additionalProperties: false,
    },
    valid: [
      { id: '00000000-0000-4000-8000-00000000000a', at: '2026-02-28T10:00:00Z', page: 'x'.repeat(5000), score: 0.25 },
      { id: '00000000-0000-4000-8000-00000000000a', field7: null },
    ],
    invalid: [{ id: 'x' }, { at: '2026-02-30T10:00:00Z' }, { id: '00000000-0000-4000-8000-00000000000a', score: 1.5 }],
  },
  {
    name: 'recursive traits that exclude each other by a constant',
    schema: {
      definitions: {
        element: { oneOf: [{ $ref: '#/definitions/text' }, { $ref: '#/definitions/list' }] },
        text: {
          type: 'object',
          properties: { type: { enum: ['text'] }, content: string },
          required: ['type', 'content'],
        },
        list: {
          type: 'object',
          properties: { type: { enum: ['list'] }, items: { type: 'array', items: { $ref: '#/definitions/element' } } },
          required: ['type', 'items'],
        },
      },
      type: 'object',
      properties: { _id: { type: 'string', pattern: '^([A-Z0-9]{4})$' }, body: { $ref: '#/definitions/element' } },
      required: ['body'],
    },
    valid: [{ _id: 'AB12', body: { type: 'list', items: [{ type: 'text', content: 'a' }] } }],
    invalid: [{ body: { type: 'text' } }, { _id: 'ab12', body: { type: 'text', content: '' } }, {}],
  },
  {
    name: 'a resource with a map of labels and a port as a number or a name',
    schema: {
      type: 'object',
      properties: {
        apiVersion: { type: ['string', 'null'] },
        labels: { type: ['object', 'null'], additionalProperties: { type: ['string', 'null'] } },
        port: { oneOf: [{ type: ['string', 'null'] }, { type: ['integer', 'null'] }] },
        args: { type: ['array', 'null'], items: { type: ['string', 'null'] } },
      },
      'x-kubernetes-group-version-kind': [{ kind: 'Pod' }],
    },
    valid: [{ apiVersion: 'v1', labels: { app: 'web' }, port: 80, args: ['a', null] }, { port: 'http' }, {}],
    invalid: [{ port: null }, { labels: { app: 1 } }, { port: 1.5 }],
  },
  {
    name: 'settings by pattern, with conditions',
    schema: {
      type: 'object',
      properties: { kind: { enum: ['file', 'url'] }, source: string, retries: { type: 'integer', minimum: 0 } },
      patternProperties: { '^x-': true },
      additionalProperties: false,
      required: ['kind'],
      if: { properties: { kind: { const: 'url' } } },
      then: { required: ['source'], properties: { source: { pattern: '^https?:\\/\\/(?!localhost)[\\w\\-.]+' } } },
      else: { not: { required: ['retries'] } },
    },
    valid: [{ kind: 'file' }, { kind: 'url', source: 'http://a.b', retries: 1 }, { kind: 'file', 'x-a': [] }],
    invalid: [{ kind: 'url' }, { kind: 'file', retries: 1 }, { kind: 'url', source: 'http://localhost' }],
  },
  {
    name: 'overlapping alternatives of objects',
    schema: {
      oneOf: [
        { type: 'object', properties: { a: string }, required: ['a'] },
        { type: 'object', properties: { b: string }, required: ['b'] },
        { type: 'array', items: { type: 'integer' }, uniqueItems: true, maxItems: 3 },
      ],
    },
    valid: [{ a: 'x' }, { b: 'x' }, [1, 2]],
    invalid: [{ a: 'x', b: 'x' }, {}, [1, 1]],
  },
]
