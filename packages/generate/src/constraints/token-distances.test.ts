import { expect, it } from '@jest/globals'
import { key, stream } from '@attune/core'
import { byteAutomaton } from './byte-automaton.js'
import { byteGraph } from './byte-graph.js'
import { wholePattern } from './parse-pattern.js'
import { constraintBudget } from './pattern-error.js'
import { tokenDistances } from './token-distances.js'
import { tokenTrie, walkTrie } from './token-trie.js'

it('tokenDistances matches an exhaustive search over all tokens and states', () => {
  const random = stream(key(5))
  const below = (n: number): number => Math.floor(random() * n)
  const token = (): string => Array.from({ length: 1 + below(3) }, () => ['a', 'b', 'c', '"', 'é'][below(5)]!).join('')
  const patterns = [
    '(a|b)*c',
    '"[^"]{0,9}"',
    '(ab|c){2,5}(é|"")?',
    'a{7}|(bb)*c',
    '(a|b)*a(a|b){3}',
    '"(a|bc)*"(c"){3}',
  ]
  for (const pattern of patterns)
    for (let round = 0; round < 20; round++) {
      const budget = constraintBudget(0)
      const automaton = byteAutomaton(byteGraph(wholePattern(pattern), budget), budget)
      const trie = tokenTrie(Array.from({ length: 3 + below(30) }, () => new TextEncoder().encode(token())))
      const found = tokenDistances(automaton, [0], trie, budget)
      const targets = new Map<number, number[]>([[0, []]])
      for (const [state, list] of targets)
        walkTrie(trie, automaton.next, state, (_, to) => {
          list.push(to)
          if (!targets.has(to)) targets.set(to, [])
        })
      const expected = new Map(
        [...targets.keys()].filter((state) => automaton.accepts(state)).map((state) => [state, 0]),
      )
      for (let distance = 1, size = -1; size !== expected.size; distance++) {
        size = expected.size
        const near = [...targets].filter(
          ([state, list]) => !expected.has(state) && list.some((to) => expected.get(to) === distance - 1),
        )
        for (const [state] of near) expected.set(state, distance)
      }
      const sorted = (distances: ReadonlyMap<number, number>) => [...distances].sort(([a], [b]) => a - b)
      expect(sorted(found)).toEqual(sorted(expected))
    }
})
