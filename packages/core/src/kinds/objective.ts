import type { Tensor } from '@tensorflow/tfjs-core'
import { kind } from '../kind.js'
import type { Key } from '../random.js'
import type { HostTree, OnDevice, OnHost, Params, Tree } from '../tree.js'
import type { EncoderOutputs, Mode } from './model.js'
import type { Example } from './source.js'

/** An example made ready for batching. */
export interface Encoded {
  /** Tokens, without padding: what batches are bucketed by. */
  readonly length: number
  /** Whether the text lost its end. */
  readonly truncated: boolean
}

/**
 * A loss as a sum and a weight, so that batches of any sizes add up exactly; the mean is `sum / weight`. Both are
 * `[]`.
 */
export interface Loss extends Record<string, Tree> {
  readonly sum: Tensor
  readonly weight: Tensor
}

/** What a head predicts or what is true of one example, by view: `label`, `scores`, `text`, … */
export type Views = Readonly<Record<string, unknown>>

/** A batch on the host: the model's inputs, and whatever the loss needs besides. */
export interface Batch extends Record<string, HostTree> {
  readonly inputs: Record<string, HostTree>
}

/** A task: what becomes of an example, the head on the model, the loss, and what the outputs mean. */
export interface Objective<X extends Encoded = Encoded, B extends Batch = Batch, H extends Tree = Tree> {
  /** The views that predictions and references offer to metrics. */
  readonly views: readonly string[]
  /** Tokens after which it cuts a text. */
  readonly maximumLength: number
  /**
   * Its loss compares the examples of a batch with one another, so that it depends on which are together: a batch is then
   * computed at once, never in parts. Default: every example has a loss of its own.
   */
  readonly comparesExamples?: boolean
  /** What to add to `config.json`: the architecture's name and the labels, say. */
  readonly config: Readonly<Record<string, unknown>>
  /** New parameters of the head. */
  init(key: Key): Params
  /** @throws AttuneError if the example lacks a field or names something unknown. */
  encode(example: Example): X
  /** As {@link Objective.encode}, for an example without a reference. */
  encodeUnlabelled(example: Example): X
  /**
   * @param random numbers in [0, 1) for an objective that alters what it trains on, new ones for each batch; without them
   *   a batch is made as it is evaluated, and an item's part of it is always the same
   */
  collate(items: readonly X[], random?: () => number): B
  /** The head's outputs from the model's. */
  head(params: Params, outputs: EncoderOutputs, mode: Mode, batch: OnDevice<B>): H
  loss(head: H, batch: OnDevice<B>): Loss
  /** One prediction an example. */
  predict(head: OnHost<H>, items: readonly X[]): readonly Views[]
  /** What is true of an example, in the same views. */
  reference(item: X): Views
}

/** A task. */
export const OBJECTIVE = kind<Objective>('objective', 'one')
