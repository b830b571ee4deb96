import { SPACES } from './characters.js'

const letters = '\\p{L}'
const numbers = '\\p{N}'
const contractions = (marks: string): string => `'(?:${marks})`
const anyCase = contractions('[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD]')
const ends = `[${SPACES}]+(?![^${SPACES}])|[${SPACES}]+`
const modern = (digits: string): string =>
  [
    anyCase,
    `[^\\r\\n${letters}${numbers}]?${letters}+`,
    `${numbers}${digits}`,
    ` ?[^${SPACES}${letters}${numbers}]+[\\r\\n]*`,
    `[${SPACES}]*[\\r\\n]+`,
    ends,
  ].join('|')

/** What GPT-2 cuts words by. */
const GPT2 = [
  contractions('s|t|re|ve|m|ll|d'),
  ` ?${letters}+`,
  ` ?${numbers}+`,
  ` ?[^${SPACES}${letters}${numbers}]+`,
  ends,
].join('|')

/**
 * The regular expressions that may stand in a tokenizer.json, as files spell them, and the same for JavaScript, where `\s` is
 * another set and case can't be ignored for a part. Those of GPT-2, of Llama 3 (cl100k) and of Qwen 2; runs of spaces; each
 * character. Others are refused: a hostile one takes forever.
 */
const KNOWN: Readonly<Record<string, string>> = {
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+": GPT2,
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+":
    modern('{1,3}'),
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+":
    modern(''),
  ' {2,}': ' {2,}',
  '[\\s\\S]': '[^]',
}

/** A pattern of a tokenizer.json: a text, or a regular expression. */
export type Pattern = { readonly String: string } | { readonly Regex: string }

/** Whether a regular expression is one of those that may stand in a tokenizer.json. */
export const isKnownExpression = (source: string): boolean => Object.hasOwn(KNOWN, source)

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/** The expression of a pattern, to be used with `matchAll`. */
export const expressionOf = (pattern: Pattern): RegExp =>
  new RegExp('String' in pattern ? escaped(pattern.String) : KNOWN[pattern.Regex]!, 'gu')

/** The expression that byte-level pre-tokenizers cut by. */
export const BYTE_LEVEL = new RegExp(GPT2, 'gu')

/** An expression that finds the longest of some texts, leftmost first. */
export const anyOf = (texts: readonly string[]): RegExp =>
  new RegExp(
    [...texts]
      .sort((a, b) => b.length - a.length)
      .map(escaped)
      .join('|'),
    'gu',
  )
