import type { AnyPlugin, Encoded, Engine, Example, Model, Objective, Params } from '@attune/core'

/** A batch on the device. */
export type DeviceBatch = Parameters<Objective['loss']>[1]

/** An objective with fitted options, initial parameters of head and body, and the encoded examples. */
export interface Ready {
  readonly objective: Objective
  readonly head: Params
  readonly body: Params
  /** The head's parameters, or the body's if there is no head. */
  readonly trained: Params
  readonly items: readonly Encoded[]
  /** Inference loss over some items, with `trained` replacing the parameters of the same names. */
  readonly lossOf: (
    trained: Params,
    items: readonly Encoded[],
  ) => Promise<{ readonly sum: number; readonly weight: number }>
}

/** Objective under test, shared by the parts of the suite. */
export interface Subject {
  readonly plugin: AnyPlugin
  readonly engine: Engine
  readonly examples: readonly Example[]
  readonly references: readonly string[]
  readonly textsPerExample: number
  readonly model: Model
  readonly fit: (examples: readonly Example[]) => Promise<Record<string, unknown>>
  readonly prepare: () => Promise<Ready>
}
