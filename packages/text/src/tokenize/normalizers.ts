import type { z } from 'zod'
import { type AlignedText, prefixed, replaced, sliceOf, substituted } from './aligned-text.js'
import { inByteCharacters } from './byte-level.js'
import { isWhiteSpace } from './characters.js'
import { type Pattern, expressionOf } from './patterns.js'
import { normalizedByRules, readRules } from './precompiled.js'
import type { normalizerSchema } from './schema.js'
import { type UnicodeForm, unicodeForm } from './unicode-form.js'
import { YOUNG_MARKS, YOUNG_NONSPACING_MARKS } from './young-characters.js'

/** What is done to a text before it is cut into words. */
export type Normalizer = (given: AlignedText) => AlignedText
type Step = Extract<z.output<typeof normalizerSchema>, { type: string }>
/** A part of a tokenizer.json, by its type. */
type Of<T extends Step['type']> = Extract<Step, { type: T }>

const lowercase: Normalizer = (given) => replaced(given, (character) => character.toLowerCase())
const without =
  (expression: RegExp): Normalizer =>
  (given) =>
    replaced(given, (character) => (expression.test(character) ? '' : character))

const DIRT = /^[\0\ufffd\p{Cc}\p{Cf}\p{Co}]$/u
const cleaned: Normalizer = (given) =>
  replaced(given, (character) => {
    if (isWhiteSpace(character)) return /[\t\n\r]|[^\p{Cc}\p{Cf}\p{Co}]/u.test(character) ? ' ' : ''
    return DIRT.test(character) ? '' : character
  })

const IDEOGRAPH =
  /^[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]$/u
const ideographsApart: Normalizer = (given) =>
  replaced(given, (character) => (IDEOGRAPH.test(character) ? ` ${character} ` : character))

const nonspacingMarksGone = without(new RegExp(`^(?![${YOUNG_NONSPACING_MARKS}])\\p{Mn}$`, 'u'))
const marksGone = without(new RegExp(`^(?![${YOUNG_MARKS}])\\p{M}$`, 'u'))
const ASCII = /^[\x20-\x7e]*$/

function bert({ clean_text, handle_chinese_chars, strip_accents, lowercase: lower }: Of<'BertNormalizer'>): Normalizer {
  const accents: Normalizer = (given) => nonspacingMarksGone(unicodeForm(given, 'NFD'))
  const steps = [
    ...(clean_text ? [cleaned] : []),
    ...(handle_chinese_chars ? [ideographsApart] : []),
    ...((strip_accents ?? lower) ? [accents] : []),
  ]
  return (given) => {
    const plain = ASCII.test(given.text) ? given : steps.reduce((text, step) => step(text), given)
    return lower ? lowercase(plain) : plain
  }
}

// eslint-disable-next-line no-control-regex -- they are what it is about
const CONTROLS = /^[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]$/
const BLANKS = /^[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]$/
/** SentencePiece's rules for machine translation, without its Unicode form. */
const nmt: Normalizer = (given) =>
  replaced(given, (character) => (CONTROLS.test(character) ? '' : BLANKS.test(character) ? ' ' : character))

function strip({ strip_left: left, strip_right: right }: Of<'Strip'>): Normalizer {
  return (given) => {
    let [start, end] = [0, given.text.length]
    while (left && start < end && isWhiteSpace(given.text[start]!)) start++
    while (right && end > start && isWhiteSpace(given.text[end - 1]!)) end--
    return sliceOf(given, start, end)
  }
}

function replace({ pattern, content }: Of<'Replace'>): Normalizer {
  const expression = expressionOf(pattern as Pattern)
  return (given) => substituted(given, expression, content)
}

function precompiled({ precompiled_charsmap: charsmap }: Of<'Precompiled'>): Normalizer {
  const rules = charsmap == null ? undefined : readRules(charsmap)
  return rules === undefined ? (given) => given : (given) => normalizedByRules(given, rules)
}

function one(step: Step): Normalizer {
  switch (step.type) {
    case 'BertNormalizer':
      return bert(step)
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form: UnicodeForm = step.type
      return (given) => unicodeForm(given, form)
    }
    case 'Lowercase':
      return lowercase
    case 'StripAccents':
      return marksGone
    case 'Nmt':
      return nmt
    case 'ByteLevel':
      return inByteCharacters
    case 'Prepend':
      return (given) => prefixed(given, step.prepend)
    case 'Strip':
      return strip(step)
    case 'Replace':
      return replace(step)
    case 'Precompiled':
      return precompiled(step)
  }
}

/** What the normalizer of a tokenizer.json does; nothing where there is none. */
export function normalizerOf(steps: readonly Step[]): Normalizer {
  const each = steps.map(one)
  return (given) => each.reduce((text, step) => step(text), given)
}
