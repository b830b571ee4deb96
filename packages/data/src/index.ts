export { apportion } from './apportion.js'
export { batch } from './batch.js'
export { endlessly, indicesByGroup } from './group-indices.js'
export { fieldHash } from './field-hash.js'
export { type Buckets, bucketByLength } from './bucket-by-length.js'
export type { Contingency, ContingencyCounts } from './contingency.js'
export { addContingency, contingencyCounts, mergeContingency, normalizedInformation } from './contingency.js'
export { count } from './count.js'
export {
  labelConfig,
  labelNames,
  labelNumbers,
  learnLabels,
  requireLabels,
  scoresByLabel,
  withLabels,
} from './labels.js'
export {
  classificationOptions,
  completionLengthOptions,
  documentOptions,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  textOptions,
} from './length-options.js'
export { map } from './map.js'
export { missingField } from './missing-field.js'
export { numberOf } from './number-of.js'
export { type Packing, type PackedPosition, unpackedRows, fillRows, packSequences } from './pack-sequences.js'
export { attentionMask, padTo } from './pad-to.js'
export { paddedLength } from './padded-length.js'
export { type Averaging, type Tallies, type Tally, NO_TALLY, f1Score, mergeTallies } from './tallies.js'
export type { TagScheme, TagSpan, TagTransitions } from './tag-spans.js'
export { schemeTags, tagSpans, tagTransitions, tagsOfSpans } from './tag-spans.js'
export { type Aligned, type WordToken, alignWords } from './words/align-words.js'
export type { Aggregation, Entity, Tagged } from './words/entities.js'
export { aggregated, entitiesOf, taggedWords } from './words/entities.js'
export { hashedWords } from './words/hashed-words.js'
export { type WordedText, joinedWords, wordsOf } from './words/words-of.js'
export { chooseUnits, deleteUnits } from './noise/delete-units.js'
export { ownRandom } from './noise/own-random.js'
export { type Masked, type Masking, type Spans, maskedCount, masker } from './noise/mask-tokens.js'
export { oneSpan } from './noise/one-span.js'
export { randomSpans } from './noise/random-spans.js'
export type { LengthWeights } from './noise/sample-length.js'
export { geometricLengths, harmonicLengths, sampleLength, samplePoisson } from './noise/sample-length.js'
export { withinBudget, wordUnits } from './noise/word-units.js'
export { shuffle } from './shuffle.js'
export type {
  SourceTargetArrays,
  SourceTargetBatch,
  SourceTargetItem,
  SourceTargetLimits,
} from './source-target-batch.js'
export { endedTokens, sourceTargetBatches } from './source-target-batch.js'
export { skip } from './skip.js'
export {
  type NextTokenBatch,
  type NextTokenItem,
  type NextTokenSettings,
  nextTokenItem,
  nextTokens,
} from './next-token-batch.js'
export {
  type PackedTextArrays,
  type TextArrays,
  packedTextArrays,
  paddedTexts,
  textArrays,
  textOf,
} from './text-inputs.js'
export { applyEdits, requireEdits } from './edits/apply-edits.js'
export { editsBetween } from './edits/edits-between.js'
export { type Span, moveSpans } from './edits/move-spans.js'
export { composeEdits } from './edits/compose-edits.js'
export { batchByGroup } from './batch-by-group.js'
export type { ClassificationBatch, ClassificationItem } from './classification-items.js'
export { classificationItems, labelOf, textOrName } from './classification-items.js'
export { type RowArrays, type RowsItem, type RowsSettings, textRows } from './text-rows.js'
export { answerScore, normalizeAnswer } from './answer-score.js'
export { type SentencePairItem, type SentencePairSettings, sentencePairs } from './sentence-pairs.js'
export { type Answer, locateAnswer } from './locate-answer.js'
export { type QuestionWindow, type WindowSizes, answerSpan, questionWindows } from './question-windows.js'
export { type DomainItem, type DomainSettings, domainItems, domainOptions, sourceRows } from './domain-items.js'
