import {
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
import { type Tensor, add, div, maximum, reshape, sum, tensor } from '@tensorflow/tfjs-core'
import { uniform } from '../layers/initialise.js'
import { parameter } from '../layers/parameter.js'
import { classifier } from './classifier.js'
import { hostSoftmax } from './host-probabilities.js'
import { type HostCrfScores, crfMarginals, viterbi } from './crf-decode.js'
import { type CrfScores, crfLosses } from './crf.js'
import { lossOf } from './loss-of.js'

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
  /** Probabilities of the tags of one token, by itself. */
  probabilities(logits: ArrayLike<number>): number[]
  /** Tags of the words whose first tokens have these logits, and the probabilities of all tags. */
  decode(head: OnHost<H>, logits: readonly Float32Array[]): Decoded
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
    probabilities: hostSoftmax,
    decode: (_head, logits) => ({
      tags: logits.map((row) => row.indexOf(Math.max(...row))),
      probabilities: logits.map(hostSoftmax),
    }),
  }
}

/** Output of the head with a CRF: the logits, and the scores of transitions. */
export interface CrfOutputs extends CrfScores {
  readonly logits: Tensor
}

/** Added to the score of a transition that is not allowed: its probability is 0 in float32. */
const FORBIDDEN = -1e4

/** Tags that may begin and end a text, and those that may follow each tag. */
export interface AllowedTags {
  readonly start: readonly boolean[]
  readonly end: readonly boolean[]
  readonly next: readonly (readonly boolean[])[]
}

/** Adds 0 to the scores of transitions, or {@link FORBIDDEN} where they are not allowed. */
function constraintsOf(transitions: AllowedTags | undefined) {
  if (transitions === undefined) return (_part: keyof CrfScores, scores: Tensor): Tensor => scores
  const { start, end, next } = transitions
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

const hostScores = ({ start, end, transitions }: OnHost<CrfOutputs>): HostCrfScores => ({
  start: start.values as Float32Array,
  end: end.values as Float32Array,
  transitions: transitions.values as Float32Array,
})

/**
 * Dropout, a linear layer and a linear-chain CRF, whose scores are named as in pytorch-crf under `crf.`. The loss is the negative
 * log-likelihood of the tags of a text, per word.
 * Source: Lample et al., Neural Architectures for Named Entity Recognition, 2016, section 2.2.
 * @param count number of tags
 * @param allowed transitions that are possible. Default: all
 */
export function crfHead(model: Model, count: number, allowed?: AllowedTags): TagHead<CrfOutputs> {
  const layer = classifier(model, 'token-classification', count)
  const constrained = constraintsOf(allowed)
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
    probabilities: hostSoftmax,
    decode: (head, logits) => ({
      tags: viterbi(logits, hostScores(head)),
      probabilities: crfMarginals(logits, hostScores(head)),
    }),
  }
}
