import { table } from './table.js'

/** Numbers of values of one kind of parameter at one depth of a model. */
export interface MapPart {
  /** Values of the model itself. */
  readonly parameters: number
  /** Those that train. */
  readonly trainable: number
  /** Values that an adapter adds, all of which train. */
  readonly added: number
}

/** A row of a training map: a layer group and its kinds of parameters. */
export interface MapRow {
  readonly name: string
  readonly parts: Readonly<Partial<Record<string, MapPart>>>
}

/** State of a cell: all of its parameters train, some of them, an adapter next to them, or none. */
export type CellState = 'full' | 'partial' | 'adapter' | 'frozen'

const percent = (share: number): string => {
  const value = 100 * share
  return `${value >= 10 ? value.toFixed(0) : value.toPrecision(2)} %`
}

/** The state of a cell and its label: the fraction of its parameters that trains, or the size of the adapter relative to them. */
export function cellOf({ parameters, trainable, added }: MapPart): {
  readonly state: CellState
  readonly label: string
} {
  if (added > 0)
    return { state: 'adapter', label: parameters === 0 ? 'new' : `+${percent((trainable + added) / parameters)}` }
  if (trainable === 0) return { state: 'frozen', label: '' }
  if (trainable === parameters) return { state: 'full', label: '' }
  return { state: 'partial', label: percent(trainable / parameters) }
}

const COLUMNS = ['embeddings', 'attention', 'feed-forward', 'norms', 'head', 'other']

/** The kinds of parameters in some rows, in their usual order. */
export const mapColumns = (rows: readonly MapRow[]): string[] =>
  COLUMNS.filter((column) => rows.some(({ parts }) => parts[column] !== undefined))

/** Joins the names of consecutive numbered layers: `layer 0` and `layer 3` become `layer 0–3`. */
function joined(first: string, last: string): string {
  const [start, end] = [first, last].map((name) => /^(.*) (\d+)$/.exec(name))
  return start != null && end != null && start[1] === end[1] ? `${first}–${end[2]}` : first
}

/** Merges consecutive numbered layers that look the same. */
export function mergedRows(rows: readonly MapRow[]): MapRow[] {
  const looks = ({ name, parts }: MapRow): string =>
    JSON.stringify([
      name.replace(/ \d+$/, ''),
      Object.entries(parts).map(([column, part]) => [column, part && cellOf(part)]),
    ])
  const runs: MapRow[][] = []
  for (const row of rows) {
    const last = runs.at(-1)
    if (last !== undefined && /\d$/.test(row.name) && looks(last[0]!) === looks(row)) last.push(row)
    else runs.push([row])
  }
  return runs.map((run) => ({
    name: run.length === 1 ? run[0]!.name : joined(run[0]!.name, run.at(-1)!.name),
    parts: run[0]!.parts,
  }))
}

const SIGNS: Readonly<Record<CellState, string>> = { full: '■ full', partial: '◧ ', adapter: '', frozen: '· frozen' }

/**
 * Formats what trains as a table: a row for each layer group, with layers that look the same in one row, and a column for each kind of
 * parameter.
 *
 * @example
 * ```ts
 * import { trainingTable } from '@attune/terminal'
 * const frozen = { parameters: 100, trainable: 0, added: 0 }
 * const parts = { attention: { ...frozen, added: 8 }, 'feed-forward': frozen }
 * console.log(trainingTable([{ name: 'layer 0', parts }, { name: 'layer 1', parts }]).join('\n'))
 * //            attention  feed-forward
 * // layer 0–1  +8.0 %     · frozen
 * ```
 */
export function trainingTable(rows: readonly MapRow[]): string[] {
  const columns = mapColumns(rows)
  const textOf = (part: MapPart | undefined): string => {
    if (part === undefined) return ''
    const { state, label } = cellOf(part)
    return SIGNS[state] + label
  }
  return table(
    ['', ...columns],
    mergedRows(rows).map(({ name, parts }) => [name, ...columns.map((column) => textOf(parts[column]))]),
  )
}
