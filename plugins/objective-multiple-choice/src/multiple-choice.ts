import {
  type Batch,
  type Example,
  type HostArray,
  LOSS,
  type LossTerm,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  type Params,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
} from '@attune/core'
import {
  type RowsItem,
  type TextArrays,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  textOrName,
  textRows,
} from '@attune/data'
import { classifier, headFor, hostRow, hostSoftmax, lossOf, parameter, stopGradient } from '@attune/nn'
import { type Tensor, add, cast, less, mul, ones, reshape, scalar } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { choicesOf, rightChoice } from './choices-of.js'

/** A context with each of its choices, and the index of the right one, −1 if unknown. */
interface Item extends RowsItem {
  readonly names: readonly string[]
  readonly label: number
}

/** The choices of an example are consecutive rows. `examples` is int32 `[rows]`, −1 for padding; `labels` is int32 `[batch]`. */
interface ChoiceBatch extends Batch {
  readonly inputs: TextArrays
  readonly examples: HostArray
  readonly labels: HostArray
}

const field = z.string().min(1)

const options = z.strictObject({
  context: field.default('context').meta({ field: 'text' }).describe('Field that holds the context or question'),
  prefix: field
    .optional()
    .meta({ field: 'text' })
    .describe('Field that holds the start of every choice, as `sent2` in SWAG. Default: none'),
  choices: z
    .union([field, z.array(field).min(2)])
    .default('choices')
    .meta({ field: 'words' })
    .describe(
      'Field that holds the list of choices, or `{ text, label }` as in ARC; or the list of fields that hold one each',
    ),
  label: field
    .default('label')
    .meta({ field: 'label' })
    .describe('Field that holds the right choice: its label as in ARC, otherwise its index from 0'),
  maximumLength: maximumTokens(3, 'a context with a choice'),
  ...lengthOptions,
})

type Options = z.output<typeof options>

/** Encodes the context of an example with each of its choices. */
function encoder(o: Options, tokenizer: Tokenizer, limits: ReturnType<typeof lengthsFor>) {
  return (example: Example, labelIn: (names: readonly string[]) => number): Item => {
    const { texts, names } = choicesOf(example, o.choices)
    const context = textOrName(example, o.context, 'context')
    const start = o.prefix === undefined ? '' : `${textOrName(example, o.prefix, 'prefix')} `
    const rows = texts.map((text) => tokenizer.encode(context, { ...limits, pair: start + text }))
    return {
      rows,
      names,
      label: labelIn(names),
      length: Math.max(...rows.map(({ ids }) => ids.length)),
      truncated: rows.some(({ truncated }) => truncated),
    }
  }
}

function collate(items: readonly Item[], pad: number, multiple: number, maximumLength: number): ChoiceBatch {
  const labels = Int32Array.from(items, ({ label }) => label)
  return {
    ...textRows(items, { pad, padToMultipleOf: multiple, maximumLength, layout: 'equal' }),
    labels: { shape: [items.length], dtype: 'int32', values: labels },
  }
}

const named = (names: readonly string[], score: (choice: number) => number): Record<string, number> =>
  Object.fromEntries(names.map((name, choice) => [name, score(choice)]))

/**
 * Parameters whose bias of the head has no gradient: it is added to all logits of a softmax, so that its gradient is 0, of which rounding would
 * leave a remainder that Adam enlarges.
 */
function withConstantBias(model: Model, params: Params): Params {
  const name = headFor(model, 'multiple-choice').tensors['classifier.bias']!
  return { ...params, [name]: stopGradient(parameter(params, name)) }
}

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<Item, ChoiceBatch, Tensor> {
  const head = classifier(model, 'multiple-choice', 1)
  const ofRows = lossOf(losses, 'labels')
  const limits = lengthsFor(o, model)
  const encode = encoder(o, tokenizer, limits)
  return {
    views: ['label', 'scores'],
    config: { architectures: [head.architecture] },
    maximumLength: limits.maximumLength,
    init: head.init,
    encode: (example) => encode(example, (names) => rightChoice(example, o.label, names)),
    encodeUnlabelled: (example) => encode(example, () => -1),
    collate: (items) => collate(items, tokenizer.special.pad ?? 0, o.padToMultipleOf, limits.maximumLength),
    head(params, { pooled }, mode, { labels, examples }) {
      const padding = mul(cast(less(examples, scalar(0, 'int32')), 'float32'), -1e30)
      const logits = add(reshape(head.forward(withConstantBias(model, params), pooled, mode), [-1]), padding)
      return reshape(logits, [labels.shape[0] as number, -1])
    },
    loss: (logits, { labels }) => ({ losses: ofRows(logits, labels), weights: ones([labels.shape[0] as number]) }),
    predict: (logits, items) =>
      items.map(({ names }, i) => {
        const scores = hostSoftmax(hostRow(logits, i, names.length))
        return { label: names[scores.indexOf(Math.max(...scores))]!, scores: named(names, (j) => scores[j]!) }
      }),
    reference: ({ names, label }) => ({
      label: names[label] ?? '',
      scores: named(names, (i) => (i === label ? 1 : 0)),
    }),
  }
}

/**
 * Multiple choice: which one of several answers or endings fits a context. The model reads the context with each choice, in rows of
 * their own; dropout and a linear layer with one output on the pooled output give the logit of a choice, and the softmax is over the
 * choices of an example, whose number may differ. Parameters are named as in transformers' `…ForMultipleChoice`. Near neighbours:
 * sequence-classification, whose labels are the same for all texts; span-extraction, whose answers are in the context.
 */
export const multipleChoice = definePlugin({
  kind: OBJECTIVE,
  name: 'multiple-choice',
  summary: 'Multiple choice: the right one of several answers or endings',
  source: 'Devlin et al., BERT, 2019, section 4.4 (SWAG)',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective multiple-choice': typeof multipleChoice
  }
}

export default multipleChoice
