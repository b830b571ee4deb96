import { isSpaceless, isWordCut } from './patterns.js'
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

/** Whether a normalizer does the same to the parts of a text that is cut before single spaces as to the whole. */
function normalizesParts({ type, strip_left: left, pattern }: Step): boolean {
  if (type === 'Strip') return left === false
  if (type !== 'Replace') return NORMALIZERS.includes(type)
  const { String: text, Regex: expression } = pattern as { readonly String?: string; readonly Regex?: string }
  return text === undefined ? expression === ' {2,}' : !text.includes(' ')
}

/** The regular expression that a step cuts by; none where it cuts by a text. */
const expressionIn = ({ pattern }: Step): string => (pattern as { readonly Regex?: string }).Regex ?? ''

/** Whether a pre-tokenizer always cuts between a word and the space after it. */
function cutsBeforeSpace(step: Step): boolean {
  if (step.type === 'ByteLevel') return step['use_regex'] === true
  if (step.type === 'Metaspace') return step['split'] === true
  if (step.type === 'Split')
    return step['behavior'] === 'Isolated' && step['invert'] === false && isWordCut(expressionIn(step))
  return ['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit'].includes(step.type)
}

/** Whether a pre-tokenizer never looks beyond a cut. */
const looksNoFurther = (step: Step): boolean =>
  step.type === 'ByteLevel' ||
  step.type === 'CharacterNGrams' ||
  (step.type === 'Split' && step['behavior'] === 'Isolated' && isSpaceless(expressionIn(step))) ||
  (['Punctuation', 'Digits'].includes(step.type) && !String(step['behavior']).startsWith('Merged'))

/**
 * Whether a text may be cut before single spaces between words, and the parts tokenized by themselves, so that a part that was
 * seen before need not be tokenized again.
 */
export function isDivisible(file: TokenizerFile): boolean {
  const preTokenizers = stepsIn<Step>(file.pre_tokenizer)
  return (
    stepsIn<Step>(file.normalizer).every(normalizesParts) &&
    preTokenizers.some(cutsBeforeSpace) &&
    preTokenizers.every((step) => cutsBeforeSpace(step) || looksNoFurther(step)) &&
    file.added_tokens.every(
      ({ content, lstrip, rstrip, normalized }) => !normalized || !(/\s/.test(content) || lstrip || rstrip),
    )
  )
}

/** Visible characters of ASCII, and of scripts whose letters no normalizer makes a space of. */
const isVisible = (unit: number): boolean =>
  (unit > 0x20 && unit < 0x7f) || (unit >= 0xc0 && unit < 0x1680) || (unit >= 0x3041 && unit < 0xd800)

/** Where the part that begins at a place ends: before the next single space between visible characters. */
export function nextCut(text: string, from: number, end: number): number {
  // A search that does not end there would read the rest of the text anew for each of many short parts.
  const searched = end < text.length ? text.slice(0, end) : text
  for (let at = searched.indexOf(' ', from + 1); at > 0 && at + 1 < end; at = searched.indexOf(' ', at + 1))
    if (isVisible(text.charCodeAt(at - 1)) && isVisible(text.charCodeAt(at + 1))) return at
  return end
}
