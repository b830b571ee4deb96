import { AttuneError, type Encoded, type Metric, type Objective } from '@attune/core'
import { type Scored, fieldsOfMetrics } from '../run/score.js'
import type { Split } from '../setup/splits.js'
import { encodeAll } from '../step/batches.js'
import type { Evaluation } from './evaluated-split.js'

/** Encodes the examples of a split and scores them. @throws AttuneError `EMPTY_DATASET` */
export async function scoreSplit(
  split: Split,
  { objective, metrics }: { readonly objective: Objective; readonly metrics: readonly Metric[] },
  score: (items: AsyncIterable<Encoded>) => Promise<Scored>,
): Promise<Omit<Evaluation, 'warnings' | 'seconds'>> {
  const { items, truncated } = encodeAll(
    split.examples(),
    (example) => objective.encode(example),
    fieldsOfMetrics(metrics),
  )
  const scored = await score(items)
  if (scored.examples > 0)
    return { split: split.name, ...scored, truncated: truncated(), rejected: split.rejected().count }
  throw new AttuneError(
    'EMPTY_DATASET',
    `${split.location} contains no examples`,
    'Check the path and the format of the file.',
  )
}
