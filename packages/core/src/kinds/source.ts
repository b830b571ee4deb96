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

/** A streaming dataset. It can be read any number of times, always in the same order. */
export interface Source {
  /** Location of the rows, for messages. */
  readonly location: string
  /**
   * Reads the rows. An invalid row, including one that lacks one of `fields`, stops the reading with an error; a source that is
   * configured to skip invalid rows passes it to `reject` instead.
   */
  open(reject?: (row: Rejected) => void, fields?: readonly string[]): AsyncIterable<Example>
  /** Returns a digest of the content; prepared data is cached under it. Without it, nothing is cached. */
  fingerprint?(): Promise<string>
}

/** Dataset sources. */
export const SOURCE = kind<Source>('source', 'many')
