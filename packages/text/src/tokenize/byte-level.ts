import { type AlignedText, replaced } from './aligned-text.js'
import { codePointMap } from './code-points.js'
import type { Work } from './work.js'

const printable = (byte: number): boolean =>
  (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad && byte < 0x100)

/** The character that stands for each byte: itself where it can be seen, else one of those from U+0100 on, in order. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++))
})()

const encoder = new TextEncoder()

/**
 * Makes the step that writes every character as those that stand for its bytes in UTF-8.
 * Source: Radford et al., Language Models are Unsupervised Multitask Learners, 2019, section 2.2.
 */
export function inByteCharacters(): (given: AlignedText, work: Work) => AlignedText {
  const known = codePointMap((character) =>
    Array.from(encoder.encode(character), (byte) => BYTE_CHARACTERS[byte]!).join(''),
  )
  return (given, work) => replaced(given, known, work)
}
