import type { CharacterSets } from './character-sets.js'
import { SPACES } from './characters.js'
import { compileRegex } from './compile-regex.js'
import { type Expression, native } from './expression.js'
import { linearExpression } from './linear-regex.js'

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

/** Pre-tokenization pattern of GPT-2, as spelled in tokenizer files. */
export const GPT2_PATTERN = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
/** Pre-tokenization pattern of Llama 3 and cl100k. */
export const LLAMA3_PATTERN = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
/** Pre-tokenization pattern of Qwen 2. */
export const QWEN2_PATTERN = LLAMA3_PATTERN.replace('{1,3}', '')

/** Pre-tokenization pattern of Qwen 3.5: {@link QWEN2_PATTERN} with combining marks as letters. */
export const MARKED_PATTERN = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

const [UPPER, LOWER] = [String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`]
/** Pattern of o200k (GPT-4o, Llama 4) and Tekken (Mistral Nemo), which also splits where upper case follows lower case. */
const camelCasePattern = (tail: string, digits: string): string =>
  [
    String.raw`[^\r\n\p{L}\p{N}]?${UPPER}*${LOWER}+${tail}`,
    String.raw`[^\r\n\p{L}\p{N}]?${UPPER}+${LOWER}*${tail}`,
    `\\p{N}${digits}`,
    String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*`,
    String.raw`\s*[\r\n]+`,
    String.raw`\s+(?!\S)`,
    String.raw`\s+`,
  ].join('|')
/** Pre-tokenization pattern of o200k. */
export const O200K_PATTERN = camelCasePattern("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", '{1,3}')
/** Pre-tokenization pattern of Tekken. */
export const TEKKEN_PATTERN = camelCasePattern('', '')

/** Pre-tokenization pattern of DeepSeek V3 and R1, which is applied after splitting numbers and ideographs. */
export const DEEPSEEK_PATTERN = [
  '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+',
  String.raw`[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+`,
  String.raw` ?[\p{P}\p{S}]+[\r\n]*`,
  String.raw`\s*[\r\n]+`,
  String.raw`\s+(?!\S)`,
  String.raw`\s+`,
].join('|')

/** Pattern of CJK ideographs and kana of DeepSeek V3 and R1. */
export const IDEOGRAPHS_PATTERN = '[一-龥\u3040-ゟ゠-ヿ]+'

/** Replaces `\s`, which has another meaning in JavaScript. */
const spaced = (source: string): string =>
  source.replace('(?!\\S)', `(?![^${SPACES}])`).replaceAll('[^\\s', `[^${SPACES}`).replaceAll('\\s', `[${SPACES}]`)

/**
 * Regular expressions of well-known tokenizers, and their JavaScript equivalents, since `\s` differs and there are no inline
 * flags. The native matcher runs them in time proportional to the text.
 */
const KNOWN: Readonly<Record<string, string>> = {
  [GPT2_PATTERN]: gpt2,
  [LLAMA3_PATTERN]: modern('{1,3}'),
  [QWEN2_PATTERN]: modern(''),
  [MARKED_PATTERN]: spaced(MARKED_PATTERN.replace(/^\(\?i:.*?\)/, anyCase)),
  [O200K_PATTERN]: spaced(camelCasePattern(`(?:${anyCase})?`, '{1,3}')),
  [TEKKEN_PATTERN]: spaced(TEKKEN_PATTERN),
  [DEEPSEEK_PATTERN]: spaced(DEEPSEEK_PATTERN),
  '\\p{N}{1,3}': '\\p{N}{1,3}',
  '\\p{N}': '\\p{N}',
  ' {2,}': ' {2,}',
  '[\\s\\S]': '[^]',
}

/** Patterns that split between a word and the following space, and patterns that match no space. */
const SPLIT_BEFORE_SPACE: ReadonlySet<string> = new Set([
  GPT2_PATTERN,
  LLAMA3_PATTERN,
  QWEN2_PATTERN,
  MARKED_PATTERN,
  O200K_PATTERN,
  TEKKEN_PATTERN,
  DEEPSEEK_PATTERN,
])
const SPACELESS: ReadonlySet<string> = new Set(['\\p{N}{1,3}', '\\p{N}', IDEOGRAPHS_PATTERN])

/** A pattern of a tokenizer.json: a text or a regular expression. */
export type Pattern = { readonly String: string } | { readonly Regex: string }

/** True if a regular expression is well-known. */
export const isKnownExpression = (source: string): boolean => Object.hasOwn(KNOWN, source)

/** True if an expression always splits between a word and the following space. */
export const splitsBeforeSpace = (source: string): boolean => SPLIT_BEFORE_SPACE.has(source)

/** True if an expression matches no space and does not test for one. */
export const isSpaceless = (source: string): boolean => SPACELESS.has(source)

/** Reason why a regular expression is not supported in a tokenizer.json; undefined if it is. */
export function refusalOf(source: string): string | undefined {
  if (isKnownExpression(source)) return undefined
  const found = compileRegex(source)
  return 'refused' in found ? found.refused : undefined
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/** An expression that matches a text literally. */
export const literally = (text: string): Expression => native(new RegExp(escaped(text), 'gu'), text.length)

/**
 * The expression of a pattern. Texts and well-known expressions run on native regular expressions. Others run on a linear-time
 * matcher, since a malicious one could take exponential time on JavaScript's.
 */
export function expressionOf(pattern: Pattern, sets: CharacterSets): Expression {
  if ('String' in pattern) return literally(pattern.String)
  const known = Object.hasOwn(KNOWN, pattern.Regex) ? KNOWN[pattern.Regex] : undefined
  if (known !== undefined) return native(new RegExp(known, 'gu'))
  const found = linearExpression(pattern.Regex, sets)
  if ('refused' in found) throw new Error(found.refused)
  return found
}

/** The expression of byte-level pre-tokenizers. */
export const BYTE_LEVEL = native(new RegExp(gpt2, 'gu'))
