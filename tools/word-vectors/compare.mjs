// @ts-check
/**
 * Trains word vectors on the descriptions of examples/debian-sections, with Attune and with gensim, with the same hyperparameters and two
 * seeds each. Prints their quality, their overlap and the training time.
 *
 *     PYTHON=… node tools/word-vectors/compare.mjs
 *
 * Takes about ten minutes. Python needs gensim 4.4.
 *
 * - purity: a word belongs to a section if half of the descriptions that contain it are of that section; purity is the mean fraction of
 *   the ten nearest such words that belong to the word's own section. 1 is perfect; the chance level is printed.
 * - overlap: the mean fraction of the ten nearest words that two trainings have in common.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { similarity, readWordVectors, trainGloVe, trainWord2Vec, wordVectors } from '@attune/embeddings'
import { lastValueFrom } from 'rxjs'

/** @import { WordVectors } from '@attune/embeddings' */

const SEEDS = [1, 2]
const EPOCHS = 10
const folder = mkdtempSync(join(tmpdir(), 'attune-word-vectors-'))
const data = fileURLToPath(new URL('../../examples/debian-sections/train.jsonl.gz', import.meta.url))
/** @type {{ words: string[], section: string }[]} */
const texts = gunzipSync(readFileSync(data))
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .map(({ text, label }) => ({ words: text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [], section: label }))
const corpus = texts.map(({ words }) => words)

/** Section by word. */
function sectionsOfWords() {
  /** @type {Map<string, Map<string, number>>} */
  const counts = new Map()
  for (const { words, section } of texts)
    for (const word of new Set(words)) {
      const sections = counts.get(word) ?? new Map()
      counts.set(word, sections.set(section, (sections.get(section) ?? 0) + 1))
    }
  /** @type {Map<string, string>} */
  const found = new Map()
  for (const [word, sections] of counts) {
    const total = [...sections.values()].reduce((a, b) => a + b, 0)
    const [section, most] = [...sections].sort(([, a], [, b]) => b - a)[0]
    if (total >= 10 && most >= total / 2) found.set(word, section)
  }
  return found
}

const sections = sectionsOfWords()
const mean = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0) / values.length

/** The ten nearest neighbours, among words with a section, of each of these words. @returns {Map<string, string[]>} */
function neighbours(/** @type {WordVectors} */ vectors) {
  const words = [...sections.keys()].filter((word) => vectors.rows.has(word)).sort()
  const values = words.flatMap((word) => {
    const start = /** @type {number} */ (vectors.rows.get(word)) * vectors.size
    return [...vectors.values.subarray(start, start + vectors.size)]
  })
  const { nearest } = similarity(wordVectors(words, vectors.size, Float32Array.from(values)))
  return new Map(words.map((word) => [word, nearest(word).map((found) => found.word)]))
}

const purity = (/** @type {Map<string, string[]>} */ near) =>
  mean([...near].map(([word, ten]) => mean(ten.map((other) => Number(sections.get(other) === sections.get(word))))))

const overlap = (/** @type {Map<string, string[]>} */ a, /** @type {Map<string, string[]>} */ b) =>
  mean([...a].map(([word, ten]) => ten.filter((other) => b.get(word)?.includes(other)).length / ten.length))

/** Mean over pairs of different trainings. @param {Map<string, string[]>[]} many @param {Map<string, string[]>[]} others */
const overlaps = (many, others) => mean(many.flatMap((a) => others.flatMap((b) => (a === b ? [] : [overlap(a, b)]))))

/** @param {import('rxjs').Observable<import('@attune/embeddings').EmbeddingEvent>} events */
async function trained(events) {
  const last = await lastValueFrom(events)
  if (last.type !== 'training.completed') throw new Error(last.type)
  return last.vectors
}

/** @typedef {'skip-gram' | 'cbow'} Algorithm */

async function theirs(/** @type {Algorithm} */ algorithm, /** @type {number} */ seed) {
  const [input, output] = [join(folder, 'texts.txt'), join(folder, 'vectors.txt')]
  writeFileSync(input, corpus.map((words) => words.join(' ')).join('\n'))
  const script = fileURLToPath(new URL('gensim_vectors.py', import.meta.url))
  execFileSync(process.env['PYTHON'] ?? 'python3', [script, input, output, algorithm, String(seed), String(EPOCHS)])
  return readWordVectors(output)
}

/** @param {(seed: number) => Promise<WordVectors>} train */
async function measured(/** @type {string} */ name, train) {
  const all = []
  const start = performance.now()
  for (const seed of SEEDS) all.push(neighbours(await train(seed)))
  const seconds = (performance.now() - start) / 1000 / SEEDS.length
  const purities = all.map(purity).map((value) => value.toFixed(3))
  console.log(
    `${name}: purity ${purities.join(' ')}, overlap of seeds ${overlaps(all, all).toFixed(3)}, ${seconds.toFixed(0)} s`,
  )
  return all
}

const all = [...sections.values()]
const chance = mean(all.map((section) => all.filter((other) => other === section).length / all.length))
console.log(`${corpus.flat().length} words, ${sections.size} of them with a section; chance level ${chance.toFixed(3)}`)
for (const algorithm of /** @type {const} */ (['skip-gram', 'cbow'])) {
  const ours = await measured(`${algorithm} here`, (seed) =>
    trained(trainWord2Vec(() => corpus, { algorithm, seed, epochs: EPOCHS })),
  )
  const others = await measured(`${algorithm} with gensim`, (seed) => theirs(algorithm, seed))
  console.log(`${algorithm}: overlap of Attune and gensim ${overlaps(ours, others).toFixed(3)}`)
}
await measured('GloVe here', (seed) => trained(trainGloVe(() => corpus, { seed, epochs: 25 })))
rmSync(folder, { recursive: true })
