import {
  AttuneError,
  type Batch,
  type DataPass,
  type Encoded,
  type EncoderOutputs,
  type Example,
  type HostArray,
  type Key,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  type Params,
  type PassAt,
  TOKENIZER,
  type TextInputs,
  type Tokenizer,
  type Tree,
  definePlugin,
  key,
  stream,
} from '@attune/core'
import { type TextArrays, lengthOptions, lengthsFor, maximumTokens, paddedTexts, textOf } from '@attune/data'
import {
  headFor,
  normal,
  parameter,
  sampleVectors,
  sentenceEncoder,
  sentenceFiles,
  sentenceModel,
  sentenceOptions,
  stopGradient,
} from '@attune/nn'
import {
  type Tensor,
  add,
  argMin,
  cast,
  div,
  expandDims,
  log,
  min,
  mul,
  oneHot,
  ones,
  reciprocal,
  square,
  sub,
  sum,
  tensor2d,
  zeros,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { kMeans } from './k-means.js'

/** Token ids of a text, and its class, if it has one. */
interface Item extends Encoded {
  readonly ids: readonly number[]
  readonly typeIds: readonly number[]
  readonly label: string | undefined
}

interface TextBatch extends Batch {
  readonly inputs: TextArrays
}

/** Squared distances of the vectors of texts to the centres, `[batch, clusters]`. */
interface Outputs extends Record<string, Tree> {
  readonly distances: Tensor
}

/** Parameter of the cluster centres, `[clusters, width]`. */
const CENTRES = 'clusters.centres'

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text' }).describe('Field that holds the text'),
  label: z
    .string()
    .optional()
    .meta({ field: 'label' })
    .describe('Field that holds a class, with which metrics compare clusters; never trained on. Default: none'),
  clusters: z.int().min(2).max(10_000).describe('Number of clusters'),
  sample: z
    .int()
    .min(2)
    .max(1_000_000)
    .default(4096)
    .describe('Maximum number of training texts from which k-means computes the initial centres, chosen at random'),
  pooling: sentenceOptions.pooling,
  normalize: sentenceOptions.normalize.describe(
    'Normalize embeddings to length 1. Default: as the saved model, otherwise false',
  ),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
  sentenceTransformers: sentenceOptions.sentenceTransformers,
})

type Options = z.output<typeof options>

/** Squared Euclidean distances, `[rows, width]` and `[clusters, width]` to `[rows, clusters]`. */
const squaredDistances = (vectors: Tensor, centres: Tensor): Tensor =>
  sum(square(sub(expandDims(vectors, 1), expandDims(centres, 0))), 2)

const rowsToOne = (x: Tensor): Tensor => div(x, sum(x, 1, true))

/** Soft assignment by Student's t kernel with one degree of freedom, `1 / (1 + distance²)`, in rows of sum 1. Equation 1. */
const assignment = (distances: Tensor): Tensor => rowsToOne(reciprocal(add(distances, 1)))

/**
 * Per-text divergence KL(target ‖ assignment). The target sharpens the assignment `q` and evens out the sizes of the clusters: `q² / frequency`, in
 * rows of sum 1; it is constant in the gradient. Equations 2 and 3.
 */
function divergence(distances: Tensor, frequencies: Tensor): Tensor {
  const q = assignment(distances)
  const p = stopGradient(rowsToOne(div(square(q), frequencies)))
  return sum(mul(p, sub(log(p), log(q))), 1)
}

/** Initial centres by k-means on a sample of the training texts. @throws AttuneError `BAD_OPTIONS` */
async function initialCentres(o: Options, pass: DataPass, width: number, vectorsOf: (at: PassAt) => Tensor) {
  const points = await sampleVectors(pass, { count: o.sample, width, seed: 1 }, vectorsOf)
  if (points.length >= o.clusters) return kMeans(points, o.clusters, stream(key(1))).centres
  throw new AttuneError(
    'BAD_OPTIONS',
    `objective deep-clustering: expected at least ${o.clusters} texts for as many clusters, got ${points.length}`,
    'Set fewer `clusters`, or a greater `sample`.',
  )
}

/** Fraction of the texts from which one cluster holds nearly all. */
const NEARLY_ALL = 0.95

/** Warns if fewer than two clusters have texts, or one has nearly all. */
function warnOfCollapse({ warn }: DataPass, sizes: readonly number[], epoch: number): void {
  const texts = sizes.reduce((sum, size) => sum + size, 0)
  const [largest, occupied] = [Math.max(...sizes), sizes.filter((size) => size > 0).length]
  if (occupied > 1 && largest < NEARLY_ALL * texts) return
  warn?.(
    `clusters collapsed before epoch ${epoch + 1}: one has ${largest} of ${texts} texts, and ${occupied} of ${sizes.length} have any; start from a trained encoder, lower training.learningRate, or set fewer clusters`,
  )
}

/** Soft sizes of the clusters and numbers of their texts, both `[clusters]`, and new centres, if they are not the trained ones. */
interface Sizes extends Record<string, Tree> {
  readonly frequencies: Tensor
  readonly texts: Tensor
  readonly centres?: Tensor
}

/**
 * Centres, as parameters that replace the trained ones, and the soft sizes of the clusters over all training texts. The centres are those of
 * k-means before the first epoch, then the trained ones.
 */
async function prepareEpoch(
  o: Options,
  pass: DataPass,
  width: number,
  { epoch, isFirst }: { readonly epoch: number; readonly isFirst: boolean },
  vectorsOf: (at: PassAt) => Tensor,
): Promise<Tree> {
  const initial = isFirst ? await initialCentres(o, pass, width, vectorsOf) : undefined
  const { centres, frequencies, texts } = await pass.fold<Sizes>(
    () => ({
      frequencies: zeros([o.clusters]),
      texts: zeros([o.clusters]),
      ...(initial === undefined ? {} : { centres: tensor2d(initial.map((row) => [...row])) }),
    }),
    (state, at) => {
      const distances = squaredDistances(vectorsOf(at), state.centres ?? parameter(at.params, CENTRES))
      const nearest = cast(oneHot(argMin(distances, 1), o.clusters), 'float32')
      return {
        ...state,
        frequencies: add(state.frequencies, sum(assignment(distances), 0)),
        texts: add(state.texts, sum(nearest, 0)),
      }
    },
  )
  warnOfCollapse(pass, Array.from((await pass.read({ texts })).texts.values, Number), epoch)
  pass.release({ texts })
  return { frequencies, ...(centres === undefined ? {} : { params: { [CENTRES]: centres } }) }
}

/** The nearest cluster of each text, and the soft assignment to all of them. */
function predict({ distances: { values, shape } }: { readonly distances: HostArray }, items: readonly Item[]) {
  const clusters = shape[1]!
  return items.map((_, i) => {
    const weights = Array.from(values.subarray(i * clusters, (i + 1) * clusters), (each) => 1 / (1 + Number(each)))
    const total = weights.reduce((all, each) => all + each, 0)
    return {
      cluster: String(weights.indexOf(Math.max(...weights))),
      scores: Object.fromEntries(weights.map((weight, cluster) => [cluster, weight / total])),
    }
  })
}

/** The encoder with the settings of the saved model, or by default with mean pooling only. */
function encoderOf(o: Options, model: Model, tokenizer: Tokenizer) {
  const saved = o.sentenceTransformers
  const { normalize = saved === undefined ? false : undefined } = o
  const sentence = sentenceModel(saved, { pooling: o.pooling, normalize }, model)
  const limits = lengthsFor({ ...o, maximumLength: o.maximumLength ?? sentence.maximumLength }, model)
  const { maximumLength } = limits
  const files = sentenceFiles(sentence, maximumLength)
  return { encoder: sentenceEncoder(sentence, model, tokenizer, limits), files, maximumLength }
}

function create(
  o: Options,
  { model, tokenizer }: { model: Model; tokenizer: Tokenizer },
): Objective<Item, TextBatch, Outputs> {
  const { architecture } = headFor(model, 'contrastive')
  const { encoder, files, maximumLength } = encoderOf(o, model, tokenizer)
  const encode = (example: Example, label: string | undefined): Item => {
    const { ids, typeIds, truncated } = encoder.encode(textOf(example, o.text))
    return { ids, typeIds, truncated, length: ids.length, label }
  }
  const distancesOf = (params: Params, outputs: EncoderOutputs, { attentionMask }: TextInputs): Outputs => ({
    distances: squaredDistances(encoder.vectors(params, outputs, attentionMask), parameter(params, CENTRES)),
  })
  return {
    views: ['cluster'],
    config: { architectures: [architecture] },
    ...(files === undefined ? {} : { files }),
    maximumLength,
    init: (from: Key): Params => ({ ...encoder.init(from), [CENTRES]: normal(from, [o.clusters, encoder.width], 1) }),
    encode: (example) => encode(example, o.label === undefined ? undefined : textOf(example, o.label, 'label')),
    encodeUnlabelled: (example) => encode(example, undefined),
    collate: (items) => ({ inputs: paddedTexts(items, tokenizer.special.pad ?? 0, o.padToMultipleOf, maximumLength) }),
    head: (params, outputs, _mode, { inputs }) => distancesOf(params, outputs, inputs),
    loss: ({ distances }) => ({ losses: min(distances, 1), weights: ones([distances.shape[0]!]) }),
    trainingLoss({ params, hyper, forward }, { inputs }) {
      const { distances } = distancesOf(params, forward(inputs), inputs)
      const { frequencies } = hyper.memory as { readonly frequencies: Tensor }
      return { losses: divergence(distances, frequencies), weights: ones([distances.shape[0]!]) }
    },
    beforeEpoch: (pass, epoch, memory) =>
      prepareEpoch(o, pass, encoder.width, { epoch, isFirst: memory === undefined }, ({ params, outputs, batch }) =>
        encoder.vectors(params, outputs(), (batch.inputs as TextInputs).attentionMask),
      ),
    predict,
    reference: ({ label = '' }) => ({ cluster: label }),
  }
}

/**
 * Deep embedded clustering (DEC): k-means on the vectors of the texts initializes cluster centres; then encoder and centres are trained together.
 * Each text is softly assigned to the clusters by Student's t kernel, and the loss is the divergence of this assignment from a sharpened
 * one, which moves texts towards clusters that they already belong to.
 *
 * Differs from the paper: the target of a batch is computed at each step, with the sizes of the clusters at the beginning of the epoch; and the
 * encoder is pretrained otherwise, not as a stacked autoencoder.
 */
export const deepClustering = definePlugin({
  kind: OBJECTIVE,
  name: 'deep-clustering',
  summary: 'Deep embedded clustering (DEC): trains an encoder and cluster centres together',
  source:
    'Xie, Girshick and Farhadi, Unsupervised Deep Embedding for Clustering Analysis, 2016, section 3.1, equations 1 to 3',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective deep-clustering': typeof deepClustering
  }
}

export { kMeans } from './k-means.js'
export default deepClustering
