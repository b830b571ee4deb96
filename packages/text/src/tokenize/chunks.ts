import { normalizedTokens } from './normalized-tokens.js'
import { isSpaceless, splitsBeforeSpace } from './patterns.js'
import type { TokenizerFile } from './schema.js'
import { stepsIn } from './steps-in.js'

interface Step {
  readonly type: string
  readonly [key: string]: unknown
}

const NORMALIZERS: readonly string[] = [
  'BertNormalizer',
  'NFC',
  'NFD',
  'NFKC',
  'NFKD',
  'Lowercase',
  'StripAccents',
  'Nmt',
  'Precompiled',
]

/** True if a normalizer does the same to a text split before single spaces as to the whole text. */
function normalizesParts({ type, strip_left: left, pattern }: Step): boolean {
  if (type === 'Strip') return left === false
  if (type !== 'Replace') return NORMALIZERS.includes(type)
  const { String: text, Regex: expression } = pattern as { readonly String?: string; readonly Regex?: string }
  return text === undefined ? expression === ' {2,}' : !text.includes(' ')
}

/** The regular expression of a split step; empty if it splits at a text. */
const expressionIn = ({ pattern }: Step): string => (pattern as { readonly Regex?: string }).Regex ?? ''

/** True if a pre-tokenizer always splits between a word and the following space. */
function isWordSplitter(step: Step): boolean {
  if (step.type === 'ByteLevel') return step['use_regex'] === true
  if (step.type === 'Metaspace') return step['split'] === true
  if (step.type === 'Split')
    return step['behavior'] === 'Isolated' && step['invert'] === false && splitsBeforeSpace(expressionIn(step))
  return ['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit'].includes(step.type)
}

/** True if a pre-tokenizer never reads beyond a split. */
const isContextFree = (step: Step): boolean =>
  step.type === 'ByteLevel' ||
  step.type === 'CharacterNGrams' ||
  (step.type === 'Split' && step['behavior'] === 'Isolated' && isSpaceless(expressionIn(step))) ||
  (['Punctuation', 'Digits'].includes(step.type) && !String(step['behavior']).startsWith('Merged'))

/**
 * True if a text can be split before single spaces between words and its parts tokenized independently. The tokens of parts can
 * then be cached.
 */
export function isDivisible(file: TokenizerFile): boolean {
  const preTokenizers = stepsIn<Step>(file.pre_tokenizer)
  // After a byte-level step, a text has no spaces.
  const encoder = preTokenizers.findIndex(({ type }) => type === 'ByteLevel')
  const spaced = encoder < 0 ? preTokenizers : preTokenizers.slice(0, encoder + 1)
  return (
    stepsIn<Step>(file.normalizer).every(normalizesParts) &&
    spaced.some(isWordSplitter) &&
    preTokenizers.every((step) => isWordSplitter(step) || isContextFree(step)) &&
    [...file.added_tokens.filter(({ normalized }) => normalized), ...normalizedTokens(file)].every(
      ({ content, lstrip, rstrip }) => !(/\s/.test(content) || lstrip || rstrip),
    )
  )
}

/** True for visible ASCII characters, and for scripts whose letters no normalizer turns into a space. */
const isVisible = (unit: number): boolean =>
  (unit > 0x20 && unit < 0x7f) || (unit >= 0xc0 && unit < 0x1680) || (unit >= 0x3041 && unit < 0xd800)

/** End of the part that begins at `from`: before the next single space between visible characters. */
export function nextSplit(text: string, from: number, end: number): number {
  // An unlimited search would read the rest of the text again for each of many short parts.
  const searched = end < text.length ? text.slice(0, end) : text
  for (let at = searched.indexOf(' ', from + 1); at > 0 && at + 1 < end; at = searched.indexOf(' ', at + 1))
    if (isVisible(text.charCodeAt(at - 1)) && isVisible(text.charCodeAt(at + 1))) return at
  return end
}
