// @ts-check
/** Two rankings of documents: by the cosine similarity of vectors, and by BM25. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** @typedef {{ text: string, embedding: number[] }} Row A text with its vector, as `attune predict` prints it. */

/** Rows of JSON Lines, gzipped or not; `-` is standard input. @param {string} file @returns {any[]} */
export function readRows(file) {
  const bytes = readFileSync(file === '-' ? 0 : file)
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

/** Cosine similarity of a vector to each row; the vectors have length 1. @param {readonly number[]} vector @param {readonly Row[]} rows */
export const similarities = (vector, rows) =>
  rows.map(({ embedding }) => embedding.reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0))

/** @param {string} text */
const wordsOf = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

/**
 * BM25 scores of documents for a query, with k1 = 1.2, b = 0.75 and the inverse document frequency ln(1 + (n − f + 0.5) / (f + 0.5)).
 * Source: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009, section 3.5.
 * @param {readonly string[]} documents @returns {(query: string) => number[]}
 */
export function bm25(documents) {
  const [k1, b] = [1.2, 0.75]
  const words = documents.map((document) => wordsOf(document))
  const mean = words.reduce((sum, { length }) => sum + length, 0) / words.length
  /** Counts of a word by document. @type {Map<string, Map<number, number>>} */
  const postings = new Map()
  for (const [i, each] of words.entries())
    for (const word of each) {
      const counts = postings.get(word) ?? new Map()
      postings.set(word, counts.set(i, (counts.get(i) ?? 0) + 1))
    }
  return (query) => {
    const scores = documents.map(() => 0)
    for (const word of wordsOf(query)) {
      const counts = postings.get(word) ?? new Map()
      const rarity = Math.log(1 + (documents.length - counts.size + 0.5) / (counts.size + 0.5))
      for (const [i, count] of counts) {
        const norm = k1 * (1 - b + (b * (words[i]?.length ?? 0)) / mean)
        scores[i] = (scores[i] ?? 0) + (rarity * count * (k1 + 1)) / (count + norm)
      }
    }
    return scores
  }
}

/** Indices of the highest scores, highest first. @param {readonly number[]} scores @param {number} count */
export const highest = (scores, count) =>
  [...scores.keys()].sort((i, j) => (scores[j] ?? 0) - (scores[i] ?? 0)).slice(0, count)
