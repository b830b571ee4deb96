// @ts-check
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { wordsIn, wrongSubjects } from './words.mjs'

describe('wordsIn', () => {
  it('reports a home-made word with its line and the term', () => {
    const home = ['The greatest', 'value'].join(' ')
    assert.deepEqual(wordsIn('a.md', `First line.\n${home}.`), ['a.md:2: "greatest" → maximum, largest'])
  })

  it('accepts the same word where it is the right one', () => {
    assert.deepEqual(wordsIn('a.md', 'the greatest common divisor, at least one, in place, wordpiece'), [])
  })

  it('reports marks of a merge conflict, also as Prettier formats them', () => {
    for (const mark of [`${'<'.repeat(7)} HEAD`, `${'>'.repeat(7)} 1a2b3c (data: count)`, `${'> '.repeat(7)}1a2b3c`])
      assert.equal(wordsIn('a.md', `A line.\n${mark}\n`).length, 1)
    assert.deepEqual(wordsIn('a.md', '> A quotation.\n'), [])
  })

  it('reports a docstring that opens with a relative pronoun, in code only', () => {
    const text = ['/**', 'Whether it trains. */'].join(' ')
    assert.equal(wordsIn('a.ts', text).length, 1)
    assert.equal(wordsIn('a.md', text).length, 0)
    assert.deepEqual(wordsIn('a.ts', '/** True if it trains. */'), [])
  })

  it('reports an option description that opens with one', () => {
    assert.equal(wordsIn('a.ts', ".describe('Which end is truncated'),").length, 1)
  })
})

describe('wrongSubjects', () => {
  it('accepts a scope and an imperative summary, and merges', () => {
    assert.deepEqual(wrongSubjects(['nn: make masks optional', 'core, data: name rows', "Merge branch 'x'"]), [])
  })

  it('reports a missing scope, a past tense, a period and a long line', () => {
    const wrong = ['Fix it', 'nn: fixed masks', 'nn: fix masks.', `nn: fix ${'masks '.repeat(14)}`]
    assert.deepEqual(wrongSubjects(wrong), wrong)
  })
})
