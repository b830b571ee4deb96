import { expect, it } from '@jest/globals'
import { constrainToSchema } from './constrain-to-schema.js'
import { admits } from './random-walk.test.fixture.js'
import { tokenizerOf } from './vocabulary.test.fixture.js'

const ends = [2]
const byteLevel = tokenizerOf('byte-level')
const allows = (constraint: ReturnType<typeof constrainToSchema>, value: unknown): boolean =>
  admits(constraint, ends, byteLevel.encode(JSON.stringify(value)).ids)

it('compiles definitions that refer to each other many times, building only the states that a text reaches', () => {
  const names = Array.from({ length: 40 }, (_, i) => `d${i}`)
  const properties = Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${name}` }]))
  const definition = { type: 'object', properties: { id: { type: 'string', maxLength: 4000 }, ...properties } }
  const schema = { $defs: Object.fromEntries(names.map((name) => [name, definition])), $ref: '#/$defs/d0' }
  const before = process.cpuUsage().user
  const constraint = constrainToSchema(schema, byteLevel, ends)
  expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(2)
  expect([
    allows(constraint, { id: 'a', d3: { id: 'b', d39: { id: 'c' } } }),
    allows(constraint, { d3: { id: 1 } }),
    allows(constraint, { id: 'x'.repeat(4000) }),
    allows(constraint, { id: 'x'.repeat(4001) }),
  ]).toEqual([true, false, true, false])
})

it('reads the vocabulary of a tokenizer once', () => {
  let asked = 0
  const tokenizer = { ...byteLevel, token: (id: number) => (asked++, byteLevel.token(id)) }
  constrainToSchema({ type: 'null' }, tokenizer, ends)
  constrainToSchema({ type: 'boolean' }, tokenizer, ends)
  expect(asked).toBe(byteLevel.vocabularySize)
})
