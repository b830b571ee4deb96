import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, METRIC, type Metric, SOURCE, choosePlugins, parseConfig, use, useAll } from '@attune/core'
import { placesOf, userLookup } from '../plan/lookup.js'
import { score } from '../run/score.js'
import { openSplit } from '../setup/splits.js'
import type { EvaluateOptions, Evaluation } from './evaluated-split.js'
import { inference } from './infer.js'
import { loadPretrained } from './load-pretrained.js'
import { savedObjective } from './pretrained-predictor.js'
import { scoreSplit } from './score-split.js'

const BATCH = 32

/** True for a folder with a saved model and no run. */
export const isSavedModel = (folder: string): boolean =>
  existsSync(join(folder, 'config.json')) && ['run.json', 'model'].every((name) => !existsSync(join(folder, name)))

/** The source and the metrics of an evaluation. @throws AttuneError `NO_SUCH_SPLIT` without a source; `BAD_ARGUMENT` */
async function chosenFor(folder: string, options: EvaluateOptions) {
  if (options.change !== undefined)
    throw new AttuneError(
      'BAD_ARGUMENT',
      `expected no change of a configuration, since ${folder} is a saved model without a run, got one`,
      'Leave it out: omit --set.',
    )
  if (options.source === undefined)
    throw new AttuneError(
      'NO_SUCH_SPLIT',
      `expected rows to evaluate ${folder} on, since a model without a run has no data, got none`,
      'Pass a file: npx attune evaluate MODEL --data FILE.',
    )
  const source = parseConfig(use(SOURCE), options.source)
  const metric = parseConfig(useAll(METRIC), options.metrics ?? [])
  return choosePlugins({ source, metric }, userLookup(options))
}

/**
 * Evaluates a saved model without a run on given rows: a classifier in the layout of transformers, or a text encoder in that of
 * sentence-transformers, whose `loss` is that of contrastive learning in batches of 32 pairs.
 * @throws AttuneError `NO_SUCH_SPLIT` without rows; `BAD_ARGUMENT` for a `change`; `EMPTY_DATASET`; `NOT_A_CLASSIFIER`; the errors of {@link loadPretrained}
 */
export async function evaluatePretrained(folder: string, options: EvaluateOptions): Promise<Evaluation> {
  const { source, metric } = await chosenFor(folder, options)
  const { engine, model, objective, params, fields, warnings, close } = await loadPretrained(
    folder,
    (created, config) => savedObjective(folder, created, config),
    placesOf(options),
  )
  const forward = inference(engine, model, objective, { batchSize: BATCH, sameParams: true })
  try {
    const begun = performance.now()
    const metrics = metric.map(({ plugin, options: given }) => plugin(given) as Metric)
    const scored = await scoreSplit(
      openSplit('given', source, undefined, { fields }),
      { objective, metrics },
      (items) => score(forward, objective, metrics, params, items),
    )
    return { ...scored, warnings, seconds: (performance.now() - begun) / 1000 }
  } finally {
    forward.dispose()
    await close()
  }
}
