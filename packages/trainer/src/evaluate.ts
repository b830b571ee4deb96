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
  getAll,
  parseConfig,
  use,
  useAll,
} from '@attune/core'
import { encodeAll } from './batches.js'
import { compose, partsOf, startEngine, withoutWatchers } from './compose.js'
import { inference } from './infer.js'
import { warningsOf } from './load-report.js'
import { type Plan, type RunOptions, placesOf } from './plan.js'
import { type Predictor, predictAll } from './predictor.js'
import { loadPretrainedPredictor } from './pretrained-predictor.js'
import { type Learned, readRunFolder } from './run-folder.js'
import { score } from './score.js'
import { type Split, openSplit, openSplits } from './splits.js'
import { savedParameters } from './weights.js'

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
export interface EvaluateOptions extends RunOptions {
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
function withOwnTokenizer({ options }: Learned, plan: Plan, folder: string): Learned['options'] {
  const tokenizer = options['tokenizer'] ?? plan.config.tokenizer.options
  const own = join(folder, 'model')
  if (tokenizer['path'] === undefined || !existsSync(join(own, 'tokenizer.json'))) return options
  return { ...options, tokenizer: { ...tokenizer, path: own } }
}

/** Opens a run folder's model for inference. */
async function openModel(directory: string, options: RunOptions, change: (plan: Plan) => Promise<Plan>) {
  const folder = resolve(options.baseDirectory ?? '.', directory)
  const { plan: saved, learned } = await readRunFolder(folder, options)
  const plan = await change(withoutWatchers(saved))
  const scope = compose(plan, withOwnTokenizer(learned, plan, folder), { parent: options.scope })
  try {
    await startEngine(scope)
    const parts = partsOf(scope)
    const { params, report } = savedParameters(parts, join(folder, 'model'))
    const forward = inference(parts.engine, parts.model, parts.objective, {
      batchSize: plan.config.training.batchSize,
      sameParams: true,
    })
    return { plan, scope, parts, params, forward, warnings: warningsOf(report) }
  } catch (error) {
    await closeScope(scope)
    throw error
  }
}

async function splitOf(plan: Plan, { split = 'test', source, ...options }: EvaluateOptions): Promise<Split> {
  const fields = fieldsRead(plan.config.objective)
  if (source !== undefined) {
    const chosen = await choosePlugins({ source: parseConfig(use(SOURCE), source) }, placesOf(options))
    return openSplit('given', chosen.source as Chosen, undefined, fields)
  }
  if (split === 'train' || split === 'validation') return (await openSplits(plan))[split]
  const test = plan.config.data.test
  if (split === 'test' && test !== undefined) return openSplit('test', test, plan.directory, fields)
  throw new AttuneError(
    'NO_SUCH_SPLIT',
    `the run's configuration has no split "${split}"`,
    'Name train or validation, add data.test to the configuration, or give a file with --data.',
  )
}

/** Scores the model of a run folder on one of its splits, or on another source. */
export async function evaluate(directory: string, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { plan, scope, parts, params, forward, warnings } = await openModel(directory, options, async (saved) => {
    if (options.metrics === undefined) return saved
    const chosen = await choosePlugins({ metric: parseConfig(useAll(METRIC), options.metrics) }, placesOf(options))
    return { ...saved, config: { ...saved.config, metric: chosen.metric as readonly Chosen[] } } as Plan
  })
  try {
    const begun = performance.now()
    const split = await splitOf(plan, options)
    const { items, truncated } = encodeAll(split.examples(), (example) => parts.objective.encode(example))
    const scored = await score(forward, parts.objective, getAll(scope, METRIC), params, items)
    if (scored.examples === 0)
      throw new AttuneError(
        'EMPTY_DATASET',
        `${split.location} holds no examples`,
        'Check the path and the format of the file.',
      )
    const counts = { truncated: truncated(), rejected: split.rejected().count }
    return { split: split.name, ...scored, ...counts, warnings, seconds: (performance.now() - begun) / 1000 }
  } finally {
    forward.dispose()
    await closeScope(scope)
  }
}

/**
 * Loads the model of a run folder to predict with, or a classifier from a folder in the layout of the Hugging Face library.
 * @throws AttuneError `NOT_A_RUN` where there is neither, `NOT_A_CLASSIFIER` where what there is does not classify
 */
export async function loadPredictor(directory: string, options: RunOptions = {}): Promise<Predictor> {
  const folder = resolve(options.baseDirectory ?? '.', directory)
  const isModel = existsSync(join(folder, 'config.json')) && !existsSync(join(folder, 'learned.json'))
  if (isModel) return loadPretrainedPredictor(folder, placesOf(options))
  const { plan, scope, parts, params, forward, warnings } = await openModel(directory, options, (saved) =>
    Promise.resolve({ ...saved, config: { ...saved.config, metric: [] } }),
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
