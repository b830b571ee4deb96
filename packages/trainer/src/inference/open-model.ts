import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ADAPTER, type Chosen, type Scope, choosePlugins, closeScope, get } from '@attune/core'
import { completed, composeInference, inferenceComponentsOf, startEngine } from '../setup/compose.js'
import { warningsOf } from '../setup/load-report.js'
import { savedParameters } from '../setup/weights.js'
import { INFERENCE_KEYS, type PlanOf, planOf } from '../plan/plan.js'
import { requireModel } from '../files/require-model.js'
import { adapterOf } from '../files/saved-adapter.js'
import type { Learned, OpenOptions, OpenRun } from '../files/run-folder.js'
import { microBatchSizeOf } from '../plan/run-config.js'
import { readLearnedOptions } from '../setup/learned-options.js'
import { applyAdapter } from './apply-adapter.js'
import { inference } from './infer.js'

type InferencePlan = PlanOf<(typeof INFERENCE_KEYS)[number]>

/**
 * Returns the learned options, reading the tokenizer from the copy saved with the model: its original folder may have changed or been
 * removed.
 */
function withOwnTokenizer({ options }: Learned, plan: InferencePlan, folder: string): Learned['options'] {
  const tokenizer = options['tokenizer'] ?? plan.config.tokenizer.options
  const own = join(folder, 'model')
  if (tokenizer['path'] === undefined || !existsSync(join(own, 'tokenizer.json'))) return options
  return { ...options, tokenizer: { ...tokenizer, path: own } }
}

/** The adapter of a run that is saved beside its model, if there is one. */
async function adapterBeside(run: OpenRun, model: string, learned: Learned['options']) {
  const savedAdapter = adapterOf(model)
  if (savedAdapter === undefined) return {}
  const { adapter } = await choosePlugins({ adapter: run.config.adapter }, run.lookup)
  return { savedAdapter, adapter: completed(adapter, learned) }
}

/** Loads the parameters of a model, and applies the adapter saved beside it. */
async function loadModel(scope: Scope, folder: string, savedAdapter: string | undefined) {
  const components = inferenceComponentsOf(scope)
  const { params, report } = savedParameters(components, folder)
  if (savedAdapter === undefined) return { components, params, report }
  const { engine, model } = components
  const applied = await applyAdapter({ engine, adapter: get(scope, ADAPTER) }, { model, params }, savedAdapter)
  return { components: { ...components, model: applied.model }, params: applied.params, report }
}

/**
 * Opens a run folder's model for inference. Loads only the plugin kinds that inference needs.
 * @throws AttuneError `RUN_UNFINISHED` if the run has not saved its model
 */
export async function openModel(run: OpenRun, folder: string, metrics: readonly Chosen[], options: OpenOptions) {
  requireModel(folder)
  const plan = await planOf(run.config, INFERENCE_KEYS, run.lookup)
  const learned = await readLearnedOptions(run.learned.options, plan.config, run.lookup)
  const complete = withOwnTokenizer({ ...run.learned, options: learned }, plan, folder)
  const beside = await adapterBeside(run, join(folder, 'model'), complete)
  const scope = composeInference(plan, complete, metrics, { parent: options.scope, ...beside })
  try {
    await startEngine(scope)
    const { components, params, report } = await loadModel(scope, join(folder, 'model'), beside.savedAdapter)
    const forward = inference(components.engine, components.model, components.objective, {
      batchSize: microBatchSizeOf(plan.config.training),
      sameParams: true,
    })
    const objective = completed(plan.config.objective, complete)
    return { plan, scope, objective, components, params, forward, warnings: warningsOf(report) }
  } catch (error) {
    await closeScope(scope)
    throw error
  }
}

/** The model of a run folder, ready for inference. */
export type OpenModel = Awaited<ReturnType<typeof openModel>>

/** Prefix of warnings about differences from the run's record. */
export const CHANGED = 'changed since the run began'

/** Warnings about versions that differ from the run's record, for the plugins resolved so far. */
export const versionWarnings = (run: OpenRun): readonly string[] =>
  run.versions().map(({ change }) => `${CHANGED}: ${change}`)
