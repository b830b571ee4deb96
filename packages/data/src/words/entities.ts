import { tagSpans } from '../tag-spans.js'
import type { WordToken } from './align-words.js'
import type { WordedText } from './words-of.js'

/** Aggregation of the scores of a word's tokens to those of the word; `simple` scores every token by itself. */
export type Aggregation = 'simple' | 'first' | 'average' | 'max'

/** A labelled span of a text: characters from `start` to before `end`. */
export interface Entity {
  readonly label: string
  readonly text: string
  readonly start: number
  readonly end: number
  /** Mean probability of the tags of its words, or tokens; absent in references. */
  readonly score?: number
}

/** A tag of a word or token, with the characters that it covers. */
export interface Tagged {
  readonly tag: string
  readonly score?: number
  readonly start: number
  readonly end: number
}

/** Index and value of the first maximum. */
export function largest(values: readonly number[]): readonly [index: number, value: number] {
  const value = Math.max(...values)
  return [values.indexOf(value), value]
}

/** Entities of the tags of consecutive words or tokens. */
export function entitiesOf(tagged: readonly Tagged[], text: string): Entity[] {
  return tagSpans(tagged.map(({ tag }) => tag)).map(({ label, start, end }) => {
    const parts = tagged.slice(start, end)
    const [from, to] = [parts[0]!.start, parts.at(-1)!.end]
    const scores = parts.flatMap(({ score }) => score ?? [])
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
    return { label, text: text.slice(from, to), start: from, end: to, ...(scores.length > 0 ? { score: mean } : {}) }
  })
}

/** The tags of words, with their characters. */
export const taggedWords = (
  { words, starts }: WordedText,
  tags: readonly string[],
  scores?: readonly number[],
): Tagged[] =>
  tags.map((tag, i) => ({
    tag,
    start: starts[i]!,
    end: starts[i]! + words[i]!.length,
    ...(scores === undefined ? {} : { score: scores[i]! }),
  }))

/** Scores of a word from those of its tokens. */
const ofWord: Readonly<Record<Exclude<Aggregation, 'simple'>, (rows: readonly (readonly number[])[]) => number[]>> = {
  first: (rows) => [...rows[0]!],
  average: (rows) => rows[0]!.map((_, tag) => rows.reduce((sum, row) => sum + row[tag]!, 0) / rows.length),
  max: (rows) => [...rows.toSorted((a, b) => Math.max(...b) - Math.max(...a))[0]!],
}

/**
 * Tags of words (or, for `simple`, of tokens) from the probabilities of the tags at each token, as the aggregation strategies of
 * transformers' `TokenClassificationPipeline`. A word without tokens has the tag `O`.
 */
export function aggregated(
  { words, starts }: WordedText,
  tokens: readonly (readonly WordToken[])[],
  labels: readonly string[],
  probabilitiesAt: (position: number) => readonly number[],
  aggregation: Aggregation,
): Tagged[] {
  const tagged = (scores: readonly number[], start: number, end: number): Tagged => {
    const [tag, score] = largest(scores)
    return { tag: labels[tag]!, score, start, end }
  }
  return tokens.flatMap((own, word): Tagged[] => {
    const [start, end] = [starts[word]!, starts[word]! + words[word]!.length]
    if (own.length === 0) return [{ tag: 'O', start, end }]
    const rows = own.map(({ position }) => probabilitiesAt(position))
    if (aggregation === 'simple') return own.map((token, i) => tagged(rows[i]!, start + token.start, start + token.end))
    return [tagged(ofWord[aggregation](rows), start, end)]
  })
}
