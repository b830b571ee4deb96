import type { Tensor } from '@tensorflow/tfjs-core'
import { kind } from '../kind.js'
import type { Key } from '../random.js'
import type { HostTree, OnDevice, OnHost, Params, Tree } from '../tree.js'
import type { DataPass } from './data-pass.js'
import type { LayerHook } from './layer-hook.js'
import type { EncoderOutputs, Mode, TextInputs } from './model.js'
import type { Hyper } from './optimizer.js'
import type { Example } from './source.js'

/** An example made ready for batching. */
export interface Encoded {
  /** Tokens, without padding: what batches are bucketed by. */
  readonly length: number
  /** True if the text was truncated. */
  readonly truncated: boolean
  /** Batches hold examples of one group only: a task, a language. Default: one group. */
  readonly group?: string
}

/**
 * Unreduced losses. The training loop multiplies them by `weights` and the examples' own weights, sums and divides, so that
 * accumulation, packing and uneven batches are exact.
 */
export interface Losses extends Record<string, Tree> {
  /** `[rows]` or `[rows, n]` */
  readonly losses: Tensor
  /** Not negative, of the same shape; 0 for padding. */
  readonly weights: Tensor
  /** The position of each loss's example in the batch, int32 of the same shape. Default: the row. */
  readonly examples?: Tensor
}

/** The weighted sum of losses and the sum of their weights, both `[]`; the mean is `sum / weight`. */
export interface ReducedLoss extends Record<string, Tree> {
  readonly sum: Tensor
  readonly weight: Tensor
}

/** Predictions or references of one example by view: `label`, `scores`, `text`, … */
export type Views = Readonly<Record<string, unknown>>

/** A batch on the host: the model's inputs, and whatever the loss needs besides. */
export interface Batch extends Record<string, HostTree> {
  readonly inputs: Record<string, HostTree>
}

/** A model beside the one that trains: a teacher, or the reference that training started from. */
export interface AuxiliaryModel {
  readonly params: Params
  /** The outputs without dropout; no gradient flows into `params`. */
  forward(inputs: TextInputs): EncoderOutputs
  /** The outputs of the objective's head on this model. */
  head(outputs: EncoderOutputs, batch: OnDevice<Batch>): Tree
}

/** The arguments of an objective's own training loss. */
export interface TrainingContext {
  readonly params: Params
  readonly mode: Mode
  readonly hyper: Hyper
  forward(
    inputs: TextInputs,
    change?: { readonly params?: Params; readonly mode?: Mode; readonly hook?: LayerHook },
  ): EncoderOutputs
  /** By the name under `models` in the configuration; `reference` is the model as training started, if it was asked for. */
  readonly models: Readonly<Record<string, AuxiliaryModel>>
}

/** A batch's surroundings on the host while an objective writes or labels text. */
export interface RolloutHost {
  /** The current parameters, frozen and trainable. */
  readonly params: Params
  readonly step: number
  readonly random: () => number
  /** Encodes an example that the rollout made. */
  encode(example: Example): Encoded
  /** Generates a continuation of each prompt with the current weights. */
  generate(prompts: readonly string[], options?: Readonly<Record<string, unknown>>): Promise<readonly string[]>
}

/** A task: the encoding of examples, the head on the model, the loss, and the meaning of the outputs. */
export interface Objective<X extends Encoded = Encoded, B extends Batch = Batch, H extends Tree = Tree> {
  /** The views that predictions and references offer to metrics. */
  readonly views: readonly string[]
  /** The number of tokens after which it truncates a text. */
  readonly maximumLength: number
  /**
   * True if its loss compares the examples of a batch with one another, so that it depends on which are together: a batch is then
   * computed at once, never in parts. Default: every example has a loss of its own.
   */
  readonly comparesExamples?: boolean
  /** True if it needs `models.reference`: the model as it was before training. */
  readonly needsReference?: boolean
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
  loss(head: H, batch: OnDevice<B>): Losses
  /**
   * The loss in training, where it is not that of the head on one forward pass. Several are added: each is divided by its own
   * weight first.
   */
  trainingLoss?(context: TrainingContext, batch: OnDevice<B>): Losses | Readonly<Record<string, Losses>>
  /** Host work on the examples of a batch before it trains: writes answers and rewards them, labels them. */
  rollout?(items: readonly X[], host: RolloutHost): Promise<readonly X[]>
  /**
   * Computes a tree that steps of the coming epoch read as `hyper.memory` (cluster centres), kept in checkpoints.
   * @param memory that of the epoch before
   */
  beforeEpoch?(pass: DataPass, epoch: number, memory?: Tree): Promise<Tree>
  /** One prediction an example. */
  predict(head: OnHost<H>, items: readonly X[]): readonly Views[]
  /** Views that need generated text, in the order of `items`; called only where a metric compares one of `generatedViews`. */
  generate?(items: readonly X[], generate: RolloutHost['generate']): Promise<readonly Views[]>
  readonly generatedViews?: readonly string[]
  /** The reference of an example, in the same views. */
  reference(item: X): Views
}

/** An objective of whatever items, batches and head outputs. Methods are bivariant, so that every objective fits. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- only `any` admits objectives of narrower items and batches
export type AnyObjective = Objective<any, any, any>

/** A task. */
export const OBJECTIVE = kind<AnyObjective>('objective', 'one')
