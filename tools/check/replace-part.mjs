// @ts-check
/** Generated parts of documents, delimited by two comments. */
import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Replaces the text between `<!-- name -->` and `<!-- /name -->`; returns `undefined` if there are no such markers.
 * @param {string} text @param {string} name @param {string} content
 */
export function replacePart(text, name, content) {
  const [opening, closing] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [start, end] = [text.indexOf(opening), text.indexOf(closing)]
  if (start < 0 || end < start) return undefined
  return `${text.slice(0, start + opening.length)}\n\n${content.trim()}\n\n${text.slice(end)}`
}

/** Error for missing markers in a document. @param {string} path @param {string} name */
export const lacking = (path, name) => new Error(`${path} lacks <!-- ${name} --> and <!-- /${name} -->`)

/** Replaces a generated part of a file. @param {string} path @param {string} name @param {string} content */
export function writePart(path, name, content) {
  const text = replacePart(readFileSync(path, 'utf8'), name, content)
  if (text === undefined) throw lacking(path, name)
  writeFileSync(path, text)
}
