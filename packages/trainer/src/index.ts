export * from './data/prepare-data.js'
export { dataFolder } from './data/store.js'
export * from './inference/evaluate.js'
export * from './run/forecast.js'
export * from './inference/load-pretrained.js'
export type { RunOptions } from './plan/lookup.js'
export { type Plan, planRun } from './plan/plan.js'
export type { Predictor } from './inference/predictor.js'
export * from './plan/run-config.js'
export * from './run/run.js'
export * from './step/training-step.js'
export { type CompiledStep, type HostInputs, type KeptTrees, compileStep, stepInputs } from './step/compiled-step.js'
export { type PassParts, dataPass } from './step/data-pass.js'
export {
  type Auxiliary,
  type LossParts,
  NO_CONSTANTS,
  type StepConstants,
  lossFunction,
  reduceLosses,
} from './step/loss-function.js'
