// @ts-check
/** An input of a reader: named parts, each a text or bytes. */
import { gzipSync } from 'node:zlib'

/**
 * Parts of an input by name. For readers of files, a name is a relative path; a text whose name ends in `.gz` is compressed when it is
 * written, bytes are written unchanged.
 * @typedef {Readonly<Record<string, string | Buffer>>} Input
 */

/** Bytes of each part, as a reader receives them. @param {Input} input @returns {Map<string, Buffer>} */
export const encoded = (input) =>
  new Map(
    Object.entries(input).map(([name, part]) => {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part
      return [name, typeof part === 'string' && name.endsWith('.gz') ? gzipSync(bytes, { level: 6 }) : bytes]
    }),
  )

/** Size of an input before compression: characters of texts, bytes of other parts. @param {Input} input */
export const sizeOf = (input) => Object.values(input).reduce((sum, part) => sum + part.length, 0)

/** An input as JSON. Preserves lone surrogates, which UTF-8 cannot express. @param {Input} input */
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

/** Converts a value to a number; NaN for an object, which may define its own `toString`. @param {unknown} value */
export const asNumber = (value) => (typeof value === 'object' ? NaN : Number(value))

/** Converts a value to text: a string itself, anything else as JSON. @param {unknown} value */
export const asText = (value) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
