import type { Mode, Model, Params } from '@attune/core'

/** A model with its parameters, and the objective whose head it has. */
export interface ExportedModel {
  readonly model: Model
  readonly params: Params
  /** Name of the objective. */
  readonly task: string
}

/** Mode of exported forward passes: one kernel over all positions, because blocks depend on the length of the text. */
export const INFERENCE: Mode = { training: false, launchBound: true }
