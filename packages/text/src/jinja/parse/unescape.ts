import { failSyntax } from '../failure.js'

const SIMPLE: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
const HEXADECIMAL: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

/** Replaces non-ASCII characters by escapes, as Jinja2 does before it decodes the escapes of a string. */
const backslashReplace = (text: string): string =>
  text.replace(/\P{ASCII}/gu, (character) => {
    const code = character.codePointAt(0)!
    const digits = code.toString(16)
    return code < 0x100
      ? `\\x${digits}`
      : code < 0x10000
        ? `\\u${digits.padStart(4, '0')}`
        : `\\U${digits.padStart(8, '0')}`
  })

function decode(escape: string, line: number): string {
  const letter = escape[1]!
  const digits = HEXADECIMAL[letter]
  if (digits !== undefined) {
    if (escape.length !== digits + 2) failSyntax(`truncated \\${letter} escape in a string`, line)
    const code = parseInt(escape.slice(2), 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : failSyntax('illegal Unicode character in a string', line)
  }
  if (letter >= '0' && letter <= '7') return String.fromCharCode(parseInt(escape.slice(1), 8))
  if (letter === 'N') failSyntax('characters by name (\\N{…}) are not supported; write the character itself', line)
  return Object.hasOwn(SIMPLE, letter) ? SIMPLE[letter]! : escape
}

const ESCAPE = /\\(?:x[0-9a-fA-F]{0,2}|u[0-9a-fA-F]{0,4}|U[0-9a-fA-F]{0,8}|[0-7]{1,3}|[^])/g

/**
 * Decodes the content of a string literal, like Python's codec `unicode-escape`.
 * @throws SyntaxError with the line of a truncated escape
 */
export function unescape(text: string, line: number): string {
  if (!text.includes('\\')) return text
  // Jinja2 escapes non-ASCII characters first, so a backslash before one escapes that escape.
  return backslashReplace(text).replace(ESCAPE, (escape) => decode(escape, line))
}
