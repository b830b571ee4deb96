import {
  type AnyObjective,
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
  type OnHost,
  type Tokenizer,
  type Tree,
  definePlugin,
} from '@attune/core'
import {
  type Aligned,
  type Entity,
  type TextArrays,
  type WordedText,
  aggregated,
  alignWords,
  entitiesOf,
  joinedWords,
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
  schemeTags,
  tagSpans,
  tagTransitions,
  taggedWords,
  tagsOfSpans,
  textArrays,
  wordsOf,
} from '@attune/data'
import { type TagHead, crfHead, softmaxHead } from '@attune/nn'
import { z } from 'zod'

/** Token ids of a text, the first token of each word, and the label ids of the words, if known. */
interface Item extends Encoded, Aligned {
  readonly labels: readonly number[]
  readonly text: WordedText
  /** True if a text was split into the words. */
  readonly isSplit: boolean
}

/** `targets` (int32) and `weights` (float32, 1 at the first token of a word) are `[batch, length]`. */
interface TaggingBatch extends Batch {
  readonly inputs: TextArrays
  readonly targets: HostArray
  readonly weights: HostArray
}

const shape = z.strictObject({
  words: z.string().default('words').meta({ field: 'words' }).describe('Field that holds the list of words'),
  tags: z
    .string()
    .default('tags')
    .meta({ field: 'label' })
    .describe('Field that holds the list of labels, one for each word'),
  labels: labelNames,
  scheme: z
    .enum(['BIO', 'BIOES', 'BILOU'])
    .optional()
    .describe('Tagging scheme to train on; tags of any scheme are converted. Default: the tags as they are'),
  crf: z
    .boolean()
    .default(false)
    .describe('Conditional random field: tags of a text are predicted together; with `scheme`, only valid ones'),
  entities: z
    .enum(['simple', 'first', 'average', 'max'])
    .optional()
    .describe(
      'Adds the view `entities`: `simple` tags tokens, the others words by their first token, mean or maximum score',
    ),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
})

const options = shape.refine(({ crf, entities }) => !crf || entities === undefined || entities === 'first', {
  path: ['entities'],
  message: 'must be first if crf is true, which tags words by their first tokens',
})

type Options = z.output<typeof options>

/** The list of words, or of labels, in a field. @throws AttuneError `MISSING_FIELD` */
function listOf(example: Example, name: string): readonly string[] {
  const value = Object.hasOwn(example, name) ? example[name] : undefined
  const fits = (each: unknown): boolean => typeof each === 'string' || typeof each === 'number'
  if (Array.isArray(value) && value.length > 0 && value.every(fits)) return value.map(String)
  throw missingField(example, name, 'list of words')
}

/** The words in a field: a list, or a text that is split into them. */
function textIn(example: Example, name: string): Pick<Item, 'text' | 'isSplit'> {
  const text = Object.hasOwn(example, name) ? example[name] : undefined
  if (typeof text === 'string') return { text: wordsOf(text), isSplit: true }
  return { text: joinedWords(listOf(example, name)), isSplit: false }
}

/** The labels of an example, one for each word, in the scheme. @throws AttuneError `TAG_COUNT` */
function tagsOf(example: Example, o: Options): readonly string[] {
  const [words, tags] = [listOf(example, o.words), listOf(example, o.tags)]
  if (words.length === tags.length)
    return o.scheme === undefined ? tags : tagsOfSpans(tagSpans(tags), tags.length, o.scheme)
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

/** The logits at a position of a row of `[batch, length, labels]`. */
function logitsAt({ values, shape: [, length, size] }: HostArray, row: number, position: number): Float32Array {
  const from = (row * length! + position) * size!
  return (values as Float32Array).subarray(from, from + size!)
}

/** Decodes a batch: the label of each word, and its entities if asked for. */
function predicted<H extends Tree>(
  head: TagHead<H>,
  labels: readonly string[],
  { entities }: Options,
  outputs: OnHost<H>,
  items: readonly Item[],
) {
  const logits = head.logits(outputs)
  return items.map(({ positions, tokens, text, isSplit }, row) => {
    const read = [...positions.keys()].filter((word) => positions[word]! >= 0)
    const decoded = head.decode(
      outputs,
      read.map((word) => logitsAt(logits, row, positions[word]!)),
    )
    const tags = positions.map(() => '')
    const scores = positions.map(() => 0)
    for (const [i, word] of read.entries()) {
      tags[word] = labels[decoded.tags[i]!]!
      scores[word] = decoded.probabilities[i]![decoded.tags[i]!]!
    }
    const tagged = (): Entity[] =>
      entities === 'first'
        ? entitiesOf(taggedWords(text, tags, scores), text.text)
        : entitiesOf(
            aggregated(
              text,
              tokens,
              labels,
              (position) => head.probabilities(logitsAt(logits, row, position)),
              entities!,
            ),
            text.text,
          )
    return {
      ...(isSplit ? { words: text.words } : {}),
      tokens: tags,
      ...(entities === undefined ? {} : { entities: tagged() }),
    }
  })
}

function objectiveOf<H extends Tree>(
  o: Options,
  labels: readonly string[],
  head: TagHead<H>,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<Item, TaggingBatch, H> {
  const numberOf = labelNumbers(labels)
  const limits = lengthsFor(o, model)
  const encode = (read: Pick<Item, 'text' | 'isSplit'>, numbers: readonly number[]): Item => {
    const aligned = alignWords(tokenizer, read.text.words, limits)
    const { ids, truncated } = aligned.encoding
    return { ...aligned, ...read, length: ids.length, truncated, labels: numbers }
  }
  const crf = { crf: true, ...(o.scheme === undefined ? {} : { tagging_scheme: o.scheme }) }
  return {
    views: o.entities === undefined ? ['tokens'] : ['tokens', 'entities'],
    config: { architectures: [head.architecture], ...labelConfig(labels), ...(o.crf ? crf : {}) },
    maximumLength: limits.maximumLength,
    init: (key) => head.init(key),
    encode: (example) =>
      encode({ text: joinedWords(listOf(example, o.words)), isSplit: false }, tagsOf(example, o).map(numberOf)),
    encodeUnlabelled: (example) => encode(textIn(example, o.words), []),
    collate: (items) => collate(items, tokenizer.special.pad ?? 0, o.padToMultipleOf, limits.maximumLength),
    head: (params, { lastHiddenState }, mode) => head.forward(params, lastHiddenState, mode),
    loss: (outputs, { targets, weights }) => head.losses(outputs, targets, weights),
    predict: (outputs, items) => predicted(head, labels, o, outputs, items),
    reference: (item) => {
      const tags = item.labels.map((label) => labels[label]!)
      const entities = () => entitiesOf(taggedWords(item.text, tags), item.text.text)
      return { tokens: tags, ...(o.entities === undefined ? {} : { entities: entities() }) }
    },
  }
}

/** @throws AttuneError `NO_LABELS` for a single label, whose only sequence has probability 1; `LOSS_MISMATCH` for another loss */
function requireForCrf(labels: readonly string[], losses: readonly LossTerm[]): void {
  if (labels.length < 2)
    throw new AttuneError(
      'NO_LABELS',
      `objective token-classification: expected at least two labels with \`crf: true\`, got ${labels.join(', ') || 'none'}`,
      'Train on examples with other labels too, or list them: `labels: [O, B-X, I-X]` in the objective.',
    )
  if (losses.length === 0) return
  throw new AttuneError(
    'LOSS_MISMATCH',
    'objective token-classification: with `crf: true` the loss is the negative log-likelihood of the sequence, got another one under `loss`',
    'Remove `loss`, or set `crf: false`.',
  )
}

function create(o: Options, given: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] }): AnyObjective {
  const labels = requireLabels('token-classification', o.labels)
  const { model, losses } = given
  if (!o.crf) return objectiveOf(o, labels, softmaxHead(model, labels.length, losses), given)
  requireForCrf(labels, losses)
  const allowed = o.scheme === undefined ? undefined : tagTransitions(labels, o.scheme)
  return objectiveOf(o, labels, crfHead(model, labels.length, allowed), given)
}

/** Labels of the training examples; with a scheme, all its tags for the labels of their spans. */
async function learn(o: Options, examples: AsyncIterable<Example>): Promise<string[]> {
  if (o.scheme === undefined) return learnLabels(examples, (each) => tagsOf(each, o))
  const spans = (each: Example): string[] => tagSpans(tagsOf(each, o)).map(({ label }) => label)
  return schemeTags(await learnLabels(examples, spans), o.scheme)
}

/**
 * One label for each word of a text: dropout and a linear layer on the hidden state of the word's first token, trained with cross-entropy;
 * the other tokens of a word have no loss. With `crf`, the labels of a text are those of a linear-chain conditional random field, decoded by
 * the Viterbi algorithm. Parameters are named as in transformers' `…ForTokenClassification`. A word that was truncated
 * or has no token is predicted as the empty string. For prediction, a text may replace the list of words: the prediction then includes
 * the words that it was split into.
 */
export const tokenClassification = definePlugin({
  kind: OBJECTIVE,
  name: 'token-classification',
  summary: 'Token classification: one label for each word, as in tagging and named-entity recognition',
  source:
    'Devlin et al., BERT, 2019, section 5.3; Lample et al., Neural Architectures for Named Entity Recognition, 2016',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  async fit(o, examples) {
    return o.labels === undefined ? { ...o, labels: await learn(o, examples()) } : o
  },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective token-classification': typeof tokenClassification
  }
}

export default tokenClassification
