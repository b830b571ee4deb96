import type { AttuneError, Example, HostArray, Metric, Views } from '@attune/core'
import type { Prediction, PredictOptions } from '../inference/predictor.js'
import type { Scored } from '../run/score.js'

/** A model for online learning, trained batch by batch. Calls are executed sequentially, in the order in which they were made. */
export interface Learner {
  /** Number of steps so far. */
  readonly step: number
  /** Metrics of its configuration. */
  readonly metrics: readonly Metric[]
  /**
   * Takes one step on a batch of examples. Returns the mean loss before the update, and the gradient norm before clipping.
   * @throws AttuneError the errors of `encode`, without a step; `BAD_ARGUMENT` for an empty batch; `NON_FINITE_LOSS`, after which the
   *   learner can no longer learn or be saved
   */
  learn(examples: readonly Example[]): Promise<{ readonly loss: number; readonly gradientNorm: number }>
  /**
   * Restarts the schedules of the learning rate and of options at their first step, after concept drift for example. The weights and
   * the state of the optimizer stay.
   */
  restartSchedule(): Promise<void>
  /** Predicts with the current weights. A row that cannot be predicted returns an error. */
  predict(examples: readonly Example[], how?: PredictOptions): Promise<readonly (Prediction | AttuneError)[]>
  /** Computes the loss and every metric on labelled examples. */
  score(examples: Iterable<Example> | AsyncIterable<Example>): Promise<Scored>
  /**
   * Returns the reference (target) of a labelled example, in the views of a prediction, for {@link metrics}.
   * @throws AttuneError the errors of `encode`
   */
  reference(example: Example): Views
  /** Copies the weights to host memory, by checkpoint name, with the adapter merged in if it can be, otherwise with its tensors. */
  weights(): Promise<Readonly<Record<string, HostArray>>>
  /** Writes the model in the Hugging Face file layout. Returns the folder. @throws AttuneError `CANNOT_WRITE` */
  save(directory: string): Promise<string>
  /** Waits for pending calls, then frees the model. */
  close(): Promise<void>
}
