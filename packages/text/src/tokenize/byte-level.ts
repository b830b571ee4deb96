import { type AlignedText, replaceCharacters } from './aligned-text.js'
import { codePointMap } from './code-points.js'
import type { Work } from './work.js'

const printable = (byte: number): boolean =>
  (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad && byte < 0x100)

/** The character that represents each byte: itself if printable, else the next one from U+0100 on. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++))
})()

const encoder = new TextEncoder()

/**
 * Creates the byte-level step, which replaces every character by the characters that represent its UTF-8 bytes.
 * Source: Radford et al., Language Models are Unsupervised Multitask Learners, 2019, section 2.2.
 */
export function byteLevelEncoder(): (input: AlignedText, work: Work) => AlignedText {
  const known = codePointMap((character) =>
    Array.from(encoder.encode(character), (byte) => BYTE_CHARACTERS[byte]!).join(''),
  )
  return (input, work) => replaceCharacters(input, known, work)
}
