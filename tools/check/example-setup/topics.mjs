// @ts-check
/** Data set of the examples: short texts with the labels `mail` and `editor`. */
import { writeFileSync } from 'node:fs'

const TEXTS = {
  mail: [
    'a mail client',
    'a mail server',
    'mail filter',
    'reads mail',
    'sends mail',
    'mail for all',
    'fast mail',
    'mail',
  ],
  editor: ['a text editor', 'an editor', 'edits code', 'code editor', 'image editor', 'small editor', 'vi', 'editor'],
}

/** Writes the data set as JSON Lines. @param {string} path */
export function writeTopics(path) {
  const rows = Object.entries(TEXTS).flatMap(([label, texts]) => texts.map((text) => JSON.stringify({ text, label })))
  writeFileSync(path, `${rows.join('\n')}\n`)
}
