import {
  type Tensor,
  add,
  div,
  eye,
  matMul,
  maximum,
  mul,
  range,
  relu,
  reshape,
  slice,
  sqrt,
  square,
  sub,
  transpose,
} from '@tensorflow/tfjs-core'
import { crossEntropy } from './cross-entropy.js'
import { maximumOfRows, rowSums } from './per-class.js'

/** Minimum squared length, which keeps the gradient of the length of a zero vector finite. */
const TINY = 1e-16

/** Added to the loss of a pair to exclude it. */
const EXCLUDED = 1e30

const lengthOf = (x: Tensor): Tensor => sqrt(maximum(rowSums(square(x)), TINY))

const units = (x: Tensor): Tensor => div(x, reshape(lengthOf(x), [-1, 1]))

/**
 * Cosine distance of each row, `1 − o · t / (‖o‖ · ‖t‖)`, from vectors `[rows, width]` and their target vectors of the same
 * shape; the result is `[rows]`, in [0, 2]. Vectors of length 0 have distance 1 and gradient 0. As
 * torch.nn.functional.cosine_embedding_loss for pairs that belong together.
 */
export const cosineDistance = (outputs: Tensor, targets: Tensor): Tensor =>
  sub(1, rowSums(mul(units(outputs), units(targets))))

/** Options of {@link tripletLoss}. */
export interface TripletOptions {
  /** Minimum difference of the distances, > 0. */
  readonly margin: number | Tensor
  readonly distance: 'euclidean' | 'cosine'
  /** The negatives of an anchor: the one with the maximum loss, or the mean over all of them. */
  readonly negatives: 'hardest' | 'all'
}

/** Distances of every row of `a` from every row of `b`, `[rows, rows]`. */
function distances(a: Tensor, b: Tensor, distance: TripletOptions['distance']): Tensor {
  if (distance === 'cosine') return sub(1, matMul(units(a), units(b), false, true))
  const [ofA, ofB] = [reshape(rowSums(square(a)), [-1, 1]), reshape(rowSums(square(b)), [1, -1])]
  return sqrt(maximum(sub(add(ofA, ofB), mul(matMul(a, b, false, true), 2)), TINY))
}

/**
 * Triplet loss with in-batch negatives, `max(0, margin + d(a_i, p_i) − d(a_i, p_j))` over the positives p_j of the other
 * rows, from `anchors` and `positives`, both `[rows, width]`; the result is `[rows]`, and 0 for a single row, which has no
 * negatives. As torch.nn.functional.triplet_margin_loss for each triplet, with `eps=0`.
 * Source: Schroff et al., FaceNet, 2015, equation 3; hardest negatives: Hermans et al., In Defense of the Triplet Loss for
 * Person Re-Identification, 2017, equation 5.
 */
export function tripletLoss(anchors: Tensor, positives: Tensor, options: TripletOptions): Tensor {
  const { margin, distance, negatives } = options
  const rows = anchors.shape[0] as number
  if (rows < 2) return rowSums(mul(anchors, 0))
  const own = distance === 'cosine' ? cosineDistance(anchors, positives) : lengthOf(sub(anchors, positives))
  const excess = add(sub(reshape(own, [-1, 1]), distances(anchors, positives, distance)), margin) // [rows, rows]
  const isOwn = eye(rows)
  if (negatives === 'all') return div(rowSums(mul(relu(excess), sub(1, isOwn))), rows - 1)
  const hardest = maximumOfRows(sub(excess, mul(isOwn, EXCLUDED)))
  return relu(rowSums(mul(hardest, excess)))
}

/** Options of {@link infoNce}. */
export interface InfoNceOptions {
  /** Factor on the similarities, 1 / temperature, > 0. */
  readonly scale: number | Tensor
  /** True for the mean of both directions: each query among all keys, and each key among all queries. Default: false. */
  readonly symmetric?: boolean
}

/**
 * InfoNCE with in-batch negatives: cross-entropy of the key of each query among the keys of all rows, with a softmax over
 * `scale · query · key`. `queries` are `[rows, width]` and `keys` `[n, width]`, usually of length 1, so that the products are cosines. The
 * first keys are those of the queries, in the same order; further ones are hard negatives of all queries. The result is `[rows]`, in nats.
 * Known as multiple negatives ranking loss; symmetric: the loss of CLIP, in which hard negatives count in the first direction only.
 * Source: van den Oord et al., Representation Learning with Contrastive Predictive Coding, 2018, equation 4; in-batch
 * negatives: Henderson et al., Efficient Natural Language Response Suggestion for Smart Reply, 2017, section 4; hard negatives: Gao, Yao
 * and Chen, SimCSE, 2021, equation 5.
 */
export function infoNce(queries: Tensor, keys: Tensor, { scale, symmetric = false }: InfoNceOptions): Tensor {
  const logits = mul(matMul(queries, keys, false, true), scale) // [rows, n]
  const rows = queries.shape[0] as number
  const labels = range(0, rows, 1, 'int32')
  const forward = crossEntropy(logits, labels)
  if (!symmetric) return forward
  return mul(add(forward, crossEntropy(transpose(slice(logits, [0, 0], [rows, rows])), labels)), 0.5)
}
