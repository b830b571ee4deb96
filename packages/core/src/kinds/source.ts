import type { AttuneError } from '../error.js'
import { kind } from '../kind.js'

/** One row of a dataset: fields by name. */
export type Example = Readonly<Record<string, unknown>>

/** A row that could not be parsed. */
export interface Rejected {
  /** The line number, from 1. */
  readonly line: number
  readonly reason: string
  /** The raw text of the row. */
  readonly raw: string
}

/** Returns the fault of a row that cannot be used, given its line number from 1; undefined for a usable row. */
export type RowCheck = (example: Example, line: number) => AttuneError | undefined

/** A streaming dataset. It can be read any number of times, always in the same order. */
export interface Source {
  /** Location of the rows, for messages. */
  readonly location: string
  /**
   * Reads the rows. An invalid row, including one that lacks one of `fields` or has a fault according to `check`, stops the reading
   * with an error; a source that is configured to skip invalid rows passes it to `reject` instead. A source without line numbers may
   * ignore `check`: the run then checks the rows itself.
   */
  open(reject?: (row: Rejected) => void, fields?: readonly string[], check?: RowCheck): AsyncIterable<Example>
  /** Returns a digest of the content; prepared data is cached under it. Without it, nothing is cached. */
  fingerprint?(): Promise<string>
}

/** Dataset sources. */
export const SOURCE = kind<Source>('source', 'many')
