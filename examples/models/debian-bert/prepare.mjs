// Writes corpus.jsonl.gz and held-out.jsonl.gz from a file of package descriptions separated by blank lines.
//   node examples/models/debian-bert/prepare.mjs DESCRIPTIONS.txt.gz
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'

const WORDS_PER_ROW = 80
const HELD_OUT = 100

const read = (path) => gunzipSync(readFileSync(path)).toString('utf8')
const words = (text) => text.split(/\s+/).filter(Boolean)
const normalize = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ')

// The evaluation texts of the classifier are excluded from pretraining, even without their labels. Other descriptions of the same
// source package, which share sentences with them, are included: see overlap.mjs.
const evaluationTexts = new Set(
  ['validation', 'test'].flatMap((split) =>
    read(new URL(`../../debian-sections/${split}.jsonl.gz`, import.meta.url))
      .trim()
      .split('\n')
      .map((line) => normalize(JSON.parse(line).text)),
  ),
)

/** Packs the paragraphs of a description greedily into rows; a paragraph above the limit is a separate row. */
function rowsOf(description) {
  const rows = []
  let room = 0
  for (const paragraph of description.split('\n').map((each) => words(each))) {
    if (paragraph.length === 0) continue
    if (rows.length > 0 && paragraph.length <= room) rows.push([...rows.pop(), ...paragraph])
    else rows.push(paragraph)
    room = WORDS_PER_ROW - rows.at(-1).length
  }
  return rows.map((row) => JSON.stringify({ text: row.join(' ') }))
}

const descriptions = read(process.argv[2])
  .split(/\n{2,}/)
  .filter((text) => text.trim() !== '')
const kept = descriptions.filter((text) => !evaluationTexts.has(normalize(text)))
const write = (name, texts) => {
  const rows = texts.flatMap(rowsOf)
  writeFileSync(new URL(name, import.meta.url), gzipSync(`${rows.join('\n')}\n`, { level: 9 }))
  console.log(`${name}: ${texts.length} descriptions in ${rows.length} rows`)
}
console.log(`${descriptions.length} descriptions, ${descriptions.length - kept.length} excluded`)
write(
  'held-out.jsonl.gz',
  kept.filter((_, i) => i % HELD_OUT === 0),
)
write(
  'corpus.jsonl.gz',
  kept.filter((_, i) => i % HELD_OUT !== 0),
)
