import { fieldHash } from '../field-hash.js'

/**
 * Features of a text without a model: counts of its words and of pairs of adjacent words, hashed into `width` features, each
 * `log(1 + count)`, and divided by their Euclidean length. Half of the terms count negatively, so that collisions cancel on average.
 * Source: Weinberger et al., Feature Hashing for Large Scale Multitask Learning, 2009, section 2.
 * @param words the words of the text in order
 * @returns `[width]`, of length 1, or all 0 for a text without words
 *
 * @example
 * ```ts
 * import { hashedWords } from '@attune/data'
 * console.log(hashedWords(['a', 'good', 'film'], 8).length) // 8
 * ```
 */
export function hashedWords(words: readonly string[], width = 1024): Float64Array {
  const counts = new Map<string, number>()
  for (const [i, word] of words.entries())
    for (const term of i === 0 ? [word] : [word, `${words[i - 1]} ${word}`])
      counts.set(term, (counts.get(term) ?? 0) + 1)
  const features = new Float64Array(width)
  for (const [term, count] of counts) {
    const hash = fieldHash(term)
    features[(hash >>> 1) % width]! += Math.log1p(count) * (hash & 1 ? 1 : -1)
  }
  const length = Math.sqrt(features.reduce((sum, value) => sum + value ** 2, 0)) || 1
  return features.map((value) => value / length)
}
