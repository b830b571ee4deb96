const PRINTABLE = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
] as const

/**
 * Byte of each character in the vocabularies of byte-level tokenizers: printable Latin-1 characters stand for themselves, and
 * characters from U+0100 on for the other bytes in order; `Ġ` is the space.
 * Source: Radford et al., Language Models are Unsupervised Multitask Learners, 2019, section 2.2, and their code.
 */
export function byteAlphabet(): ReadonlyMap<string, number> {
  const isPrintable = (byte: number): boolean => PRINTABLE.some(([first, last]) => first <= byte && byte <= last)
  let others = 0x100
  return new Map(
    Array.from({ length: 256 }, (_, byte) => [String.fromCharCode(isPrintable(byte) ? byte : others++), byte]),
  )
}
