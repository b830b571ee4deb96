import { expect, it } from '@jest/globals'
import { key, stream } from '@attune/core'
import { keywordAutomaton } from './keyword-automaton.js'
import { progressFromStart, keywordDistances } from './keyword-distances.js'
import { constraintBudget } from './pattern-error.js'
import { tokenDistances } from './token-distances.js'
import { tokenTrie } from './token-trie.js'
import { POSITIONS, utf8Steps } from './utf8-steps.js'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

it('keywordDistances matches an exhaustive search over all states of the keyword', () => {
  const random = stream(key(11))
  const below = (n: number): number => Math.floor(random() * n)
  const text = (length: number): string =>
    Array.from({ length: 1 + below(length) }, () => ['a', 'b', 'é', '日'][below(4)]!).join('')
  const steps = utf8Steps()
  for (let round = 0; round < 150; round++) {
    const words = [bytesOf(text(7)), bytesOf('a'.repeat(1 + below(6)))]
    const tokens = Array.from({ length: 40 }, () => bytesOf(text(4)))
    // Partial characters, too.
    const trie = tokenTrie([...tokens, ...tokens.map((token) => token.subarray(below(2), 1 + below(token.length)))])
    const budget = constraintBudget(0)
    const positions = Array.from({ length: POSITIONS }, (_, position) => position)
    const toFinish = tokenDistances(keywordAutomaton([]), positions, trie, budget)
    const first = progressFromStart(keywordAutomaton(words), trie, budget)
    for (const [i, word] of words.entries()) {
      const automaton = keywordAutomaton([word])
      const roots = positions.map((position) => automaton.stateAt(0, position))
      let position = 0
      for (let matched = 1; matched < word.length; matched++) {
        position = steps[position * 256 + word[matched - 1]!]!
        roots.push(automaton.stateAt(matched, position))
      }
      const expected = tokenDistances(automaton, roots, trie, budget)
      const found = keywordDistances([word, i], trie, first, toFinish, budget)
      expect(roots.map((state) => found.get(state))).toEqual(roots.map((state) => expected.get(state)))
    }
  }
})
