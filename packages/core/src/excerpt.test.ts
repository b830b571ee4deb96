import { describe, expect, it } from '@jest/globals'
import { AttuneError } from './error.js'
import { excerpt, escapeControls, shortened } from './excerpt.js'

describe('excerpt', () => {
  it.each([
    [[1, 'a', null, true, -2.5e3, { b: [], c: {} }]],
    [{ a: undefined, b: () => 1, c: [undefined, NaN], d: 'é"\\\n' }],
    [{ at: new Date(0), toJSON: 'a name like any other' }],
    ['text'],
    [17],
    [null],
  ])('returns the JSON of %j', (value) => expect(excerpt(value, 1000)).toBe(JSON.stringify(value)))

  it('returns the first characters of the JSON of a large value', () => {
    const value = { list: Array.from({ length: 50 }, (_, i) => ({ i })), ['key'.repeat(50)]: 'x'.repeat(500) }
    const json = JSON.stringify(value)
    for (const most of [0, 1, 5, 80, 400, 900]) expect(excerpt(value, most)).toBe(`${json.slice(0, most)}…`)
  })

  it('describes values that JSON cannot represent', () => {
    expect([undefined, () => 1, 12n, [1n]].map((value) => excerpt(value))).toEqual(['nothing', 'nothing', '12', '[1]'])
  })

  it('reads only the part of a value that it shows', () => {
    let nested: unknown = 1
    for (let depth = 0; depth < 100_000; depth++) nested = [nested]
    // Each level contains the one below twice: 2^60 leaves.
    let doubled: unknown = 'leaf'
    for (let depth = 0; depth < 60; depth++) doubled = [doubled, doubled]
    const cyclic: Record<string, unknown> = {}
    cyclic['again'] = cyclic
    for (const value of [nested, doubled, cyclic, 'x'.repeat(1e6)]) expect(excerpt(value)).toHaveLength(81)
  })
})

describe('shortened', () => {
  it('returns short texts unchanged and truncates others, never within a character', () => {
    expect([shortened('abc', 3), shortened('abcd', 3)]).toEqual(['abc', 'abc…'])
    expect(shortened('ab😀d', 3)).toBe('ab\ufffd…')
  })
})

describe('escapeControls', () => {
  it('escapes control and bidirectional formatting characters only', () => {
    expect(escapeControls('line\n\ttab é 😀 \u200d')).toBe('line\n\ttab é 😀 \u200d')
    expect(escapeControls('\u001b[2J\r\u009b1m\u007f\u202e\u2028')).toBe(
      String.raw`\u001b[2J\u000d\u009b1m\u007f\u202e\u2028`,
    )
  })

  it('is applied to the messages of errors', () => {
    const error = new AttuneError('BAD_ARGUMENT', 'got \u001b[31mred', 'Write \u0007.')
    expect([error.problem, error.remedy]).toEqual([String.raw`got \u001b[31mred`, String.raw`Write \u0007.`])
    expect(error.message).toBe(`${error.problem}\n${error.remedy}`)
  })
})
