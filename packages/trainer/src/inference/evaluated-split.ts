import {
  AttuneError,
  type Chosen,
  METRIC,
  SOURCE,
  type Score,
  choosePlugins,
  parseConfig,
  use,
  useAll,
} from '@attune/core'
import { cleanedSplit, demandsOf, openSplits } from '../data/open-splits.js'
import { openStore } from '../data/store.js'
import type { OpenOptions, OpenRun } from '../files/run-folder.js'
import { changedFiles } from '../files/run-inputs.js'
import { userLookup } from '../plan/lookup.js'
import { type Split, openSplit } from '../setup/splits.js'
import { CHANGED, type OpenModel } from './open-model.js'
import type { TaskReport } from './task-report.js'

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
  /** Scores by task, their overall score and their correlation, if the examples are of several tasks. */
  readonly tasks?: TaskReport
}

/** Split and metrics to evaluate. */
export interface EvaluateOptions extends OpenOptions {
  /** `test` (the default), `validation` or `train`, as the run's configuration names them. */
  readonly split?: string
  /** Another data source to use instead, as under `data` in a configuration. */
  readonly source?: unknown
  /** Metrics to use instead of the run's, as under `metric` in a configuration. */
  readonly metrics?: unknown
  /**
   * Run folders of single-task models to compare a multi-task model with, by task. Each is evaluated on the same split of its own data, which
   * must have as many examples as the multi-task model has of the task.
   */
  readonly singles?: Readonly<Record<string, string>>
}

/** The metrics of an evaluation: those of the run, or others. */
export async function metricsOf(run: OpenRun, options: EvaluateOptions): Promise<readonly Chosen[]> {
  if (options.metrics === undefined) return (await choosePlugins({ metric: run.config.metric }, run.lookup)).metric
  const parsed = parseConfig(useAll(METRIC), options.metrics)
  return (await choosePlugins({ metric: parsed }, userLookup(options))).metric
}

/** A split to evaluate, with warnings about it. */
interface ChosenSplit {
  readonly split: Split
  readonly warnings: readonly string[]
}

/**
 * The split of an evaluation, with warnings about it.
 * @throws AttuneError `NO_SUCH_SPLIT`
 */
export async function splitOf(
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
