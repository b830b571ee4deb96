export { type BusParts, type Bus, type EventLog, createBus } from './run/bus.js'
export {
  type Checkpoint,
  type CheckpointInput,
  type Progress,
  checkpointPath,
  findLabelled,
  listCheckpoints,
  loadCheckpoint,
  pruneCheckpoints,
  saveCheckpoint,
} from './files/checkpoint.js'
export { type CardOptions, type SavedParts, type SaveOptions, saveModel } from './files/save-model.js'
export { type EvaluateOptions, type Evaluation, evaluate } from './inference/evaluate.js'
export { type Inference, type InferenceOptions, type Inferred, type LossSum, inference } from './inference/infer.js'
export { type Pretrained, type Wanted, loadPretrained } from './inference/load-pretrained.js'
export { openPredictor } from './inference/open-predictor.js'
export { type Answered, type StreamOptions, predictStream } from './inference/predict-stream.js'
export type { Description, Prediction, PredictOptions, Predictor } from './inference/predictor.js'
export { type OnlineOptions, type PrequentialEvent, learnOnline } from './online/learn-online.js'
export type { Learner } from './online/learner.js'
export { type LearnerConfig, type LearnerOptions, openLearner } from './online/open-learner.js'
export type { Rows } from './online/rows-of.js'
export type { RunOptions } from './plan/lookup.js'
export { type Lookup, userLookup } from './plan/lookup.js'
export { countFolds } from './setup/splits.js'
export { type Plan, planRun } from './plan/plan.js'
export { type ParsedConfig, type RunConfig, type TrainingSettings, runSchema } from './plan/run-config.js'
export { type Forecast, type ForecastOptions, type ShapeForecast, forecast } from './run/forecast.js'
export { resume, run } from './run/run.js'
export { type Scored, score } from './run/score.js'
export { type EpochOptions, type ReadyBatch, encodeAll, epochBatches } from './step/batches.js'
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
export { type WorkerPredictorOptions, openWorkerPredictor } from './worker/worker-predictor.js'
