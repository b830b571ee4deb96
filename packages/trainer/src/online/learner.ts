import type { AttuneError, Example, HostArray, Metric, Views } from '@attune/core'
import type { Prediction, PredictOptions } from '../inference/predictor.js'
import type { Scored } from '../run/score.js'

/** A model that learns, batch by batch, as its owner decides. Calls are carried out one after another, in the order in which they were made. */
export interface Learner {
  /** The number of steps so far. */
  readonly step: number
  /** The metrics of its configuration. */
  readonly metrics: readonly Metric[]
  /**
   * Takes one step on a batch of examples. Returns the mean loss before the update, and the norm of the gradient before clipping.
   * @throws AttuneError what `encode` throws, with nothing learned; `BAD_ARGUMENT` for an empty batch; `NON_FINITE_LOSS`, after which
   *   the learner cannot learn or be saved
   */
  learn(examples: readonly Example[]): Promise<{ readonly loss: number; readonly gradientNorm: number }>
  /** Predicts with the weights as they are now; a row that cannot be predicted has an error in its place. */
  predict(examples: readonly Example[], how?: PredictOptions): Promise<readonly (Prediction | AttuneError)[]>
  /** Scores the predictions of labelled examples by the loss and every metric. */
  score(examples: Iterable<Example> | AsyncIterable<Example>): Promise<Scored>
  /**
   * The reference of a labelled example, in the views of a prediction: what {@link metrics} compare with.
   * @throws AttuneError what `encode` throws
   */
  reference(example: Example): Views
  /** A copy of the weights on the host, by the checkpoint's names; those of an adapter merged. */
  weights(): Promise<Readonly<Record<string, HostArray>>>
  /** Writes the model in the Hugging Face layout. Returns the folder. @throws AttuneError `CANNOT_WRITE` */
  save(directory: string): Promise<string>
  /** Waits for the calls under way, and frees the model. */
  close(): Promise<void>
}
