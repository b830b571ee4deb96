// Counts the texts of the example's validation and test splits that overlap with corpus.jsonl.gz: texts that share any, more than half
// and more than 90 % of their 20-grams of words with it.
//   node examples/models/debian-bert/overlap.mjs
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const N = 20

const textsOf = (path) =>
  gunzipSync(readFileSync(new URL(path, import.meta.url)))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).text)

/** The n-grams of words of a text, lowercased and without punctuation; none for a text shorter than n words. */
function ngramsOf(text) {
  const words = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .split(' ')
  return Array.from({ length: Math.max(0, words.length - N + 1) }, (_, i) => words.slice(i, i + N).join(' '))
}

const corpus = new Set(textsOf('corpus.jsonl.gz').flatMap(ngramsOf))
for (const split of ['validation', 'test']) {
  const texts = textsOf(`../../debian-sections/${split}.jsonl.gz`)
  const overlaps = texts.map((text) => {
    const ngrams = ngramsOf(text)
    return ngrams.filter((each) => corpus.has(each)).length / Math.max(1, ngrams.length)
  })
  const counts = [0, 0.5, 0.9].map((threshold) => overlaps.filter((overlap) => overlap > threshold).length)
  console.log(
    `${split}: of ${texts.length} texts, ${counts[0]} share a 20-gram, ${counts[1]} over half, ${counts[2]} over 90 %`,
  )
}
