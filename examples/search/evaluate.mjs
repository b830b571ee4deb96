// @ts-check
/**
 * Recall and mean reciprocal rank (MRR) of the text that belongs to each query, among all texts of an index. Query i belongs to text i.
 *   node examples/search/evaluate.mjs INDEX.jsonl QUERIES.jsonl
 */
import { bm25, readRows, similarities } from './rank.mjs'

/** Constant of reciprocal rank fusion. Source: Cormack, Clarke and Büttcher, Reciprocal Rank Fusion, 2009. */
const K = 60

/** Ranks of scores, 1 is the highest; equal scores have the same rank. @param {readonly number[]} scores */
function ranksOf(scores) {
  const sorted = [...scores].sort((a, b) => b - a)
  /** @type {Map<number, number>} */
  const ranks = new Map()
  for (const [i, score] of sorted.entries()) if (!ranks.has(score)) ranks.set(score, i + 1)
  return scores.map((score) => ranks.get(score) ?? NaN)
}

const [index = [], queries = []] = process.argv.slice(2).map((file) => readRows(file))
const byWords = bm25(index.map(({ text }) => text))
/** @type {Record<string, number[]>} */
const ranks = { BM25: [], vectors: [], 'both, fused': [] }
for (const [i, { text, embedding }] of queries.entries()) {
  const words = ranksOf(byWords(text))
  const vectors = ranksOf(similarities(embedding, index))
  const fused = ranksOf(words.map((rank, j) => 1 / (K + rank) + 1 / (K + (vectors[j] ?? NaN))))
  for (const [name, each] of Object.entries({ BM25: words, vectors, 'both, fused': fused }))
    ranks[name]?.push(each[i] ?? NaN)
}
const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length
console.log(`${queries.length} queries, ${index.length} texts`)
for (const [name, each] of Object.entries(ranks)) {
  const recall = [1, 5, 10].map((k) => `recall@${k} ${mean(each.map((rank) => Number(rank <= k))).toFixed(3)}`)
  console.log(`${name.padEnd(12)} ${recall.join('  ')}  MRR ${mean(each.map((rank) => 1 / rank)).toFixed(3)}`)
}
