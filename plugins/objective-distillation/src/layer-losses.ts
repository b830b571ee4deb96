import { AttuneError, type DeviceInputs, type EncoderOutputs, type Losses, type Params } from '@attune/core'
import { attentionTransfer, cosineDistance, squaredError } from '@attune/nn'
import { type Tensor, cast, div, matMul, mul, reshape, tensor2d } from '@tensorflow/tfjs-core'

/** Layers to compare: the last ones, evenly spaced ones, or pairs of a student and a teacher layer. */
type Layers = 'last' | 'all' | readonly (readonly [number, number])[]

/** Options of the losses of layers; see the options of the plugin. */
export interface LayerOptions {
  readonly hiddenWeight: number | Tensor
  readonly hiddenLoss: 'cosine' | 'squared-error'
  readonly hiddenLayers: Layers
  readonly projection?: number | readonly (readonly number[])[] | undefined
  readonly attentionWeight: number | Tensor
  readonly attentionLayers: Layers
}

type ByLayer = Readonly<Record<string, Tensor>>
/** Outputs of the student and of the teacher at one layer. */
type Pair = readonly [Tensor, Tensor]

/** Name of the learned projection, `[teacher, student]`. */
export const PROJECTION = 'distillation.projection.weight'

/** Error for a student, a teacher and a task that do not fit together. */
export const mismatch = (problem: string, remedy: string): AttuneError =>
  new AttuneError('DISTILLATION_MISMATCH', `objective distillation: ${problem}`, remedy)

/** Pairs of layers to compare; `first` is the index of the first layer: 1 in hidden states, where 0 is the embeddings. */
function pairsOf(layers: Layers, student: ByLayer, teacher: ByLayer, first: 0 | 1): readonly Pair[] {
  const [own, others] = [Object.keys(student).length - first, Object.keys(teacher).length - first]
  const spread = (i: number) => [i - 1 + first, Math.round((i * others) / own) - 1 + first] as const
  const evenly = () => Array.from({ length: own }, (_, i) => spread(i + 1))
  const pairs = layers === 'last' ? [spread(own)] : layers === 'all' ? evenly() : layers
  const absent = pairs.find(([a, b]) => student[a] === undefined || teacher[b] === undefined)
  if (absent === undefined) return pairs.map(([a, b]) => [student[a]!, teacher[b]!] as const)
  throw mismatch(
    `expected layers up to ${own - 1 + first} of the student and up to ${others - 1 + first} of the teacher, got the pair [${absent.join(', ')}]`,
    'Correct the pairs of layers.',
  )
}

/** Rows of the student's hidden states in the space of the teacher's. */
function projected(x: Tensor, wanted: number, projection: LayerOptions['projection'], params: Params): Tensor {
  const width = x.shape.at(-1)!
  const rows = reshape(x, [-1, width])
  const matrix = typeof projection === 'object' ? tensor2d(projection as number[][]) : params[PROJECTION]
  const [to, from] = matrix === undefined ? [width, width] : (matrix.shape as [number, number])
  if (to === wanted && from === width) return matrix === undefined ? rows : matMul(rows, matrix, false, true)
  throw mismatch(
    `expected ${matrix === undefined ? 'hidden states of one size' : `a projection [${wanted}, ${width}]`}, got ${matrix === undefined ? `${width} of the student and ${wanted} of the teacher` : `[${to}, ${from}]`}`,
    `Set \`projection: ${wanted}\`.`,
  )
}

/** Loss of each token of a pair of hidden states, `[batch, length]`. */
function hiddenLoss([x, y]: Pair, { hiddenLoss: by, projection }: LayerOptions, params: Params): Tensor {
  const width = y.shape.at(-1)!
  const rows = projected(x, width, projection, params)
  const lossOf = by === 'cosine' ? cosineDistance : squaredError
  return reshape(lossOf(rows, reshape(y, [-1, width])), x.shape.slice(0, -1))
}

/** Loss of each token of a pair of attention weights, `[batch, queries]`. */
function attentionLoss([x, y]: Pair): Tensor {
  if (x.shape[1] === y.shape[1]) return attentionTransfer(x, y)
  throw mismatch(
    `expected as many attention heads in the student as in the teacher, got ${x.shape[1]} and ${y.shape[1]}`,
    'Set `attentionWeight: 0`.',
  )
}

/** Outputs of a layer stack by layer. */
function layersOf(outputs: EncoderOutputs, what: 'hiddenStates' | 'attentions', who: string): ByLayer {
  const found = outputs[what] ?? {}
  if (Object.keys(found).length > 0) return found
  throw mismatch(`expected a ${who} that returns ${what}`, 'Use a transformer, or set the weight of this loss to 0.')
}

/**
 * Losses of hidden states and attention weights of a student, by pair of layers, each with the attention mask as weights. Their means add up
 * to the mean over the pairs, times the weight of the loss.
 * @throws AttuneError `DISTILLATION_MISMATCH` for sizes, layers or heads that do not fit
 */
export function layerLosses(
  o: LayerOptions,
  { params, inputs }: { readonly params: Params; readonly inputs: DeviceInputs },
  student: EncoderOutputs,
  teacher: EncoderOutputs,
): Record<string, Losses> {
  const weights = cast((inputs['decoderAttentionMask'] ?? inputs['attentionMask']) as Tensor, 'float32')
  const pairs = (what: 'hiddenStates' | 'attentions', layers: Layers, first: 0 | 1): readonly Pair[] =>
    pairsOf(layers, layersOf(student, what, 'student'), layersOf(teacher, what, 'teacher'), first)
  const named = (name: string, factor: number | Tensor, losses: readonly Tensor[]) =>
    losses.map((each, i) => [`${name}${i}`, { losses: mul(each, div(factor, losses.length)), weights }] as const)
  const hidden = o.hiddenWeight === 0 ? [] : pairs('hiddenStates', o.hiddenLayers, 1)
  const attention = o.attentionWeight === 0 ? [] : pairs('attentions', o.attentionLayers, 0)
  return Object.fromEntries([
    ...named(
      'hidden',
      o.hiddenWeight,
      hidden.map((pair) => hiddenLoss(pair, o, params)),
    ),
    ...named('attention', o.attentionWeight, attention.map(attentionLoss)),
  ])
}
