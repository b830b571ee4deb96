// Counts how many texts of the example's validation and test files stand in corpus.jsonl.gz in parts: a text counts whose
// sequences of 20 words are there for more than half.
//   node examples/models/debian-bert/overlap.mjs
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const SEQUENCE = 20

const textsOf = (path) =>
  gunzipSync(readFileSync(new URL(path, import.meta.url)))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).text)

/** The sequences of words, as lower-case letters and digits, that a text has; a shorter text has none. */
function sequencesOf(text) {
  const words = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .split(' ')
  return Array.from({ length: Math.max(0, words.length - SEQUENCE + 1) }, (_, i) =>
    words.slice(i, i + SEQUENCE).join(' '),
  )
}

const read = new Set(textsOf('corpus.jsonl.gz').flatMap(sequencesOf))
for (const split of ['validation', 'test']) {
  const texts = textsOf(`../../debian-sections/${split}.jsonl.gz`)
  const shares = texts.map((text) => {
    const sequences = sequencesOf(text)
    return sequences.filter((each) => read.has(each)).length / Math.max(1, sequences.length)
  })
  const counts = [0, 0.5, 0.9].map((most) => shares.filter((share) => share > most).length)
  console.log(
    `${split}: of ${texts.length} texts, ${counts[0]} share a sequence, ${counts[1]} over half, ${counts[2]} over 90 %`,
  )
}
