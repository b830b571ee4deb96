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

/** What GPT-2 cuts words by, as files spell it. */
export const GPT2_CUT = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
/** What Llama 3 and cl100k cut words by. */
export const LLAMA3_CUT = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
/** What Qwen 2 cuts words by. */
export const QWEN2_CUT = LLAMA3_CUT.replace('{1,3}', '')

/** What Qwen 3.5 cuts words by: as {@link QWEN2_CUT}, with marks among the letters. */
const MARKED_CUT = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

const [LARGE, SMALL] = [String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`]
/** What o200k (GPT-4o, Llama 4) and Tekken (Mistral Nemo) cut words by: where small letters come before large ones, too. */
const mixedCut = (tail: string, digits: string): string =>
  [
    String.raw`[^\r\n\p{L}\p{N}]?${LARGE}*${SMALL}+${tail}`,
    String.raw`[^\r\n\p{L}\p{N}]?${LARGE}+${SMALL}*${tail}`,
    `\\p{N}${digits}`,
    String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*`,
    String.raw`\s*[\r\n]+`,
    String.raw`\s+(?!\S)`,
    String.raw`\s+`,
  ].join('|')
/** What o200k cuts words by. */
export const O200K_CUT = mixedCut("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", '{1,3}')
/** What Tekken cuts words by. */
export const TEKKEN_CUT = mixedCut('', '')

/** What DeepSeek V3 and R1 cut words by, after numbers and ideographs. */
const DEEPSEEK_CUT = [
  '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+',
  String.raw`[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+`,
  String.raw` ?[\p{P}\p{S}]+[\r\n]*`,
  String.raw`\s*[\r\n]+`,
  String.raw`\s+(?!\S)`,
  String.raw`\s+`,
].join('|')

/** An expression without `\s`, whose meaning in JavaScript is another. */
const spaced = (source: string): string =>
  source.replace('(?!\\S)', `(?![^${SPACES}])`).replaceAll('[^\\s', `[^${SPACES}`).replaceAll('\\s', `[${SPACES}]`)

/**
 * The regular expressions of well-known tokenizers, which JavaScript's own matcher runs in time in proportion to the text, and
 * the same for JavaScript, where `\s` is another set and case can't be ignored for a part.
 */
const KNOWN: Readonly<Record<string, string>> = {
  [GPT2_CUT]: gpt2,
  [LLAMA3_CUT]: modern('{1,3}'),
  [QWEN2_CUT]: modern(''),
  [MARKED_CUT]: spaced(MARKED_CUT.replace(/^\(\?i:.*?\)/, anyCase)),
  [O200K_CUT]: spaced(mixedCut(`(?:${anyCase})?`, '{1,3}')),
  [TEKKEN_CUT]: spaced(TEKKEN_CUT),
  [DEEPSEEK_CUT]: spaced(DEEPSEEK_CUT),
  '\\p{N}{1,3}': '\\p{N}{1,3}',
  '\\p{N}': '\\p{N}',
  ' {2,}': ' {2,}',
  '[\\s\\S]': '[^]',
}

/** Those of them that cut between a word and the space after it, and those that match no space. */
const WORD_CUTS: ReadonlySet<string> = new Set([
  GPT2_CUT,
  LLAMA3_CUT,
  QWEN2_CUT,
  MARKED_CUT,
  O200K_CUT,
  TEKKEN_CUT,
  DEEPSEEK_CUT,
])
const SPACELESS: ReadonlySet<string> = new Set(['\\p{N}{1,3}', '\\p{N}', '[一-龥\u3040-ゟ゠-ヿ]+'])

/** A pattern of a tokenizer.json: a text, or a regular expression. */
export type Pattern = { readonly String: string } | { readonly Regex: string }

/** Whether a regular expression is a well-known one. */
export const isKnownExpression = (source: string): boolean => Object.hasOwn(KNOWN, source)

/** Whether an expression always cuts between a word and the space after it. */
export const isWordCut = (source: string): boolean => WORD_CUTS.has(source)

/** Whether an expression matches no space and looks at none. */
export const isSpaceless = (source: string): boolean => SPACELESS.has(source)

/** Why a regular expression may not stand in a tokenizer.json; undefined if it may. */
export function refusalOf(source: string): string | undefined {
  if (isKnownExpression(source)) return undefined
  const found = compileRegex(source)
  return 'refused' in found ? found.refused : undefined
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/** The expression that finds a text. */
export const literally = (text: string): Expression => native(new RegExp(escaped(text), 'gu'), text.length)

/**
 * The expression of a pattern: JavaScript's own for a text or a well-known expression; any other runs on a matcher that takes
 * no longer than in proportion to the text, for a hostile one would take JavaScript's forever.
 */
export function expressionOf(pattern: Pattern, sets: CharacterSets): Expression {
  if ('String' in pattern) return literally(pattern.String)
  const known = Object.hasOwn(KNOWN, pattern.Regex) ? KNOWN[pattern.Regex] : undefined
  if (known !== undefined) return native(new RegExp(known, 'gu'))
  const found = linearExpression(pattern.Regex, sets)
  if ('refused' in found) throw new Error(found.refused)
  return found
}

/** The expression that byte-level pre-tokenizers split by. */
export const BYTE_LEVEL = native(new RegExp(gpt2, 'gu'))
