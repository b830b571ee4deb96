import { describe, expect, it } from '@jest/globals'
import { isRecord, parseJson } from './json.js'

describe('parseJson', () => {
  it.each([[[1, -2.5e3, 'é"\\', null, true]], [{ a: { b: [{}, []] }, __proto__: null }], ['text'], [0]])(
    'matches JSON.parse on %j',
    (value) => {
      const text = JSON.stringify(value)
      expect(parseJson(text)).toEqual(JSON.parse(text))
    },
  )

  it('accepts nesting up to the limit and rejects the next level before parsing', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(parseJson(nested(128))).toEqual(JSON.parse(nested(128)))
    expect(() => parseJson(nested(129))).toThrow('nested more than 128 deep')
    expect(() => parseJson('{"a":'.repeat(3) + '1' + '}'.repeat(3), 2)).toThrow('nested more than 2 deep')
    expect(() => parseJson('['.repeat(1_000_000))).toThrow(SyntaxError)
  })

  it('ignores brackets in strings', () => {
    const text = JSON.stringify({ a: '['.repeat(500), b: '"[{\\"'.repeat(200) })
    expect(parseJson(text)).toEqual(JSON.parse(text))
  })

  it('rejects invalid JSON', () => {
    for (const text of ['', '{', '[1,]', "'a'", '"\\']) expect(() => parseJson(text)).toThrow(SyntaxError)
  })
})

describe('isRecord', () => {
  it('is true for objects only, not for null, arrays or primitives', () => {
    expect([{}, Object.create(null), [], null, 'a', 1, undefined].map(isRecord)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ])
  })
})
