// @ts-check
/**
 * Rows of recipes from the index of the Debian archive: the unpacked files Packages, Translation-en and Translation-de of a
 * release, in one folder. Rows of one source package have the same `group`, and are kept in one split.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {Record<string, string>} Paragraph */
/** @typedef {{ package: string, source: string, version: string, section: string, size: number, homepage: string, tags: string[], short: string, long: string, md5: string }} DebianPackage */

/** Fields of a paragraph; continuation lines keep their line break. @param {string} text @returns {Paragraph} */
const fieldsOf = (text) =>
  Object.fromEntries(
    text
      .split(/\n(?! )/)
      .map((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1).trim()]),
  )

/** @param {string} folder @param {string} file */
const paragraphs = (folder, file) =>
  readFileSync(join(folder, file), 'utf8')
    .trim()
    .split(/\n\n+/)
    .map((text) => fieldsOf(text))

/** First line, and the others with single spaces, of a description. @param {string} description */
function parts(description) {
  const [short = '', ...long] = description.split('\n')
  const lines = long.map((line) => (line.trim() === '.' ? '' : line))
  return { short: short.trim(), long: lines.join(' ').replaceAll(/\s+/g, ' ').trim() }
}

/** Descriptions of a language by their digest. @param {string} folder @param {string} language */
const descriptions = (folder, language) =>
  new Map(
    paragraphs(folder, `Translation-${language}`).map((fields) => [
      fields['Description-md5'] ?? '',
      parts(fields[`Description-${language}`] ?? ''),
    ]),
  )

/** Packages of the index, each English description once. @param {string} folder @returns {DebianPackage[]} */
function packagesIn(folder) {
  const english = descriptions(folder, 'en')
  return paragraphs(folder, 'Packages').flatMap((fields) => {
    const md5 = fields['Description-md5'] ?? ''
    const description = english.get(md5)
    if (description === undefined) return []
    english.delete(md5)
    return {
      package: fields['Package'] ?? '',
      source: (fields['Source'] ?? fields['Package'] ?? '').split(' ')[0] ?? '',
      version: (fields['Version'] ?? '').replace(/^\d+:/, '').replace(/[-+~].*$/, ''),
      section: fields['Section'] ?? '',
      size: Number(fields['Installed-Size'] ?? 0),
      homepage: (fields['Homepage'] ?? '').replace(/^https?:\/\//, '').replace(/\/$/, ''),
      tags: (fields['Tag'] ?? '').split(/,\s+/),
      md5,
      ...description,
    }
  })
}

/** True if all characters are printable ASCII. @param {string} text */
const isAscii = (text) => /^[\x20-\x7e]+$/.test(text)

/** The first sentences of a text, at most `length` characters; empty if the first one is longer. @param {string} text @param {number} length */
function firstSentences(text, length) {
  if (text.length <= length) return text
  const end = text.slice(0, length + 1).lastIndexOf('. ')
  return end < 0 ? '' : text.slice(0, end + 1)
}

/** Long and short descriptions, one package of each source package. @param {string} folder */
export const descriptionPairs = (folder) =>
  packagesIn(folder)
    .map(({ source, short, long }) => ({ key: source, text: firstSentences(long, 250), target: short }))
    .filter(({ text, target }) => text.length >= 60 && target.length >= 12 && target.length <= 60)
    .filter(({ text, target }) => isAscii(text + target))

/** The first and the last sentence of a text: what a program does, and what this package of it has. @param {string} text */
function firstAndLast(text) {
  const sentences = text.split(/(?<=[.!?]) (?=[A-Z])/)
  return sentences.length === 1 ? text : `${sentences[0]} ${sentences.at(-1)}`
}

/** The first and the last sentence of long descriptions, and short descriptions. @param {string} folder */
export const summaries = (folder) =>
  packagesIn(folder)
    .map(({ source, short, long }) => ({ group: source, text: firstAndLast(long), target: short }))
    .filter(({ text, target }) => text.length >= 60 && text.length <= 160 && target.length >= 12 && target.length <= 60)
    .filter(({ text, target }) => isAscii(text + target))
    .map((row) => ({ key: row.text, ...row }))

/** Short descriptions in English and German, of at most 60 characters each. @param {string} folder */
export function translations(folder) {
  const german = descriptions(folder, 'de')
  return packagesIn(folder)
    .map(({ source, short, md5 }) => ({ key: short, group: source, text: short, target: german.get(md5)?.short ?? '' }))
    .filter(({ text, target }) => text !== target && target !== '' && text.length <= 60 && target.length <= 60)
}

/** Tags that at least 300 packages have, of what a program is used for, what it works with, and its interface. */
const TAGS = [
  ...['commandline', 'daemon', 'graphical', 'text-mode', 'x11'].map((tag) => `interface::${tag}`),
  ...['checking', 'configuring', 'converting', 'editing', 'gameplaying', 'monitor', 'viewing'].map(
    (tag) => `use::${tag}`,
  ),
  ...['audio', 'db', 'file', 'image', 'mail', 'software:source', 'text'].map((tag) => `works-with::${tag}`),
]

/** Descriptions of programs with their tags, one package of each source package. @param {string} folder */
export const tags = (folder) =>
  packagesIn(folder)
    .filter((row) => row.tags.includes('role::program'))
    .map((row) => ({
      key: row.source,
      text: `${row.short}. ${firstSentences(row.long, 300)}`.trim(),
      labels: row.tags.filter((tag) => TAGS.includes(tag)),
    }))
    .filter(({ text, labels }) => labels.length > 0 && isAscii(text))

/** Facts that questions ask for: a sentence with the value, and questions. @type {Record<'version' | 'section' | 'size' | 'homepage', { fact(name: string, value: string): string, questions: string[] }>} */
const FACTS = {
  version: {
    fact: (name, value) => `The version of ${name} is ${value}.`,
    questions: ['Which version does # have?', 'What is the version of #?', 'How new is #?'],
  },
  section: {
    fact: (name, value) => `${name} belongs to the section ${value}.`,
    questions: ['Where in the archive is #?', 'Which section is # in?', 'What is the section of #?'],
  },
  size: {
    fact: (name, value) => `When installed, ${name} takes ${value}.`,
    questions: ['How much space does # need?', 'What is the size of #?', 'How large is #?'],
  },
  homepage: {
    fact: (name, value) => `More about ${name} is at ${value}.`,
    questions: ['What is the homepage of #?', 'Where can one read about #?', 'Which site describes #?'],
  },
}
const KINDS = /** @type {(keyof typeof FACTS)[]} */ (Object.keys(FACTS))

/** Value of a fact as the sentence has it. @param {DebianPackage} row @param {keyof typeof FACTS} kind */
const valueOf = (row, kind) => (kind === 'size' ? `${row.size} kB` : row[kind])

/**
 * Questions about two packages: the context has two facts about each, in an order that depends on the digest, and the question
 * asks for one of them or, in one of six rows, for a fact that is missing. The sentences and questions are made from templates.
 * @param {string} folder
 */
export function questions(folder) {
  const rows = packagesIn(folder).filter(
    ({ homepage, version, size, package: name }) =>
      homepage !== '' && homepage.length < 30 && version !== '' && size > 0 && name.length < 16,
  )
  const bySource = [...new Map(rows.map((row) => [row.source, row])).values()].sort((a, b) => (a.md5 < b.md5 ? -1 : 1))
  return bySource.slice(0, -1).map((first, i) => question(first, bySource[i + 1] ?? first))
}

/** @param {DebianPackage} first @param {DebianPackage} second */
function question(first, second) {
  const digits = [...first.md5].map((digit) => Number.parseInt(digit, 16))
  /** @param {number} at @param {number} below */
  const pick = (at, below) => (((digits[at] ?? 0) * 16 + (digits[at + 1] ?? 0)) * 16 + (digits[at + 2] ?? 0)) % below
  const stated = KINDS.filter((_, i) => i !== pick(0, 4)).filter((_, i) => i !== pick(3, 3))
  const missing = KINDS.find((kind) => !stated.includes(kind)) ?? 'size'
  const facts = [first, second].flatMap((row) => stated.map((kind) => ({ row, kind })))
  const sentences = facts
    .map(({ row, kind }, i) => ({ text: FACTS[kind].fact(row.package, valueOf(row, kind)), rank: pick(6 + i, 4096) }))
    .sort((a, b) => a.rank - b.rank)
  const context = sentences.map(({ text }) => text).join(' ')
  const { row, kind } = facts[pick(12, 4)] ?? { row: first, kind: 'size' }
  const asked = pick(15, 6) === 0 ? missing : kind
  const [template = ''] = FACTS[asked].questions.slice(pick(18, 3))
  const fact = FACTS[asked].fact(row.package, valueOf(row, asked))
  const start = context.indexOf(fact) + fact.lastIndexOf(valueOf(row, asked))
  const answers =
    asked === missing ? { text: [], answer_start: [] } : { text: [valueOf(row, asked)], answer_start: [start] }
  return { key: first.source, question: template.replace('#', row.package), context, answers }
}
