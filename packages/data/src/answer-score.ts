import type { Metric } from '@attune/core'

const PUNCTUATION = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g
/** Articles as whole words; JavaScript's `\b` knows only ASCII letters. */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu

/**
 * The words of an answer as SQuAD compares them: lowercase, without ASCII punctuation and the articles a, an, the.
 * Source: Rajpurkar et al., SQuAD, 2016, section 6, as in the official evaluation script.
 */
export const normalizeAnswer = (text: string): readonly string[] =>
  text.toLowerCase().replace(PUNCTUATION, '').replace(ARTICLES, ' ').split(/\s+/).filter(Boolean)

/** Sum of the scores and number of the questions. */
interface Tally {
  readonly sum: number
  readonly count: number
}

/** Questions with and without an answer. */
interface AnswerState {
  readonly answerable: Tally
  readonly unanswerable: Tally
}

const plus = (a: Tally, b: Tally): Tally => ({ sum: a.sum + b.sum, count: a.count + b.count })
const mean = ({ sum, count }: Tally): number => (count === 0 ? 0 : sum / count)
const NONE: Tally = { sum: 0, count: 0 }

const merge = (a: AnswerState, b: AnswerState): AnswerState => ({
  answerable: plus(a.answerable, b.answerable),
  unanswerable: plus(a.unanswerable, b.unanswerable),
})

/**
 * Metric of predicted answers, as SQuAD 2.0 defines it: the maximum of `score` over the reference answers of a question, or the score
 * of the empty text if it has none; the mean over the questions, in [0, 1]. The parts are the means over the questions that have an
 * answer and over those that have none.
 * @param score similarity in [0, 1] of the normalized words of two answers
 */
export function answerScore(
  name: string,
  score: (predicted: readonly string[], reference: readonly string[]) => number,
): Metric<string, readonly string[], AnswerState> {
  const stateOf = (prediction: string, references: readonly string[]): AnswerState => {
    const predicted = normalizeAnswer(prediction)
    const all = references.map(normalizeAnswer).filter((words) => words.length > 0)
    const sum = Math.max(...(all.length === 0 ? [[]] : all).map((reference) => score(predicted, reference)))
    return {
      answerable: NONE,
      unanswerable: NONE,
      [all.length === 0 ? 'unanswerable' : 'answerable']: { sum, count: 1 },
    }
  }
  return {
    name,
    compares: 'answer',
    direction: 'maximize',
    range: [0, 1],
    init: () => ({ answerable: NONE, unanswerable: NONE }),
    add: (state, predictions, references) =>
      predictions.reduce((sum, prediction, i) => merge(sum, stateOf(prediction, references[i]!)), state),
    merge,
    result: ({ answerable, unanswerable }) => ({
      value: mean(plus(answerable, unanswerable)),
      parts: Object.fromEntries(
        Object.entries({ answerable, unanswerable }).map(([part, tally]) => [
          part,
          { [name]: mean(tally), support: tally.count },
        ]),
      ),
    }),
  }
}
