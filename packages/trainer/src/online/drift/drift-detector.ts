/** Signal of a drift detector after a value. */
export type DriftSignal = 'stable' | 'warning' | 'drift'

/** State after a value, and its signal. After `drift`, the state is that of a new detector, except for detectors with their own window. */
export interface Detected<S> {
  readonly state: S
  readonly signal: DriftSignal
}

/** A concept-drift detector: a fold over a stream of values, such as the errors of a model. The state is plain JSON. */
export interface DriftDetector<S = unknown> {
  readonly name: string
  init(): S
  /** @param value the next value; the error of one row for a detector of a model's drift */
  add(state: S, value: number): Detected<S>
}
