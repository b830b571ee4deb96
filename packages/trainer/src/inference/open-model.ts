import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Chosen, closeScope } from '@attune/core'
import { composeInference, inferencePartsOf, startEngine } from '../setup/compose.js'
import { warningsOf } from '../setup/load-report.js'
import { savedParameters } from '../setup/weights.js'
import { INFERENCE_KEYS, type PlanOf, planOf } from '../plan/plan.js'
import type { Learned, OpenOptions, OpenRun } from '../files/run-folder.js'
import { inference } from './infer.js'

type InferencePlan = PlanOf<(typeof INFERENCE_KEYS)[number]>

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

/** Opens a run folder's model for inference. Only plugins of the kinds that this needs are loaded. */
export async function openModel(run: OpenRun, folder: string, metrics: readonly Chosen[], options: OpenOptions) {
  const plan = await planOf(run.config, INFERENCE_KEYS, run.lookup)
  const scope = composeInference(plan, withOwnTokenizer(run.learned, plan, folder), metrics, { parent: options.scope })
  try {
    await startEngine(scope)
    const parts = inferencePartsOf(scope)
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

/** A run folder's model, ready for inference. */
export type OpenModel = Awaited<ReturnType<typeof openModel>>

/** The words before a warning of what is not as the run recorded it. */
export const CHANGED = 'changed since the run began'

/** Warnings of versions that differ from those that the run recorded, of the plugins that were looked up so far. */
export const versionWarnings = (run: OpenRun): readonly string[] =>
  run.versions().map(({ change }) => `${CHANGED}: ${change}`)
