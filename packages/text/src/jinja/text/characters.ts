/** True for whitespace by Python's `str.isspace`; all of these characters are one UTF-16 unit. */
export function isSpace(unit: number): boolean {
  if (unit < 0x80) return unit === 32 || (unit >= 9 && unit <= 13) || (unit >= 28 && unit <= 31)
  if (unit < 0x2000) return unit === 0x85 || unit === 0xa0 || unit === 0x1680
  return unit <= 0x200a || unit === 0x2028 || unit === 0x2029 || unit === 0x202f || unit === 0x205f || unit === 0x3000
}

/** Index of the first non-whitespace character at or after `from`. */
export function skipSpaces(text: string, from: number): number {
  let at = from
  while (at < text.length && isSpace(text.charCodeAt(at))) at++
  return at
}

/** Index after the last non-whitespace character, at least `from`. */
export function endOfText(text: string, from: number = 0): number {
  let end = text.length
  while (end > from && isSpace(text.charCodeAt(end - 1))) end--
  return end
}

/** Number of line breaks in a text. */
export function countLines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}

const DIGITS = /^\p{Nd}$/u

/** Value of a decimal digit of any script; undefined for other characters. */
export function digitOf(character: string): number | undefined {
  const code = character.codePointAt(0)!
  if (code >= 48 && code <= 57) return code - 48
  if (code < 0x80 || !DIGITS.test(character)) return undefined
  // Decimal digits form runs of ten from 0 to 9; runs may be adjacent.
  let zero = code
  while (zero > code - 60 && DIGITS.test(String.fromCodePoint(zero - 1))) zero--
  return (code - zero) % 10
}
