import {
  type Batch,
  type Encoded,
  type Encoding,
  type Example,
  type HostArray,
  type Losses,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  type OnDevice,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
} from '@attune/core'
import {
  type TextArrays,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  paddedLength,
  textArrays,
  textOf,
} from '@attune/data'
import { crossEntropy, headFor, meanPool } from '@attune/nn'
import {
  type Tensor,
  div,
  matMul,
  maximum,
  mul,
  ones,
  range,
  scalar,
  slice,
  sqrt,
  square,
  sum,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { sentenceFiles } from './sentence-files.js'

/** A pair of texts. */
interface Item extends Encoded {
  readonly text: Encoding
  readonly pair: Encoding
}

/** The inputs have the texts in their first rows and their partners in the following ones: `[2 · batch, length]`. */
interface PairBatch extends Batch {
  readonly inputs: TextArrays
}

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text' }).describe('Field that holds the text'),
  pair: z.string().default('pair').meta({ field: 'text' }).describe('Field that holds its partner'),
  pooling: z
    .enum(['mean', 'pooled'])
    .default('mean')
    .describe(
      "Text embedding: the mean of the last hidden states, or the input of the model's classification head (pooled)",
    ),
  scale: z.number().positive().max(1000).default(20).describe('Factor on the cosine similarities: 1 / temperature'),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
})

type Options = z.output<typeof options>

function collate(items: readonly Item[], pad: number, multiple: number, maximum: number): PairBatch {
  const texts = [...items.map(({ text }) => text), ...items.map(({ pair }) => pair)]
  const length = paddedLength(Math.max(...texts.map(({ ids }) => ids.length)), multiple, maximum)
  return {
    inputs: textArrays(
      texts.map(({ ids }) => ids),
      length,
      pad,
      texts.map(({ typeIds }) => typeIds),
    ),
  }
}

/** Rows normalized to length 1, `[rows, hidden]`; a row of zeros stays zero. */
const normalized = (vectors: Tensor): Tensor =>
  div(vectors, maximum(sqrt(sum(square(vectors), 1, true)), scalar(1e-12)))

/** Cross-entropy of each text's partner among all partners of the batch; `vectors` are `[2 · batch, hidden]`, of length 1. */
function loss(vectors: Tensor, scale: number): Losses {
  const [rows, hidden] = vectors.shape as [number, number]
  const count = rows / 2
  const [texts, pairs] = [slice(vectors, [0, 0], [count, hidden]), slice(vectors, [count, 0], [count, hidden])]
  const cosines = matMul(texts, pairs, false, true) // [batch, batch]
  return { losses: crossEntropy(mul(cosines, scale), range(0, count, 1, 'int32')), weights: ones([count]) }
}

/** Cosine similarity of row `i` and its partner. */
function similarity({ values, shape }: HostArray, i: number): number {
  const [rows, hidden] = shape as [number, number]
  const row = (at: number): number[] => [...values.subarray(at * hidden, (at + 1) * hidden)]
  const pair = row(i + rows / 2)
  return row(i).reduce((total, value, at) => total + value * pair[at]!, 0)
}

function create(
  o: Options,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<Item, PairBatch, Tensor> {
  const { architecture } = headFor(model, 'contrastive')
  const limits = lengthsFor(o, model)
  const { maximumLength } = limits
  const encode = (example: Example): Item => {
    const text = tokenizer.encode(textOf(example, o.text), limits)
    const pair = tokenizer.encode(textOf(example, o.pair, 'pair'), limits)
    const length = Math.max(text.ids.length, pair.ids.length)
    return { text, pair, length, truncated: text.truncated || pair.truncated }
  }
  return {
    views: ['similarity'],
    config: { architectures: [architecture] },
    maximumLength,
    // sentence-transformers has no module for the input of a classification head.
    ...(o.pooling === 'mean' ? { files: sentenceFiles(model.hiddenSize, maximumLength) } : {}),
    comparesExamples: true,
    init: () => ({}),
    encode,
    encodeUnlabelled: encode,
    collate: (items) => collate(items, tokenizer.special.pad ?? 0, o.padToMultipleOf, maximumLength),
    head: (_, outputs, _mode, { inputs }: OnDevice<PairBatch>) =>
      normalized(o.pooling === 'pooled' ? outputs.pooled : meanPool(outputs.lastHiddenState, inputs.attentionMask)),
    loss: (vectors) => loss(vectors, o.scale),
    predict: (vectors, items) => items.map((_, i) => ({ similarity: similarity(vectors, i) })),
    reference: () => ({ similarity: 1 }),
  }
}

/**
 * Contrastive learning of text embeddings: cross-entropy of each text's partner among those of the whole batch, with a softmax over
 * scaled cosine similarities (InfoNCE with in-batch negatives; "multiple negatives ranking" in sentence-transformers). Larger batches have
 * more negatives and train better embeddings. Two texts of a batch with the same meaning are still negatives.
 */
export const contrastive = definePlugin({
  kind: OBJECTIVE,
  name: 'contrastive',
  summary: 'Contrastive learning with in-batch negatives (InfoNCE): how sentence encoders are trained',
  source: 'van den Oord et al., Representation learning with contrastive predictive coding, 2018, equation 4',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective contrastive': typeof contrastive
  }
}

export default contrastive
