import { describe, expect, it } from '@jest/globals'
import { countWords } from './count-words.js'
import { trainWordPiece } from './train-wordpiece.js'

const options = { vocabularySize: 1000, minimumFrequency: 1, specialTokens: ['[UNK]'], alphabetSize: 1000 }

/** Reference implementation of the paper's algorithm: recounts all pairs for every merge. Slow. */
function naive(counts: ReadonlyMap<string, number>, size: number): string[] {
  const words = [...counts].map(([word, count]) => ({
    count,
    subwords: [...word].map((c, i) => (i === 0 ? c : `##${c}`)),
  }))
  const first = [...new Set([...counts.keys()].flatMap((word) => [...word]))].sort()
  const inner = [...new Set([...counts.keys()].flatMap((word) => [...word].slice(1)))].sort()
  const tokens = ['[UNK]', ...first, ...inner.map((c) => `##${c}`)]
  while (tokens.length < size) {
    const pairs = new Map<string, number>()
    for (const { subwords, count } of words)
      for (let i = 0; i + 1 < subwords.length; i++) {
        const pair = `${subwords[i]} ${subwords[i + 1]}`
        pairs.set(pair, (pairs.get(pair) ?? 0) + count)
      }
    const order = (pair: string): number[] => pair.split(' ').map((subword) => tokens.indexOf(subword))
    const [best] = [...pairs].sort(
      ([a, m], [b, n]) => n - m || order(a)[0]! - order(b)[0]! || order(a)[1]! - order(b)[1]!,
    )
    if (best === undefined) break
    const [left, right] = best[0].split(' ') as [string, string]
    const merged = left + right.slice(2)
    if (!tokens.includes(merged)) tokens.push(merged)
    for (const word of words)
      for (let i = 0; i + 1 < word.subwords.length; i++)
        if (word.subwords[i] === left && word.subwords[i + 1] === right) word.subwords.splice(i, 2, merged)
  }
  return tokens
}

describe('trainWordPiece', () => {
  const made = (seed: number): Map<string, number> => {
    let state = seed
    const next = (below: number): number => (state = (state * 1103515245 + 12345) % 2147483648) % below
    const word = (): string => Array.from({ length: 1 + next(7) }, () => 'abc'[next(3)]).join('')
    return new Map(Array.from({ length: 25 }, () => [word(), 1 + next(9)]))
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('matches the reference algorithm, overlapping pairs included (seed %i)', (seed) => {
    const counts = made(seed)
    expect(trainWordPiece(counts, { ...options, vocabularySize: 40 })).toEqual(naive(counts, 40))
  })

  it('merges until no pairs are left if the vocabulary has room', () => {
    expect(trainWordPiece(new Map([['abab', 2]]), options)).toEqual([
      '[UNK]',
      'a',
      'b',
      '##a',
      '##b',
      'ab',
      '##ab',
      'abab',
    ])
  })

  it('leaves out rare characters when the alphabet is limited', () => {
    const tokens = trainWordPiece(
      new Map([
        ['aaab', 5],
        ['zz', 1],
      ]),
      { ...options, alphabetSize: 2 },
    )
    expect(tokens.filter((token) => token.includes('z'))).toEqual([])
  })

  it('keeps characters beyond the basic multilingual plane whole', () => {
    expect(trainWordPiece(new Map([['😀😀', 3]]), options)).toEqual(['[UNK]', '😀', '##😀', '😀😀'])
  })
})

describe('countWords', () => {
  it('counts words over all texts', async () => {
    async function* texts() {
      await Promise.resolve()
      yield 'a b a'
      yield 'constructor b'
    }
    const counts = await countWords(texts(), (text) => text.split(' '))
    expect([...counts]).toEqual([
      ['a', 2],
      ['b', 2],
      ['constructor', 1],
    ])
  })
})
