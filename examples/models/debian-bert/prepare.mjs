// Makes corpus.jsonl.gz and held-out.jsonl.gz of a file of package descriptions that blank lines part.
//   node examples/models/debian-bert/prepare.mjs DESCRIPTIONS.txt.gz
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'

const WORDS_OF_A_ROW = 80
const HELD_OUT = 100

const read = (path) => gunzipSync(readFileSync(path)).toString('utf8')
const words = (text) => text.split(/\s+/).filter(Boolean)
const alike = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ')

// The descriptions that the classifier will be measured on are not read beforehand, not even without their labels; others of the
// same source package, which share sentences with them, are: see overlap.mjs.
const measuredOn = new Set(
  ['validation', 'test'].flatMap((split) =>
    read(new URL(`../../debian-sections/${split}.jsonl.gz`, import.meta.url))
      .trim()
      .split('\n')
      .map((line) => alike(JSON.parse(line).text)),
  ),
)

/** A description in rows of whole paragraphs, each as long as a row may be; a longer paragraph is a row of its own. */
function rowsOf(description) {
  const rows = []
  let room = 0
  for (const paragraph of description.split('\n').map((each) => words(each))) {
    if (paragraph.length === 0) continue
    if (rows.length > 0 && paragraph.length <= room) rows.push([...rows.pop(), ...paragraph])
    else rows.push(paragraph)
    room = WORDS_OF_A_ROW - rows.at(-1).length
  }
  return rows.map((row) => JSON.stringify({ text: row.join(' ') }))
}

const descriptions = read(process.argv[2])
  .split(/\n{2,}/)
  .filter((text) => text.trim() !== '')
const kept = descriptions.filter((text) => !measuredOn.has(alike(text)))
const write = (name, texts) => {
  const rows = texts.flatMap(rowsOf)
  writeFileSync(new URL(name, import.meta.url), gzipSync(`${rows.join('\n')}\n`, { level: 9 }))
  console.log(`${name}: ${texts.length} descriptions in ${rows.length} rows`)
}
console.log(`${descriptions.length} descriptions, ${descriptions.length - kept.length} left out`)
write(
  'held-out.jsonl.gz',
  kept.filter((_, i) => i % HELD_OUT === 0),
)
write(
  'corpus.jsonl.gz',
  kept.filter((_, i) => i % HELD_OUT !== 0),
)
