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

const gpt2 = [
  contractions('s|t|re|ve|m|ll|d'),
  ` ?${letters}+`,
  ` ?${numbers}+`,
  ` ?[^${SPACES}${letters}${numbers}]+`,
  ends,
].join('|')

/** What GPT-2 cuts words by, as files spell it. */
export const GPT2_CUT = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
/** What Llama 3 and cl100k cut words by. */
export const LLAMA3_CUT = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
/** What Qwen 2 cuts words by. */
export const QWEN2_CUT = LLAMA3_CUT.replace('{1,3}', '')

/**
 * The regular expressions that may stand in a tokenizer.json, and the same for JavaScript, where `\s` is another set and case
 * can't be ignored for a part. Others are refused: a hostile one takes forever.
 */
const KNOWN: Readonly<Record<string, string>> = {
  [GPT2_CUT]: gpt2,
  [LLAMA3_CUT]: modern('{1,3}'),
  [QWEN2_CUT]: modern(''),
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
export const BYTE_LEVEL = new RegExp(gpt2, 'gu')

/** An expression that finds the longest of some texts, leftmost first. */
export const anyOf = (texts: readonly string[]): RegExp =>
  new RegExp(
    [...texts]
      .sort((a, b) => b.length - a.length)
      .map(escaped)
      .join('|'),
    'gu',
  )
