import { kind } from '../kind.js'

/** One row of a dataset: fields by name, as the source gives them. */
export type Example = Readonly<Record<string, unknown>>

/** A row that could not be read. */
export interface Rejected {
  /** Counted from 1, as an editor does. */
  readonly line: number
  readonly reason: string
  /** The row as it stands in the file. */
  readonly raw: string
}

/** A dataset that is read as it is needed, as often as it is needed, in the same order each time. */
export interface Source {
  /** Where the rows come from, for messages. */
  readonly location: string
  /**
   * Reads the rows. A bad row, also one that has nothing under one of `fields`, stops the reading with an error, or, if the
   * source was told to skip bad rows, goes to `reject` and is left out.
   */
  open(reject?: (row: Rejected) => void, fields?: readonly string[]): AsyncIterable<Example>
  /** A digest of the content, so that prepared data is made again when it changes. Default: the source cannot tell, and nothing is kept. */
  fingerprint?(): Promise<string>
}

/** Datasets. */
export const SOURCE = kind<Source>('source', 'many')
