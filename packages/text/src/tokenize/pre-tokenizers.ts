import type { z } from 'zod'
import { type AlignedText, prefixed, sliceOf, substituted } from './aligned-text.js'
import { inByteCharacters } from './byte-level.js'
import { SPACES, WORD } from './characters.js'
import { native } from './linear-regex.js'
import { BYTE_LEVEL, type Pattern, anyOf, expressionOf } from './patterns.js'
import type { preTokenizerSchema } from './schema.js'
import { split } from './split.js'
import { YOUNG_PUNCTUATION } from './young-characters.js'

/** Cuts texts into words. `first` says whether the text begins where the whole text does. */
export type PreTokenizer = (given: AlignedText, first: boolean) => readonly AlignedText[]
type Step = Extract<z.output<typeof preTokenizerSchema>, { type: string }>
type Of<T extends Step['type']> = Extract<Step, { type: T }>

const WHITE_SPACE = native(new RegExp(`[${SPACES}]`, 'gu'))
const PUNCTUATION = native(new RegExp(`(?![${YOUNG_PUNCTUATION}])[\\p{P}$+<=>^\`|~]`, 'gu'))
const WORDS = native(new RegExp(`[${WORD}]+|[^${WORD}${SPACES}]+`, 'gu'))
const NUMBERS = native(/\p{N}/gu)
const BLANK = native(/ /g)

const bert: PreTokenizer = (given) =>
  split(given, WHITE_SPACE, 'Removed').flatMap((word) => split(word, PUNCTUATION, 'Isolated'))

function byteLevel({ add_prefix_space: prefix, use_regex: cut }: Of<'ByteLevel'>): PreTokenizer {
  return (given) => {
    const text = prefix && !given.text.startsWith(' ') ? prefixed(given, ' ') : given
    return (cut ? split(text, BYTE_LEVEL, 'Isolated') : [text]).map(inByteCharacters)
  }
}

function metaspace({ replacement, prepend_scheme, add_prefix_space, split: cut }: Of<'Metaspace'>): PreTokenizer {
  const scheme = prepend_scheme ?? (add_prefix_space === false ? 'never' : 'always')
  const mark = native(anyOf([replacement]))
  return (given, first) => {
    const text = substituted(given, BLANK, replacement)
    const wanted = scheme === 'always' || (scheme === 'first' && first)
    const whole = wanted && !text.text.startsWith(replacement) ? prefixed(text, replacement) : text
    return cut ? split(whole, mark, 'MergedWithNext') : [whole]
  }
}

/**
 * The n-grams of a word between `<` and `>`, of which neighbours share all but a character; the whole of a word that is shorter.
 * Source: Bojanowski et al., Enriching Word Vectors with Subword Information, 2017, section 3.2.
 */
function nGrams(word: AlignedText, size: number): AlignedText[] {
  if (word.text === '') return []
  const last = word.text.length - 1
  const wrapped = prefixed(
    { text: `${word.text}>`, starts: [...word.starts, word.starts[last]!], ends: [...word.ends, word.ends[last]!] },
    '<',
  )
  const places = [0]
  for (const character of wrapped.text) places.push(places.at(-1)! + character.length)
  const count = Math.max(1, places.length - size)
  return Array.from({ length: count }, (_, i) =>
    sliceOf(wrapped, places[i]!, places[Math.min(i + size, places.length - 1)]!),
  )
}

function one(step: Step): PreTokenizer {
  switch (step.type) {
    case 'BertPreTokenizer':
      return bert
    case 'ByteLevel':
      return byteLevel(step)
    case 'Metaspace':
      return metaspace(step)
    case 'Whitespace':
      return (given) => split(given, WORDS, 'Removed', true)
    case 'WhitespaceSplit':
      return (given) => split(given, WHITE_SPACE, 'Removed')
    case 'Punctuation':
      return (given) => split(given, PUNCTUATION, step.behavior)
    case 'Digits':
      return (given) => split(given, NUMBERS, step.individual_digits ? 'Isolated' : 'Contiguous')
    case 'CharDelimiterSplit':
      return (given) => split(given, native(anyOf([step.delimiter])), 'Removed')
    case 'CharacterNGrams':
      return (given) => nGrams(given, step.size)
    case 'Split': {
      const expression = expressionOf(step.pattern as Pattern)
      return (given) => split(given, expression, step.behavior, step.invert)
    }
  }
}

/** How a tokenizer.json cuts texts into words; not at all where it does not say. */
export function preTokenizerOf(steps: readonly Step[]): PreTokenizer {
  const each = steps.map(one)
  return (given, first) =>
    each.reduce<readonly AlignedText[]>(
      (texts, step) => texts.flatMap((text, i) => (text.text === '' ? [] : step(text, first && i === 0))),
      [given],
    )
}
