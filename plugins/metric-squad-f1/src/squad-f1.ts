import { METRIC, definePlugin } from '@attune/core'
import { answerScore } from '@attune/data'
import { z } from 'zod'

/** Number of words that two answers share, each as often as in both. */
function sharedWords(a: readonly string[], b: readonly string[]): number {
  const left = new Map<string, number>()
  for (const word of b) left.set(word, (left.get(word) ?? 0) + 1)
  let shared = 0
  for (const word of a) {
    const count = left.get(word) ?? 0
    if (count > 0) shared++
    left.set(word, count - 1)
  }
  return shared
}

/** `2 · shared / (words of a + words of b)`; 1 if both are empty. */
const f1 = (a: readonly string[], b: readonly string[]): number =>
  a.length + b.length === 0 ? 1 : (2 * sharedWords(a, b)) / (a.length + b.length)

/**
 * Token F1 of answers, in [0, 1]: `2·shared / (predicted words + reference words)`, the maximum over the reference answers of a
 * question, the mean over the questions. Answers are compared in lowercase and without punctuation and articles. A question without an
 * answer counts 1 if the empty text is predicted, otherwise 0. As in the official evaluation script of SQuAD 2.0, which prints
 * percentages. Near neighbours: exact-match; f1, which compares labels.
 */
export const squadF1 = definePlugin({
  kind: METRIC,
  name: 'squad-f1',
  summary: 'Token F1 of predicted answers, as in SQuAD',
  source: 'Rajpurkar et al., SQuAD, 2016, section 6',
  options: z.strictObject({}),
  create: () => answerScore('squad-f1', f1),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric squad-f1': typeof squadF1
  }
}

export default squadF1
