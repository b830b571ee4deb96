import {
  AttuneError,
  type HostArray,
  type Key,
  type Losses,
  type LossTerm,
  type Mode,
  type Model,
  type OnHost,
  type Params,
  type Tree,
  deriveKey,
} from '@attune/core'
import { type TagScheme, tagTransitions } from '@attune/data'
import {
  type CrfScores,
  type HostCrfScores,
  classifier,
  crfLosses,
  crfMarginals,
  lossOf,
  parameter,
  uniform,
  viterbi,
} from '@attune/nn'
import { type Tensor, add, div, maximum, reshape, sum, tensor } from '@tensorflow/tfjs-core'

/** Tags and probabilities of the words of a text: of each word, the index of its tag and the probabilities of all tags. */
export interface Decoded {
  readonly tags: readonly number[]
  readonly probabilities: readonly (readonly number[])[]
}

/** The head: from hidden states to tags. `H` is its output on the device. */
export interface TagHead<H extends Tree> {
  readonly architecture: string
  init(key: Key): Params
  forward(params: Params, states: Tensor, mode: Mode): H
  losses(head: H, targets: Tensor, weights: Tensor): Losses
  /** Logits `[batch, length, tags]` of the output. */
  logits(head: OnHost<H>): HostArray
  /** Tags of the words whose first tokens have these logits. */
  decode(head: OnHost<H>, logits: readonly Float32Array[]): Decoded
}

/** Probabilities of logits. */
export function softmax(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits)
  const top = Math.max(...values)
  const terms = values.map((value) => Math.exp(value - top))
  const total = terms.reduce((all, term) => all + term, 0)
  return terms.map((term) => term / total)
}

/** Dropout and a linear layer; each word is tagged by itself. */
export function softmaxHead(model: Model, tags: number, losses: readonly LossTerm[]): TagHead<Tensor> {
  const layer = classifier(model, 'token-classification', tags)
  const ofRows = lossOf(losses, 'labels')
  return {
    ...layer,
    losses(logits, targets, weights) {
      const rows = ofRows(reshape(logits, [-1, tags]), reshape(targets, [-1]))
      return { losses: reshape(rows, targets.shape), weights }
    },
    logits: (head) => head,
    decode: (_head, logits) => ({
      tags: logits.map((row) => row.indexOf(Math.max(...row))),
      probabilities: logits.map(softmax),
    }),
  }
}

/** Output of the head with a CRF: the logits, and the scores of transitions. */
export interface CrfOutputs extends CrfScores {
  readonly logits: Tensor
}

/** Added to the score of a transition that the scheme does not allow: its probability is 0 in float32. */
const FORBIDDEN = -1e4

/** Terms added to the scores of transitions: 0, or {@link FORBIDDEN} where the scheme does not allow them. */
function constraintsOf(labels: readonly string[], scheme: TagScheme | undefined) {
  if (scheme === undefined) return (_part: keyof CrfScores, scores: Tensor): Tensor => scores
  const { start, end, next } = tagTransitions(labels, scheme)
  const allowed = { start, end, transitions: next.flat() } as const
  return (part: 'start' | 'end' | 'transitions', scores: Tensor): Tensor =>
    add(
      scores,
      tensor(
        allowed[part].map((is) => (is ? 0 : FORBIDDEN)),
        scores.shape,
        'float32',
      ),
    )
}

function requireNoLoss(losses: readonly LossTerm[]): void {
  if (losses.length === 0) return
  throw new AttuneError(
    'LOSS_MISMATCH',
    'objective token-classification: with `crf: true` the loss is the negative log-likelihood of the sequence, got another one under `loss`',
    'Remove `loss`, or set `crf: false`.',
  )
}

const hostScores = ({ start, end, transitions }: OnHost<CrfOutputs>): HostCrfScores => ({
  start: start.values as Float32Array,
  end: end.values as Float32Array,
  transitions: transitions.values as Float32Array,
})

/**
 * Dropout, a linear layer and a linear-chain CRF, whose scores are named as in pytorch-crf under `crf.`. The loss is per word.
 * @throws AttuneError `LOSS_MISMATCH` if the run has a loss of its own
 */
export function crfHead(
  model: Model,
  labels: readonly string[],
  losses: readonly LossTerm[],
  scheme: TagScheme | undefined,
): TagHead<CrfOutputs> {
  requireNoLoss(losses)
  const layer = classifier(model, 'token-classification', labels.length)
  const constrained = constraintsOf(labels, scheme)
  const count = labels.length
  const shapes = { start_transitions: [count], end_transitions: [count], transitions: [count, count] }
  return {
    architecture: layer.architecture,
    init: (key) => ({
      ...layer.init(key),
      ...Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [`crf.${name}`, uniform(deriveKey(key, name), shape, 0.1)]),
      ),
    }),
    forward: (params, states, mode) => ({
      logits: layer.forward(params, states, mode),
      start: constrained('start', parameter(params, 'crf.start_transitions')),
      end: constrained('end', parameter(params, 'crf.end_transitions')),
      transitions: constrained('transitions', parameter(params, 'crf.transitions')),
    }),
    losses({ logits, ...scores }, targets, weights) {
      const words = sum(weights, 1)
      return { losses: div(crfLosses(logits, targets, weights, scores), maximum(words, 1)), weights: words }
    },
    logits: ({ logits }) => logits,
    decode: (head, logits) => ({
      tags: viterbi(logits, hostScores(head)),
      probabilities: crfMarginals(logits, hostScores(head)),
    }),
  }
}
