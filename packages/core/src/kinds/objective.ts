import type { Tensor } from '@tensorflow/tfjs-core'
import { kind } from '../kind.js'
import type { Key } from '../random.js'
import type { HostTree, OnDevice, OnHost, Params, Tree } from '../tree.js'
import type { DataPass, DeviceBatch } from './data-pass.js'
import type { LayerHook } from './layer-hook.js'
import type { EncoderOutputs, Kept, Mode, StepKey } from './model.js'
import type { Hyper } from './optimizer.js'
import type { Example } from './source.js'

/** An encoded example, ready for batching. */
export interface Encoded {
  /** Number of tokens without padding; batches are bucketed by it. */
  readonly length: number
  /** True if the text was truncated. */
  readonly truncated: boolean
  /** The group of the example: a task, a language. A batch holds examples of one group only. Default: one group. */
  readonly group?: string
  /** Non-negative weight of the training loss; set by the run if examples are weighted. Default: 1. */
  readonly weight?: number
}

/**
 * Unreduced losses. The training loop multiplies them by `weights` and by the example weights, sums and divides, so that gradient
 * accumulation, packing and uneven batches are exact.
 */
export interface Losses extends Record<string, Tree> {
  /** `[rows]` or `[rows, n]` */
  readonly losses: Tensor
  /** Non-negative weights of the same shape; 0 for padding. */
  readonly weights: Tensor
  /** Index of the example of each loss in the batch, int32 of the same shape. Default: the row. */
  readonly examples?: Tensor
}

/** The weighted sum of losses and the sum of their weights, both `[]`; the mean is `sum / weight`. */
export interface ReducedLoss extends Record<string, Tree> {
  readonly sum: Tensor
  readonly weight: Tensor
}

/** Predictions or references of one example by view: `label`, `scores`, `text`, … */
export type Views = Readonly<Record<string, unknown>>

/** Scheduled options of collation by name: the value at the step that the batch is for, and the maximum over all steps. */
export type ScheduledNumbers = Readonly<Record<string, { readonly value: number; readonly maximum: number }>>

/** A batch on the host: the inputs of the model, and whatever else the loss needs. */
export interface Batch extends Record<string, HostTree> {
  readonly inputs: Record<string, HostTree>
}

/** The inputs of a batch on the device, whose form the objective and the model share: `TextInputs` for text models. */
export type DeviceInputs = Readonly<Record<string, Tree>>

/** An auxiliary frozen model: a distillation teacher, or the reference model at the start of training. */
export interface AuxiliaryModel {
  readonly params: Params
  /** Returns the outputs without dropout; no gradient flows into `params`. */
  forward(inputs: DeviceInputs, keep?: readonly Kept[]): EncoderOutputs
  /** Returns the outputs of the objective's head on this model. */
  head(outputs: EncoderOutputs, batch: OnDevice<Batch>, keep?: readonly Kept[]): Tree
}

/** Arguments of a custom training loss. */
export interface TrainingContext {
  readonly params: Params
  /** Those of `params` that train. */
  readonly trainable: Params
  readonly mode: Mode
  readonly hyper: Hyper
  forward(inputs: DeviceInputs, change?: { params?: Params; mode?: Mode; hook?: LayerHook }): EncoderOutputs
  /** By name under `models` in the configuration; `reference` is the model at the start of training, if requested. */
  readonly models: Readonly<Record<string, AuxiliaryModel>>
}

/** A sampled continuation: its tokens without the end token, and their text; `ended` is true if the end token followed. */
type Sample = { readonly ids: readonly number[]; readonly text: string; readonly ended: boolean }

/** Host-side services for rollouts, in which an objective generates or labels text. */
export interface RolloutHost {
  /** The current parameters, frozen and trainable. */
  readonly params: Params
  readonly random: () => number
  /** Predictions of items with the current parameters, without dropout: see {@link Objective.predict}. */
  predict(items: readonly Encoded[]): Promise<readonly Views[]>
  /** Generates a continuation of each prompt with the current parameters. */
  generate(prompts: readonly string[], options?: Readonly<Record<string, unknown>>): Promise<readonly string[]>
  /** Generates a continuation of each prompt, given and returned as token ids. */
  sample(prompts: readonly (readonly number[])[], options?: object): Promise<readonly Sample[]>
  /** Reports values of the rollout, such as the mean reward, in the event `rollout.completed`. */
  report(values: Readonly<Record<string, number>>): void
}

/** A training objective: the encoding of examples, the task head, the loss, and the decoding of outputs into predictions. */
export interface Objective<X extends Encoded = Encoded, B extends Batch = Batch, H extends Tree = Tree> {
  /** Views of predictions and references that are available to metrics. */
  readonly views: readonly string[]
  /** Maximum number of tokens; longer texts are truncated. */
  readonly maximumLength: number
  /**
   * True if the loss of an example depends on the others of its batch (in-batch negatives): the batch is then never split into
   * micro-batches. Default: it does not.
   */
  readonly comparesExamples?: boolean
  /** True if the loss needs the model before training: `models.reference`, or its head's outputs, `reference` of the batch. */
  readonly needsReference?: boolean
  /** Additions to `config.json`, such as the architecture name and the labels. */
  readonly config: Readonly<Record<string, unknown>>
  /** JSON files of a saved model in addition to `config.json`, content by path. Default: none. */
  readonly files?: Readonly<Record<string, unknown>>
  /** Initializes the parameters of the head. */
  init(key: Key): Params
  /** Encodes an example. @throws AttuneError if it lacks a field or has an unknown label. */
  encode(example: Example): X
  /** Encodes an example without a reference; see {@link Objective.encode}. */
  encodeUnlabelled(example: Example): X
  /**
   * Collates encoded examples into a batch.
   * @param random uniform numbers in [0, 1), different for each batch, for objectives that corrupt their inputs. Without it the
   *   batch is an evaluation batch, in which the same item always has the same content.
   * @param numbers scheduled options of collation, in training; the shapes of a batch should depend on the maximum only, since
   *   each shape is compiled
   */
  collate(items: readonly X[], random?: () => number, numbers?: ScheduledNumbers): B
  /** Computes the outputs of the head from those of the model. */
  head(params: Params, outputs: EncoderOutputs, mode: Mode, batch: OnDevice<B>): H
  loss(head: H, batch: OnDevice<B>): Losses
  /** Returns the batch with labels sampled from the predictions, for optimizers that estimate curvature; no gradient flows into them. */
  sampleLabels?(params: Params, outputs: EncoderOutputs, mode: Mode, batch: OnDevice<B>, key: StepKey): DeviceBatch
  /**
   * Custom training loss, if it is not that of the head on one forward pass. Several losses are summed after each has been divided
   * by its own weight over the step. Their names, at least one, are the same in all micro-batches.
   */
  trainingLoss?(context: TrainingContext, batch: OnDevice<B>): Losses | Readonly<Record<string, Losses>>
  /** Rollout on the host before a batch trains: generates and rewards answers, or labels the examples. */
  rollout?(items: readonly X[], host: RolloutHost): Promise<readonly X[]>
  /** Number of steps on a batch after its rollout. If it is not 1, the items are JSON, which checkpoints keep. Default: 1. */
  readonly updatesPerRollout?: number
  /**
   * Computes state for the next epoch (cluster sizes), available in its steps as `hyper.memory` and saved in checkpoints. Its entry
   * `params`, if any, is not part of that state: these tensors replace trained parameters of the same names (cluster centres).
   * @param memory state of the previous epoch
   */
  beforeEpoch?(pass: DataPass, epoch: number, memory?: Tree): Promise<Tree>
  /** Decodes the outputs of the head into one prediction per example. */
  predict(head: OnHost<H>, items: readonly X[]): readonly Views[]
  /** Computes the views that need generated text, in the order of `items`; called only if a metric uses a `generatedViews`. */
  generate?(items: readonly X[], generate: RolloutHost['generate']): Promise<readonly Views[]>
  readonly generatedViews?: readonly string[]
  /** Returns the reference of an example, in the same views. */
  reference(item: X): Views
}

/** An objective with arbitrary items, batches and head outputs. Methods are bivariant, so every objective is assignable. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- only `any` admits objectives of narrower items and batches
export type AnyObjective = Objective<any, any, any>

/** Training objectives. */
export const OBJECTIVE = kind<AnyObjective>('objective', 'one')
