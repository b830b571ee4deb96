export {
  type Checkpoint,
  type CheckpointInput,
  type Progress,
  checkpointPath,
  findCheckpoint,
  listCheckpoints,
  loadCheckpoint,
  pruneCheckpoints,
  saveCheckpoint,
} from './files/checkpoint.js'
export { pluginsOfModel } from './files/plugins-of-model.js'
export { type CardOptions, type SaveOptions, saveModel } from './files/save-model.js'
export { countFolds } from './data/open-splits.js'
export { type PreparedStage, prepareData } from './data/prepare-data.js'
export { dataFolder } from './data/store.js'
export { evaluateRun } from './inference/evaluate.js'
export type { EvaluateOptions, Evaluation } from './inference/evaluated-split.js'
export type { TaskCorrelations, TaskReport, TaskScore } from './inference/task-report.js'
export { evaluationsOf } from './files/evaluations-of.js'
export {
  ENSEMBLE_METHODS,
  type EnsembleMethod,
  type EnsembleOptions,
  type EnsembleReport,
  makeEnsemble,
} from './ensemble/make-ensemble.js'
export { type OutOfBagEvaluation, evaluateOutOfBag } from './ensemble/out-of-bag.js'
export { trainingPredictions } from './ensemble/training-predictions.js'
export { type Pretrained, type ObjectiveChoice, loadPretrained } from './inference/load-pretrained.js'
export { type InspectOptions, inspectBatches } from './inspect/inspect-batches.js'
export {
  type InspectedBatch,
  type InspectedCounts,
  type InspectedRow,
  type InspectedToken,
  addCounts,
} from './inspect/inspected-batch.js'
export { classifierObjective } from './inference/pretrained-predictor.js'
export { type FeatureOptions, type TextFeatures, textFeatures } from './inference/text-features.js'
export { type OpenTextScorer, openTextScorer } from './inference/open-text-scorer.js'
export { openPredictor } from './inference/open-predictor.js'
export { openTask } from './inference/open-task.js'
export { type MergeOptions, type MergeReport, mergeSavedAdapter, unmergeSavedAdapter } from './merge/merge-adapter.js'
export { type LearnerConfig, type LearnerOptions, openLearner } from './online/open-learner.js'
export { type Lookup, type RunOptions, userLookup } from './plan/lookup.js'
export { type Plan, planRun } from './plan/plan.js'
export {
  type ParsedConfig,
  type RunConfig,
  type TrainingSettings,
  type TypedRunConfig,
  runSchema,
} from './plan/run-config.js'
export { recordOf } from './plan/record-of.js'
export { type Estimate, type EstimateOptions, type ShapeEstimate, estimateRun } from './run/estimate-run.js'
export { mapRun } from './run/open-trial.js'
export {
  type LearningRateRange,
  type RangeOptions,
  type RangePoint,
  findLearningRate,
} from './run/find-learning-rate.js'
export type { TaskSkill } from './run/constant-prediction.js'
export { type ComparisonOptions, type TaskComparison, compareTasks } from './run/compare-tasks.js'
export { type Schedules, planSchedules } from './run/plan-schedules.js'
export {
  type PartName,
  type TrainingGroup,
  type TrainingMap,
  type TrainingPart,
  type TrainingSizes,
  sizesOf,
  trainingMap,
} from './setup/training-map.js'
export { resume, run } from './run/run.js'
export { type WorkerPredictorOptions, openWorkerPredictor } from './worker/worker-predictor.js'
