import type { QuestionWindow } from '@attune/data'

/** Logits of the tokens of a window, without those of padding. */
export interface WindowLogits {
  readonly starts: ArrayLike<number>
  readonly ends: ArrayLike<number>
}

/** Settings of {@link bestSpan}. */
export interface SpanSettings {
  /** Number of start and end positions that are combined in each window, and of spans that are compared. */
  readonly candidates: number
  /** Maximum number of tokens of an answer. */
  readonly maximumAnswerLength: number
  /** True if a question may have no answer. */
  readonly unanswerable: boolean
  /** No answer is predicted if its score exceeds that of the best span by more than this. */
  readonly threshold: number
}

/** A part of the context with the sum of its start and end logit. */
interface Candidate {
  readonly start: number
  readonly end: number
  readonly score: number
}

/** A predicted answer; the empty text means no answer, and has no offsets. */
export type PredictedAnswer = {
  readonly answer: string
  readonly start?: number
  readonly end?: number
  /** Probability among the candidates, in [0, 1]: a softmax over their scores. */
  readonly probability: number
  /** Score of no answer minus that of the best span, if a question may have no answer. */
  readonly noAnswerMargin?: number
}

const highest = (values: ArrayLike<number>, count: number): readonly number[] =>
  Array.from(values, (_, i) => i)
    .sort((a, b) => values[b]! - values[a]!)
    .slice(0, count)

/** The spans of the best start and end positions of a window that are in the context and short enough. */
function spansIn(
  { first, offsets }: QuestionWindow,
  { starts, ends }: WindowLogits,
  settings: SpanSettings,
): Candidate[] {
  const isContext = (position: number): boolean => position >= first && position < first + offsets.length
  const lasts = highest(ends, settings.candidates).filter(isContext)
  return highest(starts, settings.candidates)
    .filter(isContext)
    .flatMap((start) =>
      lasts
        .filter((end) => end >= start && end - start < settings.maximumAnswerLength)
        .map((end) => ({
          start: offsets[start - first]![0],
          end: offsets[end - first]![1],
          score: starts[start]! + ends[end]!,
        })),
    )
}

const byScore = (a: Candidate, b: Candidate): number => b.score - a.score

/** Softmax over the best candidates; no answer is one of them if it is possible. */
function probabilities(spans: readonly Candidate[], none: Candidate, { candidates, unanswerable }: SpanSettings) {
  const isCompared = unanswerable || spans.length === 0
  const best = [...spans, ...(isCompared ? [none] : [])].sort(byScore).slice(0, candidates)
  const compared = isCompared && !best.includes(none) ? [...best, none] : best
  const powers = compared.map(({ score }) => Math.exp(score - compared[0]!.score))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return ({ score }: Candidate): number => Math.exp(score - compared[0]!.score) / total
}

/**
 * The most probable answer over all windows of a question: the best of the spans between the `candidates` highest start and end logits of
 * each window. The score of no answer is the minimum over the windows of the logits of their first token: every window must speak for it.
 * As `postprocess_qa_predictions` of transformers' run_qa; where that one has no candidate and predicts "empty", this predicts no answer.
 */
export function bestSpan(
  windows: readonly QuestionWindow[],
  logits: readonly WindowLogits[],
  context: string,
  settings: SpanSettings,
): PredictedAnswer {
  const spans = windows.flatMap((window, i) => spansIn(window, logits[i]!, settings)).sort(byScore)
  const none: Candidate = {
    start: 0,
    end: 0,
    score: Math.min(...logits.map(({ starts, ends }) => starts[0]! + ends[0]!)),
  }
  const probabilityOf = probabilities(spans, none, settings)
  const best = spans.find(({ start, end }) => end > start)
  if (best === undefined) return { answer: '', probability: probabilityOf(none) }
  const noAnswerMargin = none.score - best.score
  const margin = settings.unanswerable ? { noAnswerMargin } : {}
  if (settings.unanswerable && noAnswerMargin > settings.threshold)
    return { answer: '', probability: probabilityOf(none), ...margin }
  const { start, end } = best
  return { answer: context.slice(start, end), start, end, probability: probabilityOf(best), ...margin }
}
