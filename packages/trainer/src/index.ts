export { type ModelFiles, type SavedModel, modelFiles, writeFiles } from './files/model-files.js'
export { type LogisticRegression, classProbabilities, fitLogisticRegression } from './ensemble/logistic-regression.js'
export {
  type Inference,
  type InferenceOptions,
  type InferredExample,
  type LossSum,
  inference,
} from './inference/infer.js'
export {
  type CorpusScore,
  type ScoredTask,
  type TextScore,
  type TextScorer,
  type TextScorerOptions,
  corpusScore,
  textScorer,
} from './inference/score-texts.js'
export type { LanguageModel } from './inference/score-windows.js'
export { type PredictedExample, type StreamOptions, predictStream } from './inference/predict-stream.js'
export type { Description, Prediction, PredictOptions, Predictor, PredictorOptions } from './inference/predictor.js'
export { type AdwinOptions, adwin } from './online/drift/adwin.js'
export { type DdmOptions, ddm } from './online/drift/ddm.js'
export type { Detected, DriftDetector, DriftSignal } from './online/drift/drift-detector.js'
export { type PageHinkleyOptions, pageHinkley } from './online/drift/page-hinkley.js'
export {
  type DriftOptions,
  type OnlineOptions,
  type PrequentialEvent,
  type ReplayOptions,
  learnOnline,
} from './online/learn-online.js'
export type { ProbeScores } from './online/probes.js'
export { type Reservoir, reservoir } from './online/reservoir.js'
export type { Learner } from './online/learner.js'
export type { Rows } from './online/rows-of.js'
export { type BusOptions, type Bus, type EventLog, createBus } from './run/bus.js'
export { type Scored, score } from './run/score.js'
export { type EpochOptions, type ReadyBatch, encodeAll, epochBatches } from './step/batches.js'
export {
  type CompiledStep,
  type HostInputs,
  type ConstantTrees,
  compileStep,
  stepInputs,
} from './step/compiled-step.js'
export { type PassComponents, dataPass } from './step/data-pass.js'
export type { Auxiliary, LossComponents, Rebuilt, StepConstants } from './step/loss-function.js'
export { NO_CONSTANTS, lossFunction } from './step/loss-function.js'
export { type GenerationComponents, type TextGenerator, textGenerator } from './step/text-generator.js'
export type {
  Accumulated,
  InferenceResult,
  StepInputs,
  StepComponents,
  StepResult,
  TrainingState,
} from './step/training-step.js'
export {
  accumulateStep,
  applyStep,
  inferenceStep,
  lossAndGradients,
  lossWeightsStep,
  emptyAccumulation,
  trainingStep,
} from './step/training-step.js'
