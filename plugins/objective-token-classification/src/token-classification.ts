import {
  AttuneError,
  type Batch,
  type Encoded,
  type Example,
  type HostArray,
  LOSS,
  type LossTerm,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
} from '@attune/core'
import {
  type TextArrays,
  labelConfig,
  labelNames,
  labelNumbers,
  learnLabels,
  lengthOptions,
  lengthsFor,
  missingField,
  maximumTokens,
  paddedLength,
  requireLabels,
  textArrays,
} from '@attune/data'
import { classifier, lossOf } from '@attune/nn'
import { type Tensor, reshape } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { type Aligned, alignWords } from './align-words.js'
import { wordsOf } from './words-of.js'

/** Token ids of a text, the first token of each word, and the label ids of the words, if known. */
interface Item extends Encoded, Aligned {
  readonly labels: readonly number[]
  /** The words, if a text was split into them. */
  readonly words?: readonly string[]
}

/** `targets` (int32) and `weights` (float32, 1 at the first token of a word) are `[batch, length]`. */
interface TaggingBatch extends Batch {
  readonly inputs: TextArrays
  readonly targets: HostArray
  readonly weights: HostArray
}

const options = z.strictObject({
  words: z.string().default('words').meta({ field: 'words' }).describe('Field that holds the list of words'),
  tags: z
    .string()
    .default('tags')
    .meta({ field: 'label' })
    .describe('Field that holds the list of labels, one for each word'),
  labels: labelNames,
  maximumLength: maximumTokens(3),
  ...lengthOptions,
})

type Options = z.output<typeof options>

/** The list of words, or of labels, in a field. @throws AttuneError `MISSING_FIELD` */
function listOf(example: Example, name: string): readonly string[] {
  const value = Object.hasOwn(example, name) ? example[name] : undefined
  const fits = (each: unknown): boolean => typeof each === 'string' || typeof each === 'number'
  if (Array.isArray(value) && value.length > 0 && value.every(fits)) return value.map(String)
  throw missingField(example, name, 'list of words')
}

/** The words of the text in a field; undefined if it is not a text. */
function dividedText(example: Example, name: string): readonly string[] | undefined {
  const text = Object.hasOwn(example, name) ? example[name] : undefined
  return typeof text === 'string' ? wordsOf(text) : undefined
}

/** The labels of an example, one for each word. @throws AttuneError `TAG_COUNT` */
function tagsOf(example: Example, o: Options): readonly string[] {
  const [words, tags] = [listOf(example, o.words), listOf(example, o.tags)]
  if (words.length === tags.length) return tags
  throw new AttuneError(
    'TAG_COUNT',
    `expected one label for each word, got ${tags.length} in "${o.tags}" for ${words.length} in "${o.words}": ${JSON.stringify(words).slice(0, 100)}`,
    'Fix or remove the row. The words are not split further: each entry of the list has one label.',
  )
}

/** The arrays of a batch, with the label of each word at its first token. */
function collate(items: readonly Item[], pad: number, multiple: number, maximum: number): TaggingBatch {
  const rows = items.map(({ encoding }) => encoding.ids)
  const length = paddedLength(Math.max(...items.map((item) => item.length)), multiple, maximum)
  const [targets, weights] = [new Int32Array(rows.length * length), new Float32Array(rows.length * length)]
  for (const [row, item] of items.entries())
    for (const [word, position] of item.positions.entries()) {
      if (position < 0 || item.labels.length === 0) continue
      targets[row * length + position] = item.labels[word]!
      weights[row * length + position] = 1
    }
  const types = items.map(({ encoding }) => encoding.typeIds)
  const shape = [rows.length, length]
  return {
    inputs: textArrays(rows, length, pad, types),
    targets: { shape, dtype: 'int32', values: targets },
    weights: { shape, dtype: 'float32', values: weights },
  }
}

/** The argmax label of a row of logits `[batch, length, labels]` at a position. */
function argmaxAt({ values, shape: [, length, size] }: HostArray, row: number, position: number): number {
  const from = (row * length! + position) * size!
  const logits = values.subarray(from, from + size!)
  return logits.indexOf(Math.max(...logits))
}

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<Item, TaggingBatch, Tensor> {
  const labels = requireLabels('token-classification', o.labels)
  const head = classifier(model, 'token-classification', labels.length)
  const numberOf = labelNumbers(labels)
  const ofRows = lossOf(losses, 'labels')
  const limits = lengthsFor(o, model)
  const encode = (words: readonly string[], numbers: readonly number[]): Item => {
    const aligned = alignWords(tokenizer, words, limits)
    const { ids, truncated } = aligned.encoding
    return { ...aligned, length: ids.length, truncated, labels: numbers }
  }
  const encodeUnlabelled = (example: Example): Item => {
    const words = dividedText(example, o.words)
    return words === undefined ? encode(listOf(example, o.words), []) : { ...encode(words, []), words }
  }
  return {
    views: ['tokens'],
    config: { architectures: [head.architecture], ...labelConfig(labels) },
    maximumLength: limits.maximumLength,
    init: head.init,
    encode: (example) => encode(listOf(example, o.words), tagsOf(example, o).map(numberOf)),
    encodeUnlabelled,
    collate: (items) => collate(items, tokenizer.special.pad ?? 0, o.padToMultipleOf, limits.maximumLength),
    head: (params, { lastHiddenState }, mode) => head.forward(params, lastHiddenState, mode),
    loss(logits, { targets, weights }) {
      const rows = ofRows(reshape(logits, [-1, labels.length]), reshape(targets, [-1]))
      return { losses: reshape(rows, targets.shape), weights }
    },
    predict: (logits, items) =>
      items.map(({ positions, words }, row) => ({
        ...(words === undefined ? {} : { words }),
        tokens: positions.map((position) => (position < 0 ? '' : labels[argmaxAt(logits, row, position)]!)),
      })),
    reference: (item) => ({ tokens: item.labels.map((label) => labels[label]!) }),
  }
}

/**
 * One label for each word of a text: dropout and a linear layer on the hidden state of the word's first token, trained with cross-entropy;
 * the other tokens of a word have no loss. Parameters are named as in transformers' `…ForTokenClassification`. A word that was truncated
 * or has no token is predicted as the empty string. For prediction, a text may replace the list of words: the prediction then includes
 * the words that it was split into.
 */
export const tokenClassification = definePlugin({
  kind: OBJECTIVE,
  name: 'token-classification',
  summary: 'Token classification: one label for each word, as in tagging and named-entity recognition',
  source: 'Devlin et al., BERT, 2019, section 5.3',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  async fit(o, examples) {
    return o.labels === undefined ? { ...o, labels: await learnLabels(examples(), (each) => tagsOf(each, o)) } : o
  },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective token-classification': typeof tokenClassification
  }
}

export default tokenClassification
