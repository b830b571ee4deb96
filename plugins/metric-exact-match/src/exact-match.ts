import { METRIC, definePlugin } from '@attune/core'
import { answerScore } from '@attune/data'
import { z } from 'zod'

/**
 * Exact match, in [0, 1]: the fraction of questions whose predicted answer equals one of the reference answers, after both are in
 * lowercase and without punctuation and articles. A question without an answer is correct if the empty text is predicted. As in the
 * official evaluation script of SQuAD 2.0, which prints percentages. Near neighbour: squad-f1 counts shared words.
 */
export const exactMatch = definePlugin({
  kind: METRIC,
  name: 'exact-match',
  summary: 'Exact match of predicted answers with reference answers, as in SQuAD',
  source: 'Rajpurkar et al., SQuAD, 2016, section 6',
  options: z.strictObject({}),
  create: () => answerScore('exact-match', (a, b) => (a.join(' ') === b.join(' ') ? 1 : 0)),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric exact-match': typeof exactMatch
  }
}

export default exactMatch
