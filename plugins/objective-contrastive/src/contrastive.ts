import {
  AttuneError,
  type Batch,
  type Encoded,
  type Encoding,
  type Example,
  type HostArray,
  LOSS,
  type LossTerm,
  type Losses,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  type OnDevice,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
  scheduled,
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
import {
  type SentenceModel,
  headFor,
  infoNce,
  lossOf,
  type RowLosses,
  sentenceEncoder,
  sentenceFiles,
  sentenceModel,
  sentenceOptions,
  embeddingSimilarity,
  unitRows,
} from '@attune/nn'
import { type Tensor, ones, slice, zeros } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** A text with its partner and its hard negative, if it has them. */
interface Item extends Encoded {
  readonly text: Encoding
  readonly pair: Encoding | undefined
  readonly negative: Encoding | undefined
}

/**
 * The inputs have the texts in their first rows and their partners in the following ones: `[2 · batch, length]`. Without any partner they
 * have only the texts, and `unpaired`, int32 `[batch]`. With hard negatives, these are in the last rows, and `parts`, int32 `[3 · batch]`,
 * is 0 for texts, 1 for partners and 2 for negatives.
 */
interface PairBatch extends Batch {
  readonly inputs: TextArrays
  readonly unpaired?: HostArray
  readonly parts?: HostArray
}

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text' }).describe('Field that holds the text'),
  pair: z.string().default('pair').meta({ field: 'text' }).describe('Field that holds its partner'),
  negative: z
    .string()
    .optional()
    .meta({ field: 'text' })
    .describe(
      'Field that holds a hard negative: a similar text that is not a partner. Default: only the partners of the other texts',
    ),
  pooling: sentenceOptions.pooling,
  normalize: sentenceOptions.normalize,
  scale: scheduled(z.number().positive().max(1000).default(20)).describe(
    'Factor on the cosine similarities, 1 / temperature; not used if another `loss` is configured',
  ),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
  sentenceTransformers: sentenceOptions.sentenceTransformers,
})

type Options = z.output<typeof options>

function collate(items: readonly Item[], pad: number, multiple: number, maximum: number): PairBatch {
  const isPaired = items.some(({ pair }) => pair !== undefined)
  const negatives = items.flatMap(({ negative }) => negative ?? [])
  const hasNegatives = isPaired && negatives.length === items.length
  const pairs = isPaired ? items.map(({ text, pair = text }) => pair) : []
  const texts = [...items.map(({ text }) => text), ...pairs, ...(hasNegatives ? negatives : [])]
  const length = paddedLength(Math.max(...texts.map(({ ids }) => ids.length)), multiple, maximum)
  const inputs = textArrays(
    texts.map(({ ids }) => ids),
    length,
    pad,
    texts.map(({ typeIds }) => typeIds),
  )
  const parts = Int32Array.from(texts, (_, i) => Math.floor(i / items.length))
  if (hasNegatives) return { inputs, parts: { dtype: 'int32', shape: [texts.length], values: parts } }
  if (isPaired) return { inputs }
  return { inputs, unpaired: { dtype: 'int32', shape: [items.length], values: new Int32Array(items.length).fill(1) } }
}

/** Losses of texts and their partners, which are followed by the hard negatives; `vectors` are `[parts · batch, width]`. */
function loss(vectors: Tensor, ofRows: RowLosses, parts: 2 | 3): Losses {
  const [rows, width] = vectors.shape as [number, number]
  const count = rows / parts
  const [texts, pairs] = [slice(vectors, [0, 0], [count, width]), slice(vectors, [count, 0], [rows - count, width])]
  return { losses: ofRows(texts, pairs), weights: ones([count]) }
}

/** Embedding of each text, and its similarity to its partner if it has one. */
function predict({ values, shape }: HostArray, items: readonly Item[], { similarity: by, dimension }: SentenceModel) {
  const width = shape[1]!
  const row = (i: number): number[] => [...values.subarray(i * width, i * width + Math.min(width, dimension ?? width))]
  return items.map(({ pair }, i) => {
    const embedding = row(i)
    if (pair === undefined) return { embedding }
    return { similarity: embeddingSimilarity[by](embedding, row(i + items.length)), embedding }
  })
}

/** Error for a configured loss, which compares each text with its partner only. */
const noNegatives = (): AttuneError =>
  new AttuneError(
    'LOSS_MISMATCH',
    'objective contrastive: expected its own loss with `negative`, got another loss, which has no hard negatives',
    'Remove `loss` from the configuration, or `negative` from the objective.',
  )

/** Encodes the text of an example, and its partner and its hard negative if it must have them. */
const encoder =
  (o: Options, encode: (text: string) => Encoding) =>
  (example: Example, isPaired: boolean, hasNegative: boolean): Item => {
    const text = encode(textOf(example, o.text))
    const pair = isPaired ? encode(textOf(example, o.pair, 'pair')) : undefined
    const negative = hasNegative ? encode(textOf(example, o.negative!, 'negative')) : undefined
    const all = [text, pair, negative].flatMap((each) => each ?? [])
    const length = Math.max(...all.map(({ ids }) => ids.length))
    return { text, pair, negative, length, truncated: all.some(({ truncated }) => truncated) }
  }

function create(
  o: Options,
  { model, tokenizer, losses = [] }: { model: Model; tokenizer: Tokenizer; losses?: readonly LossTerm[] },
): Objective<Item, PairBatch, Tensor> {
  const { architecture } = headFor(model, 'contrastive')
  const sentence = sentenceModel(o.sentenceTransformers, o, model)
  const limits = lengthsFor({ ...o, maximumLength: o.maximumLength ?? sentence.maximumLength }, model)
  const { maximumLength } = limits
  const texts = sentenceEncoder(sentence, model, tokenizer, limits)
  const encode = encoder(o, texts.encode)
  const files = sentenceFiles(sentence, maximumLength)
  const unit = sentence.modules.at(-1)?.type === 'Normalize' ? (vectors: Tensor) => vectors : unitRows
  if (o.negative !== undefined && losses.length > 0) throw noNegatives()
  const ofRows = lossOf(losses, ['pairs', 'vectors'], (left, right) => infoNce(unit(left), unit(right), o))
  return {
    views: ['similarity'],
    config: { architectures: [architecture] },
    maximumLength,
    ...(files === undefined ? {} : { files }),
    comparesExamples: true,
    init: texts.init,
    encode: (example) => encode(example, true, o.negative !== undefined),
    encodeUnlabelled: (example) => encode(example, Object.hasOwn(example, o.pair) && example[o.pair] != null, false),
    collate: (items) => collate(items, tokenizer.special.pad ?? 0, o.padToMultipleOf, maximumLength),
    head: (params, outputs, _mode, { inputs }: OnDevice<PairBatch>) =>
      texts.vectors(params, outputs, inputs.attentionMask),
    loss(vectors, { unpaired, parts }) {
      if (unpaired !== undefined) return { losses: zeros([vectors.shape[0]!]), weights: zeros([vectors.shape[0]!]) }
      return loss(vectors, ofRows, parts === undefined ? 2 : 3)
    },
    predict: (vectors, items) => predict(vectors, items, sentence),
    reference: () => ({ similarity: 1 }),
  }
}

/**
 * Contrastive learning of text embeddings: cross-entropy of each text's partner among those of the whole batch, with a softmax over
 * scaled cosine similarities (InfoNCE with in-batch negatives; "multiple negatives ranking" in sentence-transformers). Larger batches have
 * more negatives and train better embeddings. Two texts of a batch with the same meaning are still negatives. Another loss of pairs or
 * vectors may replace it.
 *
 * With hard negatives, each text must also be distinguished from those of the whole batch (supervised SimCSE). With the same field for `text`
 * and `pair`, a text is its own partner, under another dropout mask (unsupervised SimCSE); this needs a model with dropout.
 */
export const contrastive = definePlugin({
  kind: OBJECTIVE,
  name: 'contrastive',
  summary: 'Contrastive learning with in-batch negatives (InfoNCE): how sentence encoders are trained',
  source:
    'van den Oord et al., Representation learning with contrastive predictive coding, 2018, equation 4; Gao, Yao and Chen, SimCSE, 2021, equations 4 and 5',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective contrastive': typeof contrastive
  }
}

export default contrastive
