import type { z } from 'zod'
import { type AlignedText, holdUnits, addPrefix, replaceCharacters, sliceOf, substitute } from './aligned-text.js'
import { byteLevelEncoder } from './byte-level.js'
import type { CharacterSets } from './character-sets.js'
import { isWhiteSpace } from './characters.js'
import { codePointMap } from './code-points.js'
import { type Pattern, expressionOf } from './patterns.js'
import { normalizeByRules, readRules } from './precompiled.js'
import type { normalizerSchema } from './schema.js'
import { unicodeNormalizer } from './unicode-form.js'
import type { Work } from './work.js'
import { NEWER_MARKS, NEWER_NONSPACING_MARKS } from './newer-characters.js'

/** A normalization step. It runs before the text is split into words. */
export type Normalizer = (input: AlignedText, work: Work) => AlignedText
type Step = Extract<z.output<typeof normalizerSchema>, { type: string }>
/** A step of one type. */
type Of<T extends Step['type']> = Extract<Step, { type: T }>

/** Creates a step that replaces each character independently. */
function characterwise(replacement: (character: string) => string): Normalizer {
  const known = codePointMap(replacement)
  return (input, work) => replaceCharacters(input, known, work)
}

const lowercase = (): Normalizer => characterwise((character) => character.toLowerCase())
const without = (expression: RegExp): Normalizer =>
  characterwise((character) => (expression.test(character) ? '' : character))

const DIRT = /^[\0\ufffd\p{Cc}\p{Cf}\p{Co}]$/u
const cleanText = (): Normalizer =>
  characterwise((character) => {
    if (isWhiteSpace(character)) return /[\t\n\r]|[^\p{Cc}\p{Cf}\p{Co}]/u.test(character) ? ' ' : ''
    return DIRT.test(character) ? '' : character
  })

const IDEOGRAPH =
  /^[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]$/u
const padIdeographs = (): Normalizer =>
  characterwise((character) => (IDEOGRAPH.test(character) ? ` ${character} ` : character))

const NONSPACING_MARK = new RegExp(`^(?![${NEWER_NONSPACING_MARKS}])\\p{Mn}$`, 'u')
const MARK = new RegExp(`^(?![${NEWER_MARKS}])\\p{M}$`, 'u')
const ASCII = /^[\x20-\x7e]*$/

/** Accounts for the memory of a step's result instead of its input. */
const withAccounting =
  (step: Normalizer): Normalizer =>
  (input, work) => {
    const made = step(input, work)
    holdUnits(work, made.text.length - input.text.length)
    return made
  }

const sequenceOf =
  (steps: readonly Normalizer[]): Normalizer =>
  (input, work) =>
    steps.reduce((text, step) => step(text, work), input)

function bert({ clean_text, handle_chinese_chars, strip_accents, lowercase: lower }: Of<'BertNormalizer'>): Normalizer {
  const steps = [
    ...(clean_text ? [cleanText()] : []),
    ...(handle_chinese_chars ? [padIdeographs()] : []),
    ...((strip_accents ?? lower) ? [unicodeNormalizer('NFD'), without(NONSPACING_MARK)] : []),
  ]
  const normalize = sequenceOf(steps.map(withAccounting))
  const toLower = withAccounting(lowercase())
  return (input, work) => {
    work.spend(input.text.length / 4)
    const plain = ASCII.test(input.text) ? input : normalize(input, work)
    return lower ? toLower(plain, work) : plain
  }
}

// eslint-disable-next-line no-control-regex -- matches control characters on purpose
const CONTROLS = /^[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]$/
const BLANKS = /^[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]$/
/** SentencePiece's normalization rules for machine translation (NMT), without the Unicode form. */
const nmt = (): Normalizer =>
  characterwise((character) => (CONTROLS.test(character) ? '' : BLANKS.test(character) ? ' ' : character))

/** Steps per stripped space. */
const STEPS_PER_SPACE = 10

function strip({ strip_left: left, strip_right: right }: Of<'Strip'>): Normalizer {
  return (input, work) => {
    let [start, end] = [0, input.text.length]
    while (left && start < end && isWhiteSpace(input.text[start]!)) start++
    while (right && end > start && isWhiteSpace(input.text[end - 1]!)) end--
    work.spend(STEPS_PER_SPACE * (input.text.length - (end - start)))
    return sliceOf(input, start, end)
  }
}

function replace({ pattern, content }: Of<'Replace'>, sets: CharacterSets): Normalizer {
  const expression = expressionOf(pattern as Pattern, sets)
  return (input, work) => substitute(input, expression, content, work)
}

function precompiled({ precompiled_charsmap: charsmap }: Of<'Precompiled'>): Normalizer {
  const rules = charsmap == null ? undefined : readRules(charsmap)
  return rules === undefined ? (input) => input : (input, work) => normalizeByRules(input, rules, work)
}

function normalizerOfStep(step: Exclude<Step, Of<'BertNormalizer'>>, sets: CharacterSets): Normalizer {
  switch (step.type) {
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return unicodeNormalizer(step.type)
    case 'Lowercase':
      return lowercase()
    case 'StripAccents':
      return without(MARK)
    case 'Nmt':
      return nmt()
    case 'ByteLevel':
      return byteLevelEncoder()
    case 'Prepend':
      return (input, work) => addPrefix(input, step.prepend, work)
    case 'Strip':
      return strip(step)
    case 'Replace':
      return replace(step, sets)
    case 'Precompiled':
      return precompiled(step)
  }
}

/** The normalizer of a tokenizer.json; identity if there is none. */
export function normalizerOf(steps: readonly Step[], sets: CharacterSets): Normalizer {
  const normalize = sequenceOf(
    steps.map((step) => (step.type === 'BertNormalizer' ? bert(step) : withAccounting(normalizerOfStep(step, sets)))),
  )
  return (input, work) => {
    work.part = 'normalizer'
    holdUnits(work, input.text.length)
    return normalize(input, work)
  }
}
