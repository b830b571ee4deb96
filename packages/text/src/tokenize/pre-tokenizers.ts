import type { z } from 'zod'
import { type AlignedText, enclose, holdUnits, addPrefix, sliceOf, substitute } from './aligned-text.js'
import { byteLevelEncoder } from './byte-level.js'
import type { CharacterSets } from './character-sets.js'
import { SPACES, WORD } from './characters.js'
import { native } from './expression.js'
import { BYTE_LEVEL, type Pattern, expressionOf, literally } from './patterns.js'
import type { preTokenizerSchema } from './schema.js'
import { type Receiver, split } from './split.js'
import type { Work } from './work.js'
import { NEWER_PUNCTUATION } from './newer-characters.js'

/** Splits a text into words. `first` is true at the beginning of the whole text. */
export type PreTokenizer = (input: AlignedText, first: boolean, work: Work, receive: Receiver) => void
type Step = Extract<z.output<typeof preTokenizerSchema>, { type: string }>
type Of<T extends Step['type']> = Extract<Step, { type: T }>

const WHITE_SPACE = native(new RegExp(`[${SPACES}]`, 'gu'))
const PUNCTUATION = native(new RegExp(`(?![${NEWER_PUNCTUATION}])[\\p{P}$+<=>^\`|~]`, 'gu'))
const WORDS = native(new RegExp(`[${WORD}]+|[^${WORD}${SPACES}]+`, 'gu'))
const NUMBERS = native(/\p{N}/gu)
const BLANK = native(/ /g)

const bert: PreTokenizer = (input, _, work, receive) =>
  split(input, WHITE_SPACE, { behavior: 'Removed' }, work, (word) =>
    split(word, PUNCTUATION, { behavior: 'Isolated' }, work, receive),
  )

function byteLevel({ add_prefix_space: prefix, use_regex: splits }: Of<'ByteLevel'>): PreTokenizer {
  const inBytes = byteLevelEncoder()
  return (input, _, work, receive) => {
    const text = prefix && !input.text.startsWith(' ') ? addPrefix(input, ' ', work) : input
    const encoded: Receiver = (word) => receive(inBytes(word, work))
    if (splits) split(text, BYTE_LEVEL, { behavior: 'Isolated' }, work, encoded)
    else encoded(text)
  }
}

function metaspace({ replacement, prepend_scheme, add_prefix_space, split: splits }: Of<'Metaspace'>): PreTokenizer {
  const scheme = prepend_scheme ?? (add_prefix_space === false ? 'never' : 'always')
  const mark = literally(replacement)
  return (input, first, work, receive) => {
    const text = substitute(input, BLANK, replacement, work)
    const wanted = scheme === 'always' || (scheme === 'first' && first)
    const whole = wanted && !text.text.startsWith(replacement) ? addPrefix(text, replacement, work) : text
    if (splits) split(whole, mark, { behavior: 'MergedWithNext' }, work, receive)
    else receive(whole)
  }
}

/** Steps per n-gram, and per unit of a word that has n-grams. */
const [STEPS_PER_NGRAM, STEPS_PER_UNIT] = [20, 10]

/**
 * Character n-grams of a word enclosed in `<` and `>`, with a step of one character; the whole word if it is shorter.
 * Source: Bojanowski et al., Enriching Word Vectors with Subword Information, 2017, section 3.2.
 */
function nGrams(word: AlignedText, size: number, work: Work, receive: Receiver): void {
  if (word.text === '') return
  work.spend(STEPS_PER_UNIT * word.text.length)
  const wrapped = enclose(word, '<', '>')
  const positions = [0]
  for (const character of wrapped.text) positions.push(positions.at(-1)! + character.length)
  const count = Math.max(1, positions.length - size)
  for (let i = 0; i < count; i++) {
    work.spend(STEPS_PER_NGRAM)
    receive(sliceOf(wrapped, positions[i]!, positions[Math.min(i + size, positions.length - 1)]!))
  }
}

/** Splits a text into parts of a number of characters; the last one may be shorter. */
function fixedLength(input: AlignedText, length: number, work: Work, receive: Receiver): void {
  work.spend(STEPS_PER_UNIT * input.text.length)
  let [start, end, count] = [0, 0, 0]
  const flush = (): void => {
    work.spend(STEPS_PER_NGRAM)
    receive(sliceOf(input, start, end))
    ;[start, count] = [end, 0]
  }
  for (const character of input.text) {
    end += character.length
    if (++count === length) flush()
  }
  if (count > 0) flush()
}

/** Creates a step that splits at the matches of an expression. */
const splitter =
  (...[expression, how]: [Parameters<typeof split>[1], Parameters<typeof split>[2]]): PreTokenizer =>
  (input, _, work, receive) =>
    split(input, expression, how, work, receive)

function preTokenizerOfStep(step: Step, sets: CharacterSets): PreTokenizer {
  switch (step.type) {
    case 'BertPreTokenizer':
      return bert
    case 'ByteLevel':
      return byteLevel(step)
    case 'Metaspace':
      return metaspace(step)
    case 'Whitespace':
      return splitter(WORDS, { behavior: 'Removed', invert: true })
    case 'WhitespaceSplit':
      return splitter(WHITE_SPACE, { behavior: 'Removed' })
    case 'Punctuation':
      return splitter(PUNCTUATION, { behavior: step.behavior })
    case 'Digits':
      return splitter(NUMBERS, { behavior: step.individual_digits ? 'Isolated' : 'Contiguous' })
    case 'CharDelimiterSplit':
      return splitter(literally(step.delimiter), { behavior: 'Removed' })
    case 'FixedLength':
      return (input, _, work, receive) => fixedLength(input, step.length, work, receive)
    case 'CharacterNGrams':
      return (input, _, work, receive) => nGrams(input, step.size, work, receive)
    case 'Split':
      return splitter(expressionOf(step.pattern as Pattern, sets), { behavior: step.behavior, invert: step.invert })
  }
}

/**
 * The pre-tokenizer of a tokenizer.json; without one, the whole text is one word. Each word passes through all steps before the
 * next one, so no step stores all words.
 */
export function preTokenizerOf(steps: readonly Step[], sets: CharacterSets): PreTokenizer {
  const each = steps.map((step) => preTokenizerOfStep(step, sets)).reverse()
  return (input, first, work, receive) => {
    let next = receive
    for (const step of each) {
      const after = next
      let isFirst = first
      next = (text) => {
        const leads = isFirst
        isFirst = false
        if (text.text === '') return
        holdUnits(work, text.text.length)
        step(text, leads, work, after)
        holdUnits(work, -text.text.length)
      }
    }
    next(input)
  }
}
