import type { AttuneError, Example, Views } from '@attune/core'
import type { OpenOptions } from '../files/run-folder.js'

/** Views of one example's prediction: `label`, `scores`, … */
export type Prediction = Views & {
  /** True if the text was truncated. */
  readonly truncated: boolean
}

/** Description of a predictor, as plain data. */
export interface Description {
  /** The objective's name: `sequence-classification`. */
  readonly task: string
  /** Fields of an example that it reads; the text comes first. */
  readonly fields: readonly string[]
  /** Names of a prediction's views. */
  readonly views: readonly string[]
  /** Labels by class id; absent if the task has none. */
  readonly labels?: readonly string[]
  /** SHA-256 of the weights and `config.json`; identifies the model's version. */
  readonly version: string
  /** Descriptions of the saved adapters that share the model, by name; absent without any. */
  readonly adapters?: Readonly<Record<string, Omit<Description, 'adapters'>>>
}

/** Options of {@link openPredictor}. */
export interface PredictorOptions extends OpenOptions {
  /**
   * Saved adapters that share the model, folder by name: of a run, or in the layout of peft, relative to the base directory. A call
   * chooses one by name. Default: none.
   */
  readonly adapters?: Readonly<Record<string, string>>
  /** Task of a multi-task model that every example is of. Default: the one that the example names. */
  readonly task?: string
}

/** Options of one call of {@link Predictor.predict}. */
export interface PredictOptions {
  /** Aborts the call: its queued rows are dropped, and the call rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Name of the saved adapter to predict with, as in `adapters` of {@link openPredictor}. Default: none, the model itself. */
  readonly adapter?: string
}

/**
 * A loaded model for prediction. Examples and predictions are plain, cloneable data, so a predictor can run in a worker thread: see
 * {@link openWorkerPredictor}.
 */
export interface Predictor {
  readonly describes: Description
  /** Warnings from loading the model. */
  readonly warnings: readonly string[]
  /**
   * Predicts examples, in order. A row that cannot be encoded or predicted returns an error instead of a prediction, without affecting
   * the others. Concurrent calls share batches: waiting rows are predicted together, up to the batch size, oldest row first.
   * @throws AttuneError `PREDICTOR_CLOSED`; `BAD_ARGUMENT` for an unknown `adapter`
   *
   * @example
   * ```ts
   * import { isAttuneError } from '@attune/core'
   * import { openPredictor } from '@attune/trainer/node'
   * const predictor = await openPredictor('runs/topics')
   * const answers = await predictor.predict([{ text: 'a text editor' }, { label: 'no text' }])
   * for (const answer of answers) console.log(isAttuneError(answer) ? answer.code : answer['label']) // editor, MISSING_FIELD
   * await predictor.close()
   * ```
   */
  predict(examples: readonly Example[], how?: PredictOptions): Promise<readonly (Prediction | AttuneError)[]>
  /** Waits for pending calls, then frees the model. */
  close(): Promise<void>
}
