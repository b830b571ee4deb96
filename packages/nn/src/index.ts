export { activation, activationNames, gelu, geluTanh } from './layers/activation.js'
export type { AttentionOptions, Heads } from './attention/attention.js'
export { attendHeads, attention, mergeHeads, splitHeads, attentionBlock } from './attention/attention.js'
export { type AttentionPattern, attentionBias, paddingBias } from './attention/attention-bias.js'
export { aroundLayers, hookOf, withHook } from './layers/layer-hook.js'
export { computeOnce } from './engine/compute-once.js'
export { gradients, taped } from './engine/gradients.js'
export { withGradients } from './engine/with-gradients.js'
export { lossWeights, reduceLosses } from './objectives/reduce-losses.js'
export { toDevice, toHost, release } from './engine/host-transfer.js'
export { defaultPositions, emptyCache, writeCache } from './attention/cache.js'
export { type StoredValues, lazyTensors } from './engine/lazy-tensors.js'
export { startBackend } from './engine/start-backend.js'
export { stopGradient } from './engine/stop-gradient.js'
export { type CrossEntropyOptions, crossEntropy } from './heads/cross-entropy.js'
export { binaryCrossEntropy } from './heads/binary-cross-entropy.js'
export { binaryFocalLoss, focalLoss } from './heads/focal-loss.js'
export { generalizedCrossEntropyLoss } from './heads/generalized-cross-entropy.js'
export { type DiceOptions, diceLoss } from './heads/dice-loss.js'
export { binaryHingeLoss, hingeLoss, summedHingeLoss } from './heads/hinge-loss.js'
export { absoluteError, huberLoss, squaredError } from './heads/regression-losses.js'
export { jensenShannonDivergence, klDivergence, reverseKlDivergence } from './heads/divergence-losses.js'
export type { InfoNceOptions, TripletOptions } from './heads/embedding-losses.js'
export { cosineDistance, infoNce, tripletLoss } from './heads/embedding-losses.js'
export { oneHotRows } from './heads/per-class.js'
export { dropout, keyAt, modeAt } from './layers/dropout.js'
export { type MaskAttributes, DROPOUT_MASK, maskArrays, maskValues } from './layers/dropout-mask.js'
export { type EagerBackend, eagerEngine } from './engine/eager-engine.js'
export { embedding, takeRows } from './layers/embedding.js'
export type { EncoderDecoderOptions, Side, StackSize } from './stacks/encoder-decoder.js'
export { decoderCache, encoderDecoder, encoderDecoderShapes, stackSizes } from './stacks/encoder-decoder.js'
export type { EncoderLayerNames, EncoderLayerOptions } from './stacks/encoder-layer.js'
export { BERT_LAYER, encoderLayer, encoderLayerShapes } from './stacks/encoder-layer.js'
export type { AttentionInputs, EncoderContext } from './stacks/decoder-attention.js'
export { attendProjected, crossAttention, selfAttention } from './stacks/decoder-attention.js'
export { type EncoderDecoderStacks, ONE_PAIR_IN_A_ROW, passEncoderDecoder } from './stacks/pass-encoder-decoder.js'
export { layerGroups } from './stacks/layer-groups.js'
export {
  countOption,
  encoderOptions,
  endTokensOption,
  initializerRangeOption,
  multipleOf,
  probabilityOption,
  tokenIdOption,
} from './stacks/model-options.js'
export { type EncoderFamily, type EncoderSizes, encoderModel } from './stacks/encoder-model.js'
export { maxPool } from './heads/max-pooling.js'
export { type PoolingMode, pool, poolingModes } from './heads/pooling.js'
export { type ClassifierName, classifier } from './heads/classifier.js'
export { type CrfScores, crfLosses } from './heads/crf.js'
export { type HostCrfScores, crfMarginals, viterbi } from './heads/crf-decode.js'
export type { AllowedTags, CrfOutputs, Decoded, TagHead } from './heads/tag-head.js'
export { crfHead, softmaxHead } from './heads/tag-head.js'
export { targetHead } from './heads/target-head.js'
export { completionLogProbs } from './heads/completion-log-probs.js'
export { nextTokenHead } from './heads/next-token-head.js'
export { pooledHead } from './heads/pooled-head.js'
export { hostRow, hostSigmoid, hostSoftmax } from './heads/host-probabilities.js'
export { ordinalHead, scoreHead } from './heads/score-head.js'
export {
  classifierHead,
  headFor,
  headTensors,
  initialClassifier,
  maskedTokenHead,
  toCheckpointNames,
} from './heads/head.js'
export type { DeferredWeight } from './layers/initialise.js'
export {
  deferredWeights,
  filledWith,
  initialParameters,
  normal,
  requireRepresentableSizes,
  uniform,
} from './layers/initialise.js'
export { detectionHead, detectionLogits, initialDetectionHead } from './heads/detection-head.js'
export { sampleTokens } from './heads/sample-tokens.js'
export { lastToken } from './heads/last-token.js'
export { type RowLosses, lossOf } from './heads/loss-of.js'
export { layerNorm } from './layers/layer-norm.js'
export type { LayerContext, LayerStack, StackOutputs } from './stacks/layer-stack.js'
export { encoderOutputs, firstQuery, firstToken, layerStack } from './stacks/layer-stack.js'
export { type LinearOptions, linear } from './layers/linear.js'
export { initialMaskedHead, maskedLogits } from './heads/masked-logits.js'
export { meanPool } from './heads/mean-state.js'
export { parameter, under, withoutPrefix } from './layers/parameter.js'
export { activationCheckpoint } from './stacks/activation-checkpoint.js'
export { type RecurrentCell, RECURRENT_CELLS } from './layers/recurrent-cell.js'
export { type RecurrentOptions, recurrentLayer, recurrentShapes } from './layers/recurrent-layer.js'
export { type KernelCall, runBorrowed } from './engine/borrow-kernel.js'
export { checkIndices } from './engine/check-indices.js'
export { replaceKernel } from './engine/replace-kernel.js'
export { type ScanStep, type ScanTensors, type Scanned, SCAN, scan } from './engine/scan.js'
export { splitAlong } from './engine/split-along.js'
export { supplyKernels } from './engine/supply-kernels.js'
export { requirePackable } from './attention/require-packable.js'
export { resizeEmbeddings } from './layers/resize-embeddings.js'
export { rmsNorm } from './layers/rms-norm.js'
export { type RotaryOptions, type RotaryTables, rotaryFrequencies, rotaryTables, rotate } from './attention/rotary.js'
export { renamedRotaryOptions, rotaryOptions } from './attention/rotary-options.js'
export { outputsAtLayer } from './heads/outputs-at-layer.js'
export { hiddenStatesAt } from './heads/hidden-states-at.js'
export { tokenLogits } from './heads/token-logits.js'
export {
  type TokenLosses,
  type TokenTargets,
  lossesFromLogits,
  tokenLosses,
  packedLosses,
} from './heads/token-losses.js'
export { type SentenceModel, sentenceFiles, sentenceModel } from './sentence/sentence-model.js'
export { sentenceEncoder, sentenceOptions } from './sentence/sentence-encoder.js'
export { embeddingSimilarity } from './sentence/similarity.js'
export { unitRows } from './sentence/text-vectors.js'
export { chosenParams, penalty, weightOptions, weightsOf } from './regularizers/penalty.js'
export { mixupLoss } from './regularizers/mixup.js'
export { classLogits } from './regularizers/class-logits.js'
export {
  adversarialLoss,
  ascentDirection,
  ascentStep,
  gradientNormPenalty,
  lossAtWordEmbeddings,
  unperturbed,
} from './regularizers/word-embeddings.js'
export { type MomentumState, accumulateMomentum } from './transformations/accumulate-momentum.js'
export { addDecayedWeights, isBiasOrNorm } from './transformations/add-decayed-weights.js'
export { adamOptions, weightDecayOption } from './transformations/adam-options.js'
export { type AverageState, averageWeights, evaluatedWeightsOption } from './transformations/average-weights.js'
export { backtrack } from './transformations/backtrack.js'
export type { QuantizedBlocks } from './transformations/block-quantization.js'
export { dequantizeBlocks, dynamicMap, quantizeBlocks } from './transformations/block-quantization.js'
export { chain } from './transformations/chain.js'
export { clipByGlobalNorm, globalNorm } from './transformations/clip-by-global-norm.js'
export { biasCorrection, descend, movingAverage, zerosOf } from './transformations/moments.js'
export { orthogonalize } from './transformations/orthogonalize.js'
export { parameterNoise } from './transformations/parameter-noise.js'
export { type PartitionState, type Selection, partition } from './transformations/partition.js'
export { matchesPattern, restrictTo } from './transformations/restrict-to.js'
export { layersFromTop } from './transformations/layers-from-top.js'
export { type AdamState, scaleByAdam } from './transformations/scale-by-adam.js'
export { scaleByLearningRate } from './transformations/scale-by-learning-rate.js'
export { type WarmupOptions, warmup, withWarmup } from './engine/warmup.js'
export { trustRatio } from './transformations/trust-ratio.js'
export { addScaled, hessianVectorProduct, innerProduct, norm } from './transformations/vectors.js'
export { withoutGradient } from './engine/without-gradient.js'
export { isOwn, isTokenTable, trainOnly } from './adapters/train-only.js'
export { splitParams } from './adapters/split-params.js'
export {
  type Comparison,
  type HostMasks,
  type Scores,
  asScores,
  largestScores,
  markLargest,
} from './adapters/largest-scores.js'
export { type MaskedTuning, maskedTuning } from './adapters/masked-tuning.js'
export { masksOf } from './adapters/packed-masks.js'
export type { InputStatistic } from './adapters/fold-inputs.js'
export { passLimits, passOptions, requirePass, sumOverPass } from './adapters/pass-scores.js'
export { maskAlong } from './adapters/mask-along.js'
export { compareOption, pruningOptions } from './adapters/pruning-options.js'
export { type FeaturePruning, pruneByFeatures } from './adapters/prune-by-features.js'
export { type GradientPruning, pruneByGradients } from './adapters/prune-by-gradients.js'
export { type LayerMethod, adaptLayers, mergedWeights, requireComputed, trainHeads } from './adapters/adapt-layers.js'
export { type Targets, linearLayers, targetLayers, targetsOption } from './adapters/target-layers.js'
export { type AllocationOptions, type AllocationState, allocateRanks } from './adapters/allocate-ranks.js'
export { tripletName, tripletOf } from './adapters/triplets.js'
export { attentionOutputs, feedforwardOutputs, isAttention, keysAndValues } from './adapters/layer-roles.js'
export { type SavedLayout, listedLayers, savedTensors } from './adapters/saved-layers.js'
export {
  type Nf4Blocks,
  type NestedScales,
  NF4_VALUES,
  fitsNf4Table,
  nf4Names,
  nf4Table,
  nf4Tensors,
  quantizeNf4,
  quantizeScales,
} from './adapters/nf4.js'
export {
  NF4_PRODUCT,
  type Nf4Weight,
  dequantizeNf4,
  hasNf4,
  nf4Product,
  nf4Rows,
  nf4TableProduct,
} from './adapters/nf4-weight.js'
export {
  HALF_ROWS,
  halfRows,
  halfTable,
  halfTableProduct,
  hasHalfTable,
  readsHalfTables,
  wholeHalfTable,
} from './adapters/half-table.js'
export {
  type Factors,
  downOf,
  factorInput,
  factorShapes,
  factorsAt,
  initialFactors,
  layerSize,
  lowRankOutput,
  lowRankWeight,
  rankOf,
  scaleOf,
  upOf,
} from './adapters/low-rank.js'
export { type LowRankUpdates, lowRankUpdates } from './adapters/low-rank-method.js'
export { lowRankConfig } from './adapters/peft-lora-config.js'
export {
  type LowRankInput,
  type LowRankOptions,
  initialLowRank,
  lowRankOptions,
  newFactors,
  readLowRank,
  requireSame,
} from './adapters/saved-low-rank.js'
export { type Matrix, type TruncatedSvd, truncatedSvd } from './adapters/truncated-svd.js'
export { type PromptMethod, type VirtualTokens, adaptPrompt, describeVirtualTokens } from './adapters/virtual-tokens.js'
export { promptedModel } from './adapters/prompted-model.js'
export { type CacheLayout, cacheLayout, prefixedModel } from './adapters/prefixed-model.js'
export { initialEncoder, initialVectors, vectorsOfText } from './adapters/initial-vectors.js'
export { readPrompt, savedTokens, tokensOption } from './adapters/saved-prompt.js'
export { malformedAdapter, requireShapes, toPeft, fromPeft, modulesToSave } from './adapters/peft-layout.js'
export { symmetricBeta } from './layers/beta.js'
export { logSigmoid } from './layers/log-sigmoid.js'
export { noise, noiseValues, type NoiseAttributes, NOISE } from './layers/noise.js'
export {
  type ChosenObjective,
  type ObjectiveNeeds,
  createNested,
  fitNested,
  fitTasks,
  labelFields,
} from './objectives/nested-objective.js'
export {
  type SoftTargetLoss,
  attentionTransfer,
  softTargetLoss,
  softTargetLosses,
} from './objectives/distillation-losses.js'
export {
  type DetectionParts,
  type MaskedPositions,
  detectionLosses,
  replaceTokens,
} from './objectives/detection-losses.js'
export { type GradNormContext, gradNorm } from './objectives/grad-norm.js'
export { projectedLoss, projectionWeights } from './objectives/projected-gradients.js'
export { addDifferences, initialDifferences, squaredDifferences } from './objectives/soft-sharing.js'
export {
  type TaskObjective,
  atPositions,
  batchOfTask,
  collateAllTasks,
  collateOneTask,
  dispatchByTask,
  meanTaskLosses,
  taskLosses,
  taskPositions,
  tasksIn,
} from './objectives/tasks.js'
export { weightByUncertainty } from './objectives/uncertainty-weighting.js'
export { maskLosses } from './objectives/mask-losses.js'
export { correlationAlignment, maximumMeanDiscrepancy } from './objectives/domain-distances.js'
export { requireOneRowEach } from './objectives/require-one-row-each.js'
export { reverseGradient } from './layers/reverse-gradient.js'
export {
  VECTOR_DECODER,
  type VectorDecoderInputs,
  type VectorDecoderSize,
  vectorDecoderShapes,
  vectorDecoderStates,
} from './sentence/vector-decoder.js'
export {
  type RelaxedDecoder,
  type Relaxation,
  generateRelaxed,
  hardTokens,
  outputsOfRelaxed,
  relaxations,
} from './objectives/relaxed-generation.js'
export { sampleVectors } from './objectives/sample-vectors.js'
