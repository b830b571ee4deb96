import { describe, expect, it } from '@jest/globals'
import { deriveKey, key, stream } from '@attune/core'
import { tinyTokenizer } from '@attune/testkit'
import type { Constraint } from '../constraint.js'
import { allOf } from './all-of.js'
import { constrainToPattern } from './constrain-to-pattern.js'
import { constrainToSchema } from './constrain-to-schema.js'
import { admits, randomWalk, textAfter } from './random-walk.test.fixture.js'
import { requireKeywords } from './require-keywords.js'
import { tokenizerOf } from './vocabulary.test.fixture.js'

const ends = [2]
const tokenizer = tokenizerOf('byte-level')
const word = tokenizer.id('a')!
const walks = (constraint: Constraint, room: number): string[] =>
  Array.from({ length: 60 }, (_, i) => {
    const random = stream(deriveKey(key(4), i))
    return textAfter(tokenizer, word, randomWalk(constraint, ends, room + Math.floor(random() * 12), random))
  })

describe('allOf', () => {
  it('satisfies both constraints, even if few tokens remain', () => {
    const pattern = /^(cat|dog|bird)( sat on (mat|rug|log)){1,3}$/
    const joined = allOf([
      constrainToPattern(pattern.source.slice(1, -1), tokenizer, ends),
      requireKeywords(['rug', 'dog'], tokenizer, ends),
    ])
    for (const text of walks(joined, 20)) {
      expect(text).toMatch(pattern)
      expect(text).toMatch(/(?=.*rug)(?=.*dog)/)
    }
  })

  it('satisfies a schema, a pattern and a keyword at once', () => {
    const schema = {
      type: 'object',
      properties: { kind: { enum: ['tool', 'image', 'format'] }, size: { type: 'integer', minimum: 0, maximum: 40 } },
      required: ['kind', 'size'],
    } as const
    const joined = allOf([
      constrainToSchema(schema, tokenizer, ends),
      constrainToPattern('[^f]*', tokenizer, ends),
      requireKeywords(['7'], tokenizer, ends),
    ])
    const kinds = new Set<string>()
    for (const text of walks(joined, 30)) {
      const { kind, size } = JSON.parse(text) as { kind: string; size: number }
      kinds.add(kind)
      expect([7, 17, 27, 37]).toContain(size)
    }
    expect([...kinds].sort()).toEqual(['image', 'tool'])
  })

  it('allows exactly the texts that every constraint allows', () => {
    const texts = ['ab', 'ac', 'bb', 'abc', 'b', 'cab', '']
    const [first, second] = [/^a?[bc]+$/, /^.*b.*$/].map(({ source }) =>
      constrainToPattern(source.slice(1, -1), tokenizer, ends),
    ) as [Constraint, Constraint]
    const joined = allOf([first, second])
    for (const text of texts) {
      const { ids } = tokenizer.encode(text)
      const each = admits(first, ends, ids) && admits(second, ends, ids)
      expect([text, admits(joined, ends, ids)]).toEqual([text, each])
    }
    expect(allOf([first])).toBe(first)
  })

  it('rejects constraints without a common text, and incompatible ones', () => {
    const number = constrainToPattern('[0-9]+', tokenizer, ends)
    const refused = (constraints: readonly Constraint[], code: string) =>
      expect(() => allOf(constraints)).toThrow(expect.objectContaining({ code }))
    refused([number, requireKeywords(['a'], tokenizer, ends)], 'NOT_SPELLABLE')
    refused([number, requireKeywords(['1'], tokenizer, [3])], 'BAD_ARGUMENT')
    refused([number, requireKeywords(['cat'], tinyTokenizer(), ends)], 'BAD_ARGUMENT')
    refused([number, { allowed: () => Uint8Array.of(1), next: () => 0 }], 'BAD_ARGUMENT')
    refused([], 'BAD_ARGUMENT')
    refused(new Array<Constraint>(100_000).fill(number), 'PATTERN_TOO_LARGE')
  })
})
