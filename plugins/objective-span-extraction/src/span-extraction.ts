import {
  AttuneError,
  type Batch,
  type Example,
  type HostArray,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
  excerpt,
} from '@attune/core'
import {
  type Answer,
  type QuestionWindow,
  type RowsItem,
  answerSpan,
  questionWindows,
  type TextArrays,
  lengthOptions,
  lengthsFor,
  textOf,
  textRows,
} from '@attune/data'
import { classifier, crossEntropy } from '@attune/nn'
import { type Tensor, add, cast, greaterEqual, maximum, mul, scalar, sub, unstack } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { answersOf } from './answers-of.js'
import { type WindowLogits, bestSpan } from './best-span.js'

/** A question in all windows over its context. */
interface Item extends RowsItem {
  readonly rows: readonly QuestionWindow[]
  readonly context: string
  readonly answers: readonly Answer[]
}

/** A row is a window. `starts`, `ends` and `examples` are int32 `[rows]`; the example of a padding row is −1. */
interface SpanBatch extends Batch {
  readonly inputs: TextArrays
  readonly starts: HostArray
  readonly ends: HostArray
  readonly examples: HostArray
}

const { padToMultipleOf } = lengthOptions

const options = z.strictObject({
  question: z.string().default('question').meta({ field: 'text' }).describe('Field that holds the question'),
  context: z
    .string()
    .default('context')
    .meta({ field: 'any' })
    .describe(
      'Field that holds the text with the answer; cleaners do not apply to it, because answers are offsets in it',
    ),
  answers: z
    .string()
    .default('answers')
    .meta({ field: 'any' })
    .describe(
      'Field that holds the answers: `{ text: [...], answer_start: [...] }` as in SQuAD, a text, or a list of texts',
    ),
  answerStart: z
    .string()
    .default('answer_start')
    .describe(
      'Field that holds the offset of the answer in the context, if `answers` is a text. Default: its first occurrence',
    ),
  unanswerable: z
    .boolean()
    .optional()
    .describe('Questions may have no answer, as in SQuAD 2.0. Default: true if a training example has none'),
  threshold: z
    .number()
    .default(0)
    .describe('No answer is predicted if its score exceeds that of the best span by more than this'),
  candidates: z
    .int()
    .min(1)
    .max(1000)
    .default(20)
    .describe('Number of start and end positions in each window that are combined to spans'),
  maximumAnswerLength: z.int().min(1).default(30).describe('Maximum number of tokens of a predicted answer'),
  maximumLength: z
    .int()
    .min(5)
    .optional()
    .describe(
      "Maximum number of tokens of a window: the question and a part of the context. Default: the model's maximum",
    ),
  stride: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Number of tokens that a window shares with the next one. Default: 128, or half of the context in a window',
    ),
  padToMultipleOf,
})

type Options = z.output<typeof options>

const noAnswer = (example: Example, field: string): AttuneError =>
  new AttuneError(
    'MISSING_FIELD',
    `expected an answer in field "${field}" of an example, got none: ${excerpt(example, 120)}`,
    'Remove the row, or set `unanswerable: true` in the objective.',
  )

/** Cross-entropy of the positions of the start and the end, their mean; padding has no part in the softmax. */
function losses(logits: Tensor, attentionMask: Tensor, starts: Tensor, ends: Tensor): Tensor {
  const excluded = mul(sub(1, cast(attentionMask, 'float32')), -1e30) // [rows, length]
  const [first, last] = unstack(logits, 2).map((each) => add(each, excluded)) as [Tensor, Tensor]
  return mul(0.5, add(crossEntropy(first, starts), crossEntropy(last, ends)))
}

/** The start and end logits of a window, a row of `[rows, length, 2]`. */
function logitsIn({ values, shape: [, length] }: HostArray, row: number, tokens: number): WindowLogits {
  const at = (which: number) =>
    Float32Array.from({ length: tokens }, (_, i) => values[(row * length! + i) * 2 + which]!)
  return { starts: at(0), ends: at(1) }
}

/** Encodes a question with its context and answers. */
function encoder(o: Options, tokenizer: Tokenizer, maximumLength: number) {
  return (example: Example, answersIn: (context: string) => readonly Answer[]): Item => {
    const [question, context] = [textOf(example, o.question, 'question'), textOf(example, o.context, 'context')]
    const { windows, truncated } = questionWindows(tokenizer, question, context, { maximumLength, stride: o.stride })
    const length = Math.max(...windows.map(({ ids }) => ids.length))
    return { rows: windows, context, answers: answersIn(context), length, truncated }
  }
}

/** The batch of all windows of items, with the positions of the answers. */
function collate(items: readonly Item[], pad: number, multiple: number, maximumLength: number): SpanBatch {
  const settings = { pad, padToMultipleOf: multiple, maximumLength, layout: 'consecutive' } as const
  const { inputs, examples } = textRows(items, settings)
  const spans = items.flatMap(({ rows, answers }) => rows.map((window) => answerSpan(window, answers[0])))
  const positions = (which: 0 | 1): HostArray => ({
    shape: examples.shape,
    dtype: 'int32',
    values: Int32Array.from(examples.values, (_, row) => spans[row]?.[which] ?? 0),
  })
  return { inputs, starts: positions(0), ends: positions(1), examples }
}

/** Predicts the answers of items from the logits of their windows. */
function predictAll(logits: HostArray, items: readonly Item[], o: Options & { readonly unanswerable: boolean }) {
  let row = 0
  return items.map(({ rows, context }) =>
    bestSpan(
      rows,
      rows.map(({ ids }) => logitsIn(logits, row++, ids.length)),
      context,
      o,
    ),
  )
}

function create(
  o: Options,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<Item, SpanBatch, Tensor> {
  const unanswerable = o.unanswerable ?? false
  const head = classifier(model, 'span-extraction', 2, 0)
  const { maximumLength } = lengthsFor({ ...o, truncationSide: undefined }, model)
  const encode = encoder(o, tokenizer, maximumLength)
  return {
    views: ['answer'],
    config: { architectures: [head.architecture] },
    maximumLength,
    init: head.init,
    encode: (example) =>
      encode(example, (context) => {
        const answers = answersOf(example, o, context)
        if (answers.length === 0 && !unanswerable) throw noAnswer(example, o.answers)
        return answers
      }),
    encodeUnlabelled: (example) => encode(example, () => []),
    collate: (items) => collate(items, tokenizer.special.pad ?? 0, o.padToMultipleOf, maximumLength),
    head: (params, { lastHiddenState }, mode) => head.forward(params, lastHiddenState, mode),
    loss: (logits, { inputs, starts, ends, examples }) => ({
      losses: losses(logits, inputs.attentionMask, starts, ends),
      weights: cast(greaterEqual(examples, scalar(0, 'int32')), 'float32'),
      examples: maximum(examples, scalar(0, 'int32')),
    }),
    predict: (logits, items) => predictAll(logits, items, { ...o, unanswerable }),
    reference: ({ answers }) => ({ answer: answers.map(({ text }) => text) }),
  }
}

/**
 * Extractive question answering: the answer to a question is a part of its context. A linear layer on the last hidden states has two
 * outputs for each token, the logits of the start and of the end of the answer, trained with the mean of two cross-entropies. A long
 * context is split into overlapping windows, rows of the batch; a window without the answer is trained to point to its first token, which
 * also stands for no answer. The prediction is the best span over all windows. Parameters are named as in transformers'
 * `…ForQuestionAnswering`, whose loss this equals except that padding has no part in the softmax, so that it does not depend on the
 * padded length. DistilBERT's `qa_dropout` is not applied. Near neighbours: token-classification for several spans in a text;
 * sequence-to-sequence for answers that are not in the text.
 */
export const spanExtraction = definePlugin({
  kind: OBJECTIVE,
  name: 'span-extraction',
  summary: 'Span extraction: extractive question answering, as in SQuAD',
  source: 'Devlin et al., BERT, 2019, sections 4.2 and 4.3; Rajpurkar et al., SQuAD 2.0, 2018',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER },
  async fit(o, examples) {
    if (o.unanswerable !== undefined) return o
    let unanswerable = false
    for await (const example of examples())
      unanswerable ||= answersOf(example, o, textOf(example, o.context, 'context')).length === 0
    return { ...o, unanswerable }
  },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective span-extraction': typeof spanExtraction
  }
}

export default spanExtraction
