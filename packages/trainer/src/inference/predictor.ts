import type { AttuneError, Example, Views } from '@attune/core'

/** The views of one example's prediction: `label`, `scores`, … */
export type Prediction = Views & {
  /** True if the text was truncated. */
  readonly truncated: boolean
}

/** What a loaded model predicts, as plain data. */
export interface Description {
  /** The objective's name: `sequence-classification`. */
  readonly task: string
  /** The fields of an example that it reads, the text first. */
  readonly fields: readonly string[]
  /** The views of a prediction. */
  readonly views: readonly string[]
  /** The labels by class id; absent where the task has none. */
  readonly labels?: readonly string[]
  /** SHA-256 of the weights and of `config.json`: it changes whenever the model does. */
  readonly version: string
}

/** Options of one call of {@link Predictor.predict}. */
export interface PredictOptions {
  /** Aborts the call: rows that no batch holds yet are dropped, and the call rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * A loaded model that predicts. Examples and predictions are plain data (they can be cloned), so that a predictor can live in a
 * worker thread: see {@link openWorkerPredictor}.
 */
export interface Predictor {
  readonly describes: Description
  /** What the owner should know of how the model was loaded. */
  readonly warnings: readonly string[]
  /**
   * Predicts, in the order of the examples. A row that cannot be encoded or predicted has an error in the place of its prediction;
   * the others are not affected. Concurrent calls share batches: whatever waits is predicted together, up to the batch size, the
   * oldest row first.
   * @throws AttuneError `PREDICTOR_CLOSED`
   * @example
   * const [answer] = await predictor.predict([{ text: 'A window manager for X' }])
   * console.log(isAttuneError(answer) ? answer.problem : answer.label)
   */
  predict(examples: readonly Example[], how?: PredictOptions): Promise<readonly (Prediction | AttuneError)[]>
  /** Waits for the calls under way, and frees the model. */
  close(): Promise<void>
}
