import { resolve } from 'node:path'
import {
  AttuneError,
  type Chosen,
  METRIC,
  SOURCE,
  type Score,
  choosePlugins,
  closeScope,
  parseConfig,
  use,
  useAll,
} from '@attune/core'
import { encodeAll } from '../step/batches.js'
import { CHANGED, type OpenModel, openModel, versionWarnings } from './open-model.js'
import { userLookup } from '../plan/lookup.js'
import { type OpenOptions, type OpenRun, openRun } from '../files/run-folder.js'
import { changedFiles } from '../files/run-inputs.js'
import { fieldsOfMetrics, score } from '../run/score.js'
import { cleanedSplit, demandsOf, openSplits } from '../data/open-splits.js'
import { faultFinder, inspectSplit } from '../data/inspect-split.js'
import { openStore } from '../data/store.js'
import { type Split, openSplit } from '../setup/splits.js'
import { linksIn } from '../files/trust.js'

/** Scores of a saved model on a split. */
export interface Evaluation {
  readonly split: string
  /** By metric name, including `loss`. */
  readonly scores: Readonly<Record<string, Score>>
  readonly examples: number
  /** Number of texts truncated to the model's maximum length. */
  readonly truncated: number
  /** Number of rows that the source rejected. */
  readonly rejected: number
  readonly seconds: number
  /** Warnings from loading the model. */
  readonly warnings: readonly string[]
}

/** Split and metrics to evaluate. */
export interface EvaluateOptions extends OpenOptions {
  /** `test` (the default), `validation` or `train`, as the run's configuration names them. */
  readonly split?: string
  /** Another data source to use instead, as under `data` in a configuration. */
  readonly source?: unknown
  /** Metrics to use instead of the run's, as under `metric` in a configuration. */
  readonly metrics?: unknown
}

async function metricsOf(run: OpenRun, options: EvaluateOptions): Promise<readonly Chosen[]> {
  if (options.metrics === undefined) return (await choosePlugins({ metric: run.config.metric }, run.lookup)).metric
  const parsed = parseConfig(useAll(METRIC), options.metrics)
  return (await choosePlugins({ metric: parsed }, userLookup(options))).metric
}

/** A split to evaluate, with warnings about it. */
interface ChosenSplit {
  readonly split: Split
  readonly warnings: readonly string[]
}

async function splitOf(
  run: OpenRun,
  { config, directory }: OpenModel['plan'],
  metric: readonly Chosen[],
  options: EvaluateOptions,
): Promise<ChosenSplit> {
  const { split = 'test', source } = options
  const open = (name: string, chosen: Chosen, folder: string | undefined): Split =>
    cleanedSplit(openSplit(name, chosen, folder, demandsOf(config.objective, metric)), config.cleaner, config.objective)
  if (source !== undefined) {
    const chosen = await choosePlugins({ source: parseConfig(use(SOURCE), source) }, userLookup(options))
    return { split: open('given', chosen.source, undefined), warnings: [] }
  }
  const { data, protocol, filter, seed, fold } = run.config
  if (split !== 'test' || data.test === undefined) {
    const { test: _unused, ...own } = data
    const chosen = await choosePlugins({ data: own, protocol, filter }, run.lookup)
    const { cleaner, objective, training } = config
    const before = { ...chosen, cleaner, objective, metric, seed, fold, training }
    const prepared = { ...before, balancer: [], augmenter: [], sampler: undefined }
    const splits = await openSplits({ config: prepared, directory }, { store: openStore(options.dataFolder) })
    const opened = Object.values(splits).find(({ name }) => name === split)
    if (opened !== undefined) {
      const changes = await changedFiles(run.inputs.filter(({ name }) => name.startsWith('data.')))
      return { split: opened, warnings: changes.map((change) => `${CHANGED}: ${change}`) }
    }
  } else {
    const chosen = await choosePlugins({ test: data.test }, run.lookup)
    return { split: open('test', chosen.test, directory), warnings: [] }
  }
  throw new AttuneError(
    'NO_SUCH_SPLIT',
    `the run's configuration has no split "${split}"`,
    'Use train or validation, add data.test to the configuration, or pass a file with --data.',
  )
}

/**
 * Evaluates the model of a run folder on one of its splits, or on another data source.
 *
 * @example
 * ```ts
 * import { evaluateRun } from '@attune/trainer/node'
 * const { scores, examples } = await evaluateRun('runs/topics', { split: 'train', metrics: ['accuracy', 'f1'] })
 * console.log(Object.keys(scores), examples) // [ 'loss', 'accuracy', 'macro-f1' ] 14
 * ```
 */
export async function evaluateRun(directory: string, options: EvaluateOptions = {}): Promise<Evaluation> {
  const folder = resolve(options.baseDirectory ?? '.', directory)
  const run = openRun(folder, options)
  await run.requireTrust(linksIn(folder)) // rejected rows of the test split are written to the folder
  const metrics = await metricsOf(run, options)
  const { plan, scope, objective, components, params, forward, warnings } = await openModel(
    run,
    folder,
    metrics,
    options,
  )
  try {
    const begun = performance.now()
    const { split, warnings: ofSplit } = await splitOf(run, plan, metrics, options)
    const empty = await inspectSplit(split, objective, faultFinder(components.objective, objective))
    const { items, truncated } = encodeAll(
      split.examples(),
      (example) => components.objective.encode(example),
      fieldsOfMetrics(components.metrics),
    )
    const scored = await score(forward, components.objective, components.metrics, params, items, components)
    if (scored.examples === 0)
      throw new AttuneError(
        'EMPTY_DATASET',
        `${split.location} contains no examples`,
        'Check the path and the format of the file.',
      )
    return {
      split: split.name,
      ...scored,
      truncated: truncated(),
      rejected: split.rejected().count,
      warnings: [...warnings, ...ofSplit, ...empty, ...versionWarnings(run)],
      seconds: (performance.now() - begun) / 1000,
    }
  } finally {
    forward.dispose()
    await closeScope(scope)
  }
}
