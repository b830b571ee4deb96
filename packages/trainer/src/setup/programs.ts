import { type Inference, inference } from '../inference/infer.js'
import { type TrainingSettings, microBatchSizeOf } from '../plan/run-config.js'
import { type CompiledStep, compileStep } from '../step/compiled-step.js'
import type { StepComponents } from '../step/training-step.js'
import type { StepConstants } from '../step/loss-function.js'
import type { Components } from './compose.js'
import { type OutputCache, cachedModel } from './output-cache.js'

/** Inputs of the programs of a session. */
interface ProgramInputs extends Pick<StepComponents, 'model' | 'optimizer' | 'models'> {
  readonly rebuild: StepComponents['rebuild'] | undefined
  readonly training: TrainingSettings
  /** Own parameters of the auxiliary models. */
  readonly own: StepConstants['models']
}

/** Compiles the training step and inference; with a cache, on the cached outputs of the model. */
export function programsOf(
  { engine, objective, regularizers }: Components,
  cache: OutputCache | undefined,
  { rebuild, training, own, ...given }: ProgramInputs,
): { readonly step: CompiledStep; readonly inference: Inference } {
  const model = cache === undefined ? given.model : cachedModel(given.model)
  const { gradientCheckpointing } = training
  const { reference } = given.models ?? {}
  const compiled = { ...given, model, objective, regularizers, gradientCheckpointing }
  return {
    step: compileStep(engine, { ...compiled, ...(rebuild === undefined ? {} : { rebuild }) }),
    inference: inference(engine, model, objective, {
      batchSize: microBatchSizeOf(training),
      ...(cache === undefined ? {} : { complete: cache.complete }),
      ...(reference === undefined ? {} : { reference: { auxiliary: reference, own: own['reference'] ?? {} } }),
    }),
  }
}
