// Writes pairs.jsonl.gz from corpus.jsonl.gz: the two halves of each row as a positive pair; rows that are too short are skipped.
//   node examples/models/debian-bert/pairs.mjs
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'

const MINIMUM_WORDS = 6

const rows = gunzipSync(readFileSync(new URL('corpus.jsonl.gz', import.meta.url)))
  .toString('utf8')
  .trim()
  .split('\n')
const pairs = rows.flatMap((row) => {
  const words = JSON.parse(row).text.split(' ')
  const middle = Math.floor(words.length / 2)
  if (middle < MINIMUM_WORDS) return []
  return [JSON.stringify({ text: words.slice(0, middle).join(' '), pair: words.slice(middle).join(' ') })]
})
writeFileSync(new URL('pairs.jsonl.gz', import.meta.url), gzipSync(`${pairs.join('\n')}\n`))
console.log(`pairs.jsonl.gz: ${pairs.length} pairs from ${rows.length} rows`)
