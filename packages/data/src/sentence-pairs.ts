import {
  AttuneError,
  type Encoded,
  type Encoding,
  type Example,
  type HostArray,
  type Tokenizer,
  excerpt,
  key,
  stream,
} from '@attune/core'
import { type ClassificationBatch, classificationItems } from './classification-items.js'
import { fieldHash } from './field-hash.js'
import { missingField } from './missing-field.js'

/** A document: its sentences with their numbers of tokens, and the pair of segments that it is evaluated on. */
export interface SentencePairItem extends Encoded {
  readonly sentences: readonly string[]
  readonly counts: readonly number[]
  readonly pair: EncodedPair
}

/** Two encoded segments; `label` is 0 if the second one follows the first, otherwise 1. */
interface EncodedPair extends Encoded, Pick<Encoding, 'ids' | 'typeIds'> {
  readonly label: 0 | 1
}

/** Two segments of texts. */
interface Segments {
  readonly first: string
  readonly second: string
  readonly label: 0 | 1
}

type Document = Pick<SentencePairItem, 'sentences' | 'counts'>

/** Settings of {@link sentencePairs}. */
export interface SentencePairSettings {
  readonly tokenizer: Pick<Tokenizer, 'encode' | 'special'>
  /** The field of the document: a text, or a list of sentences. */
  readonly text: string
  readonly maximumLength: number
  readonly padToMultipleOf?: number
  /** `swapped`: both segments in the other order; `random`: the second one from another document. */
  readonly negatives: 'swapped' | 'random'
  /** Names of the labels: the second segment follows, or does not. */
  readonly labels: readonly [follows: string, negative: string]
}

/** Tokens of the template around and between two segments. */
const SPECIAL = 3

/** The sentences of a document. @throws AttuneError `MISSING_FIELD`, `ONE_SENTENCE` */
function sentencesOf(example: Example, field: string): readonly string[] {
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string')
  if (typeof value !== 'string' && !isList) throw missingField(example, field, 'text, or a list of sentences,', 'text')
  const parts = typeof value === 'string' ? segments(value) : (value as readonly string[])
  const sentences = parts.map((part) => part.trim()).filter((part) => part !== '')
  if (sentences.length > 1) return sentences
  throw new AttuneError(
    'ONE_SENTENCE',
    `expected a document of at least two sentences in field "${field}", got ${excerpt(value, 120)}`,
    'Remove the row, or join it with the text before or after it. A list of sentences is not split further.',
  )
}

const segments = (text: string): readonly string[] =>
  Array.from(new Intl.Segmenter('und', { granularity: 'sentence' }).segment(text), ({ segment }) => segment)

/** An integer in `[from, to)`. */
const pick = (from: number, to: number, random: () => number): number => from + Math.floor(random() * (to - from))

/** The text of the longest run of sentences from `start` on that has at most `room` tokens, at least one sentence. */
function runFrom({ sentences, counts }: Document, start: number, room: number): string {
  let [end, used] = [start + 1, counts[start]!]
  while (end < sentences.length && used + counts[end]! <= room) used += counts[end++]!
  return sentences.slice(start, end).join(' ')
}

/** The sentences before and after a boundary that fit in `room` tokens, taken in turns from both sides. */
function around({ sentences, counts }: Document, boundary: number, room: number): readonly [string, string] {
  let [from, to] = [boundary - 1, boundary + 1]
  let left = room - counts[from]! - counts[boundary]!
  let grown = true
  while (grown) {
    grown = false
    if (from > 0 && counts[from - 1]! <= left) [left, from, grown] = [left - counts[from - 1]!, from - 1, true]
    if (to < sentences.length && counts[to]! <= left) [left, to, grown] = [left - counts[to]!, to + 1, true]
  }
  return [sentences.slice(from, boundary).join(' '), sentences.slice(boundary, to).join(' ')]
}

/** Consecutive segments, or with probability one half in the other order. */
function ordered(document: Document, room: number, random: () => number): Segments {
  const [first, second] = around(document, pick(1, document.sentences.length, random), room)
  return random() < 0.5 ? { first: second, second: first, label: 1 } : { first, second, label: 0 }
}

/**
 * Consecutive segments, or with probability one half a second segment from one of the `others`. Without others it is from the same
 * document, after the sentence that follows; a document of two sentences then has no negative.
 */
function following(document: Document, others: readonly Document[], room: number, random: () => number): Segments {
  const count = document.sentences.length
  const isNegative = random() < 0.5 && (others.length > 0 || count > 2)
  const boundary = pick(1, isNegative && others.length === 0 ? count - 1 : count, random)
  const [first, second] = around(document, boundary, room)
  if (!isNegative) return { first, second, label: 0 }
  const source = others.length === 0 ? document : others[pick(0, others.length, random)]!
  const start = pick(others.length === 0 ? boundary + 1 : 0, source.sentences.length, random)
  return { first, second: runFrom(source, start, Math.floor(room / 2)), label: 1 }
}

/** Softmax of two logits. */
const probabilities = (a: number, b: number): readonly [number, number] => [
  1 / (1 + Math.exp(b - a)),
  1 / (1 + Math.exp(a - b)),
]

/**
 * Pairs of segments of documents, consecutive or not: shared by next-sentence and sentence-order prediction. A segment is as many
 * sentences as fit. In training, every batch samples other boundaries and negatives; in evaluation the pair of a document is always the same,
 * made from this document only.
 * Source: Devlin et al., BERT, 2019, appendix A.2; Lan et al., ALBERT, 2020, section 3.1.
 */
export function sentencePairs(settings: SentencePairSettings) {
  const { tokenizer, text, maximumLength, negatives, labels } = settings
  const room = maximumLength - SPECIAL
  const { collate } = classificationItems({ ...settings, text: '' })
  const choose = (document: Document, others: readonly Document[], random: () => number): EncodedPair => {
    const chosen = negatives === 'swapped' ? ordered(document, room, random) : following(document, others, room, random)
    const encoding = tokenizer.encode(chosen.first, { pair: chosen.second, maximumLength })
    return { ...encoding, length: encoding.ids.length, label: chosen.label }
  }
  const views = (scores: readonly [number, number]) => ({
    label: labels[scores[0] >= scores[1] ? 0 : 1],
    scores: { [labels[0]]: scores[0], [labels[1]]: scores[1] },
  })
  return {
    /** Encodes a document. @throws AttuneError `MISSING_FIELD`, `ONE_SENTENCE` */
    encode(example: Example): SentencePairItem {
      const sentences = sentencesOf(example, text)
      const counts = sentences.map((each) => tokenizer.encode(each, { addSpecialTokens: false }).ids.length)
      const pair = choose({ sentences, counts }, [], stream(key(fieldHash(sentences.join(' ')))))
      return { sentences, counts, pair, length: pair.length, truncated: false }
    },
    /** Collates a pair of each document: samples it, or takes that of evaluation without random numbers. */
    collate: (items: readonly SentencePairItem[], random?: () => number): ClassificationBatch =>
      collate(
        items.map((item) => {
          if (random === undefined) return item.pair
          return choose(
            item,
            items.filter((other) => other !== item),
            random,
          )
        }),
      ),
    predict: ({ values }: HostArray, items: readonly SentencePairItem[]) =>
      items.map((_, i) => views(probabilities(values[2 * i]!, values[2 * i + 1]!))),
    reference: ({ pair }: SentencePairItem) => views(pair.label === 0 ? [1, 0] : [0, 1]),
  }
}
