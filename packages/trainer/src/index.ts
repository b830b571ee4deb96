export { type EvaluateOptions, type Evaluation, evaluate, loadPredictor } from './inference/evaluate.js'
export { type Forecast, type ForecastOptions, type ShapeForecast, forecast } from './run/forecast.js'
export { type Pretrained, type Wanted, loadPretrained } from './inference/load-pretrained.js'
export type { RunOptions } from './plan/lookup.js'
export { type Lookup, userLookup } from './plan/lookup.js'
export { countFolds } from './setup/splits.js'
export { type Plan, planRun } from './plan/plan.js'
export type { Predictor } from './inference/predictor.js'
export { type ParsedConfig, type RunConfig, type TrainingSettings, runSchema } from './plan/run-config.js'
export { resume, run } from './run/run.js'
export type {
  Accumulated,
  InferenceResult,
  StepInputs,
  StepParts,
  StepResult,
  TrainingState,
} from './step/training-step.js'
export {
  accumulateStep,
  applyStep,
  inferenceStep,
  lossAndGradients,
  nothingAccumulated,
  trainingStep,
} from './step/training-step.js'
export { type CompiledStep, type HostInputs, type KeptTrees, compileStep, stepInputs } from './step/compiled-step.js'
export { type PassParts, dataPass } from './step/data-pass.js'
export type { Auxiliary, LossParts, Rebuilt, StepConstants } from './step/loss-function.js'
export { NO_CONSTANTS, lossFunction, reduceLosses } from './step/loss-function.js'
