import { METRIC, type Metric, definePlugin } from '@attune/core'
import { NO_TALLY, type Tallies, f1Score, mergeTallies, tagSpans } from '@attune/data'
import { z } from 'zod'

type Tags = readonly string[]

/** Entities of a text, each as a text of its label, first and last word. */
const entitiesOf = (tags: Tags): ReadonlyMap<string, string> =>
  new Map(tagSpans(tags).map(({ label, start, end }) => [JSON.stringify([label, start, end]), label]))

/** Counts of one text. */
function tallied(predicted: Tags, actual: Tags): Tallies {
  const [found, expected] = [entitiesOf(predicted), entitiesOf(actual)]
  const missed = [...expected].filter(([entity]) => !found.has(entity))
  return [
    ...[...found].map(
      ([entity, label]) =>
        [label, { ...NO_TALLY, [expected.has(entity) ? 'truePositives' : 'falsePositives']: 1 }] as const,
    ),
    ...missed.map(([, label]) => [label, { ...NO_TALLY, falseNegatives: 1 }] as const),
  ]
}

/**
 * F1 score of entities, in [0, 1]: a predicted entity is a true positive if its label, its first and its last word are those of a reference.
 * The parts hold precision, recall, F1 and support of each label. Entities are read from tags of any scheme (BIO, BIOES, BILOU, IOB1),
 * inconsistent ones too, as by conlleval and seqeval's default mode.
 */
export const entityF1 = definePlugin({
  kind: METRIC,
  name: 'entity-f1',
  summary: 'F1 score of entities: labelled spans of words that match exactly',
  source: 'Tjong Kim Sang and De Meulder, Introduction to the CoNLL-2003 Shared Task, 2003, section 4',
  options: z.strictObject({
    average: z
      .enum(['micro', 'macro', 'weighted'])
      .default('micro')
      .describe(
        '`micro`: from pooled counts; `macro`: unweighted mean over labels; `weighted`: mean weighted by support',
      ),
  }),
  create: ({ average }): Metric<Tags, Tags, Tallies> => ({
    name: average === 'micro' ? 'entity-f1' : `${average}-entity-f1`,
    compares: 'tokens',
    direction: 'maximize',
    range: [0, 1],
    init: () => [],
    add: (state, predictions, references) =>
      mergeTallies(
        state,
        predictions.flatMap((predicted, i) => tallied(predicted, references[i]!)),
      ),
    merge: mergeTallies,
    result: (state) => f1Score(state, average),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric entity-f1': typeof entityF1
  }
}

export default entityF1
