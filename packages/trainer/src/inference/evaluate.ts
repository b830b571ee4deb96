import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  AttuneError,
  type Chosen,
  METRIC,
  SOURCE,
  type Score,
  choosePlugins,
  closeScope,
  fieldsRead,
  parseConfig,
  use,
  useAll,
} from '@attune/core'
import { encodeAll } from '../step/batches.js'
import { composeInference, inferencePartsOf, startEngine } from '../setup/compose.js'
import { inference } from './infer.js'
import { warningsOf } from '../setup/load-report.js'
import { placesOf, userLookup } from '../plan/lookup.js'
import { microBatchSizeOf } from '../plan/run-config.js'
import { INFERENCE_KEYS, type PlanOf, planOf } from '../plan/plan.js'
import { type Predictor, predictAll } from './predictor.js'
import { loadPretrainedPredictor } from './pretrained-predictor.js'
import { type Learned, type OpenOptions, type OpenRun, openRun } from '../files/run-folder.js'
import { changedFiles } from '../files/run-inputs.js'
import { fieldsOfMetrics, score } from '../run/score.js'
import { requiredFields } from '../setup/required-fields.js'
import { type Split, openSplit, openSplits } from '../setup/splits.js'
import { readLearnedOptions } from '../setup/learned-options.js'
import { linksIn } from '../files/trust.js'
import { savedParameters } from '../setup/weights.js'

/** How a saved model did on a split. */
export interface Evaluation {
  readonly split: string
  /** By metric name; `loss` is among them. */
  readonly scores: Readonly<Record<string, Score>>
  readonly examples: number
  /** Texts that were longer than the model takes. */
  readonly truncated: number
  /** Rows that the source left out. */
  readonly rejected: number
  readonly seconds: number
  /** What the owner of the model should know of how it was loaded. */
  readonly warnings: readonly string[]
}

/** What to evaluate on. */
export interface EvaluateOptions extends OpenOptions {
  /** `test` (the default), `validation` or `train`, as the run's configuration names them. */
  readonly split?: string
  /** Another source instead, as under `data` in a configuration. */
  readonly source?: unknown
  /** Other metrics than the run's, as under `metric` in a configuration. */
  readonly metrics?: unknown
}

/**
 * What a run learned, with the tokenizer that was saved beside the model in the place of the folder that it was read from: that one
 * may be gone, or be another by now.
 */
function withOwnTokenizer({ options }: Learned, plan: InferencePlan, folder: string): Learned['options'] {
  const tokenizer = options['tokenizer'] ?? plan.config.tokenizer.options
  const own = join(folder, 'model')
  if (tokenizer['path'] === undefined || !existsSync(join(own, 'tokenizer.json'))) return options
  return { ...options, tokenizer: { ...tokenizer, path: own } }
}

type InferencePlan = PlanOf<(typeof INFERENCE_KEYS)[number]>

/** Opens a run folder's model for inference. Only plugins of the kinds that this needs are loaded. */
async function openModel(run: OpenRun, folder: string, metrics: readonly Chosen[], options: OpenOptions) {
  const plan = await planOf(run.config, INFERENCE_KEYS, run.lookup)
  const learned = await readLearnedOptions(run.learned.options, plan.config, run.lookup)
  const complete = withOwnTokenizer({ ...run.learned, options: learned }, plan, folder)
  const scope = composeInference(plan, complete, metrics, { parent: options.scope })
  try {
    await startEngine(scope)
    const parts = inferencePartsOf(scope)
    const { params, report } = savedParameters(parts, join(folder, 'model'))
    const forward = inference(parts.engine, parts.model, parts.objective, {
      batchSize: microBatchSizeOf(plan.config.training),
      sameParams: true,
    })
    return { plan, scope, parts, params, forward, warnings: warningsOf(report) }
  } catch (error) {
    await closeScope(scope)
    throw error
  }
}

async function metricsOf(run: OpenRun, options: EvaluateOptions): Promise<readonly Chosen[]> {
  if (options.metrics === undefined) return (await choosePlugins({ metric: run.config.metric }, run.lookup)).metric
  const parsed = parseConfig(useAll(METRIC), options.metrics)
  return (await choosePlugins({ metric: parsed }, userLookup(options))).metric
}

/** A split to score, and what its user should know of it. */
interface ChosenSplit {
  readonly split: Split
  readonly warnings: readonly string[]
}

async function splitOf(
  run: OpenRun,
  { config, directory }: InferencePlan,
  metric: readonly Chosen[],
  options: EvaluateOptions,
): Promise<ChosenSplit> {
  const { split = 'test', source } = options
  const fields = requiredFields(config.objective, metric)
  if (source !== undefined) {
    const chosen = await choosePlugins({ source: parseConfig(use(SOURCE), source) }, userLookup(options))
    return { split: openSplit('given', chosen.source, undefined, fields), warnings: [] }
  }
  const { data, protocol, seed } = run.config
  if (split === 'train' || split === 'validation') {
    const { test: _unused, ...own } = data
    const chosen = await choosePlugins({ data: own, protocol }, run.lookup)
    const splits = await openSplits({ config: { ...chosen, objective: config.objective, metric, seed }, directory })
    const changes = await changedFiles(run.inputs.filter(({ name }) => name.startsWith('data.')))
    return { split: splits[split], warnings: changes.map((change) => `changed since the run began: ${change}`) }
  }
  if (split === 'test' && data.test !== undefined) {
    const chosen = await choosePlugins({ test: data.test }, run.lookup)
    return { split: openSplit('test', chosen.test, directory, fields), warnings: [] }
  }
  throw new AttuneError(
    'NO_SUCH_SPLIT',
    `the run's configuration has no split "${split}"`,
    'Name train or validation, add data.test to the configuration, or give a file with --data.',
  )
}

/** Scores the model of a run folder on one of its splits, or on another source. */
export async function evaluate(directory: string, options: EvaluateOptions = {}): Promise<Evaluation> {
  const folder = resolve(options.baseDirectory ?? '.', directory)
  const run = openRun(folder, options)
  await run.requireTrust(linksIn(folder)) // rejected rows of the test split are kept in the folder
  const metrics = await metricsOf(run, options)
  const { plan, scope, parts, params, forward, warnings } = await openModel(run, folder, metrics, options)
  try {
    const begun = performance.now()
    const { split, warnings: ofSplit } = await splitOf(run, plan, metrics, options)
    const { items, truncated } = encodeAll(
      split.examples(),
      (example) => parts.objective.encode(example),
      fieldsOfMetrics(parts.metrics),
    )
    const scored = await score(forward, parts.objective, parts.metrics, params, items)
    if (scored.examples === 0)
      throw new AttuneError(
        'EMPTY_DATASET',
        `${split.location} holds no examples`,
        'Check the path and the format of the file.',
      )
    return {
      split: split.name,
      ...scored,
      truncated: truncated(),
      rejected: split.rejected().count,
      warnings: [...warnings, ...ofSplit],
      seconds: (performance.now() - begun) / 1000,
    }
  } finally {
    forward.dispose()
    await closeScope(scope)
  }
}

/**
 * Loads the model of a run folder to predict with, or a classifier from a folder in the layout of the Hugging Face library.
 * @throws AttuneError `NOT_A_RUN` where there is neither, `NOT_A_CLASSIFIER` where what there is does not classify
 */
export async function loadPredictor(directory: string, options: OpenOptions = {}): Promise<Predictor> {
  const folder = resolve(options.baseDirectory ?? '.', directory)
  const isModel = existsSync(join(folder, 'config.json')) && !existsSync(join(folder, 'learned.json'))
  if (isModel) return loadPretrainedPredictor(folder, placesOf(options))
  const { plan, scope, parts, params, forward, warnings } = await openModel(
    openRun(folder, options),
    folder,
    [],
    options,
  )
  return {
    warnings,
    fields: fieldsRead(plan.config.objective),
    predict: (examples) =>
      predictAll(forward, params, (example) => parts.objective.encodeUnlabelled(example), examples),
    close: async () => {
      forward.dispose()
      await closeScope(scope)
    },
  }
}
