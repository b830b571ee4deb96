// @ts-check
/** One input of a reader: named parts, each a text or bytes. */
import { gzipSync } from 'node:zlib'

/**
 * The parts of an input by name. Where the reader reads files, a name is a relative path; a text whose name ends in `.gz` is
 * compressed when it is written, bytes are written as they are.
 * @typedef {Readonly<Record<string, string | Buffer>>} Input
 */

/** The bytes of each part, as a reader meets them. @param {Input} input @returns {Map<string, Buffer>} */
export const encoded = (input) =>
  new Map(
    Object.entries(input).map(([name, part]) => {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part
      return [name, typeof part === 'string' && name.endsWith('.gz') ? gzipSync(bytes, { level: 6 }) : bytes]
    }),
  )

/** Size of an input before compression: characters of texts, bytes of the rest. @param {Input} input */
export const sizeOf = (input) => Object.values(input).reduce((sum, part) => sum + part.length, 0)

/** An input as JSON. Lone surrogates, which UTF-8 cannot express, survive. @param {Input} input */
export const toJson = (input) =>
  Object.fromEntries(
    Object.entries(input).map(([name, part]) => [
      name,
      typeof part === 'string' ? part : { base64: part.toString('base64') },
    ]),
  )

/** The inverse of {@link toJson}. @param {Record<string, string | { base64: string }>} json @returns {Input} */
export const fromJson = (json) =>
  Object.fromEntries(
    Object.entries(json).map(([name, part]) => [
      name,
      typeof part === 'string' ? part : Buffer.from(part.base64, 'base64'),
    ]),
  )

/** A value as a number; an object, which may have a `toString` of its own, is none. @param {unknown} value */
export const asNumber = (value) => (typeof value === 'object' ? NaN : Number(value))

/** A value as text: a string itself, all else as JSON. @param {unknown} value */
export const asText = (value) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
