export { type CrossValidateOptions, crossValidate } from './cross-validate.js'
export { type KernelTwoSampleTest, kernelTwoSampleTest } from './domains/kernel-two-sample-test.js'
export { type ProxyADistance, proxyADistance } from './domains/proxy-a-distance.js'
export { type VocabularyShift, lowercaseWords, vocabularyShift } from './domains/vocabulary-shift.js'
export { bag } from './ensemble/bag.js'
export { boost } from './ensemble/boost.js'
export type { MembersOptions } from './ensemble/train-members.js'
export type { CrossValidationEvent, EnsembleEvent, FoldScores, SelfTrainingEvent, StudyEvent } from './events.js'
export {
  type Probabilities,
  consensus,
  consensusEntropy,
  leastConfidence,
  marginUncertainty,
  predictionEntropy,
  voteEntropy,
} from './select/informativeness.js'
export { type Vector, kCentreGreedy } from './select/k-centre-greedy.js'
export { type SelfTrainOptions, selfTrain } from './self-train/self-train.js'
export { type StudyConfig, studySchema } from './study-config.js'
export { type StudyOptions, study } from './study.js'
export { bestTrials, valueOf } from './trials.js'
export { withChoice } from './with-choice.js'
