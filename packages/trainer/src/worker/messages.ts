import { type AttuneError, type Example, isAttuneError } from '@attune/core'
import type { Description, Prediction } from '../inference/predictor.js'

/** Input of a predictor worker. */
export interface WorkerInput {
  readonly directory: string
  readonly options: Readonly<Record<string, unknown>>
  /** A module whose default export is a list of plugins. */
  readonly plugins: string | undefined
}

/** A message to the worker. */
export type Request =
  | {
      readonly type: 'predict'
      readonly id: number
      readonly examples: readonly Example[]
      readonly adapter: string | undefined
    }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'close' }

/** An error as plain data; cloning an error object would lose its code. */
export interface PlainError {
  readonly code?: string
  readonly problem?: string
  readonly remedy?: string
  readonly message: string
}

/** An answer as plain data. */
export type PlainAnswer = { readonly prediction: Prediction } | { readonly error: PlainError }

/** A message from the worker. */
export type Reply =
  | { readonly type: 'opened'; readonly describes: Description; readonly warnings: readonly string[] }
  | { readonly type: 'refused'; readonly error: PlainError }
  | { readonly type: 'answered'; readonly id: number; readonly answers: readonly PlainAnswer[] }
  | { readonly type: 'failed'; readonly id: number; readonly error: PlainError }
  | { readonly type: 'closed' }

/** Converts an error to plain data. */
export const toPlain = (error: unknown): PlainError => {
  if (!isAttuneError(error)) return { message: (error as Error | undefined)?.message ?? String(error) }
  const { code, problem, remedy, message } = error
  return { code, problem, remedy, message }
}

/** Rebuilds an error from its plain data. */
export const fromPlain = ({ message, ...fields }: PlainError): AttuneError =>
  Object.assign(
    new Error(message),
    { name: 'code' in fields ? 'AttuneError' : 'Error' },
    fields,
  ) as unknown as AttuneError
