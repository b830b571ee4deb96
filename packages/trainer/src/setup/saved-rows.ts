import { type Engine, type HostArray, type Params } from '@attune/core'
import { type Tensor, add, mul } from '@tensorflow/tfjs-core'
import type { Match } from './load-report.js'
import type { SavedHead } from './label-rows.js'

/** Saved rows of the parameters of a classification head. */
export interface MatchedRows {
  /** Saved row of each row, -1 for a newly initialized one; by parameter, where it is not the saved tensor as it is. */
  readonly rows: ReadonlyMap<string, readonly number[]>
  /** Parameters whose saved tensor is not used. */
  readonly dropped: ReadonlySet<string>
  /** Differences to report. */
  readonly notes: readonly string[]
}

/** Matches the rows of a saved classification head with the labels of the run. */
export function matchRows(matches: readonly Match[], head: SavedHead | undefined): MatchedRows {
  const [rows, dropped, notes] = [new Map<string, readonly number[]>(), new Set<string>(), new Set<string>()]
  for (const { name, shape, saved } of matches) {
    const count = saved.shape[0]
    if (head?.names.has(name) !== true || count === undefined) continue
    if (String(shape.slice(1)) !== String(saved.shape.slice(1))) continue
    const found = head.rows(count)
    found?.notes.forEach((note) => notes.add(note))
    if (found !== undefined && found.from === undefined) dropped.add(name)
    const from = found?.from ?? []
    if (from.length === shape[0] && (from.length !== count || from.some((id, i) => id !== i))) rows.set(name, from)
  }
  return { rows, dropped, notes: [...notes] }
}

/** Selects rows of a saved tensor; rows of zeros where there is none. */
function selected({ shape, dtype, values }: HostArray, from: readonly number[]): HostArray {
  const width = shape.slice(1).reduce((product, n) => product * n, 1)
  const picked = values.slice(0, 0).constructor as new (length: number) => HostArray['values']
  const rows = new picked(from.length * width)
  for (const [i, id] of from.entries()) if (id >= 0) rows.set(values.subarray(id * width, (id + 1) * width), i * width)
  return { shape: [from.length, ...shape.slice(1)], dtype, values: rows }
}

/** Reorders the rows of a saved tensor; the rows of -1 are those of `made`, which is released. */
export function rowsFrom(engine: Engine, saved: HostArray, from: readonly number[], made: Tensor | undefined): Tensor {
  const kept = selected(saved, from)
  if (made === undefined) return engine.put(kept)
  const isNew = { shape: [from.length, ...kept.shape.slice(1).map(() => 1)], dtype: 'float32' as const }
  const given = engine.put({ kept, mask: { ...isNew, values: Float32Array.from(from, (id) => (id < 0 ? 1 : 0)) } })
  const merge = engine.compile((p: Params) => ({ rows: add(p['kept']!, mul(p['made']!, p['mask']!)) }))
  const all = { ...(given as unknown as Params), made }
  const { rows } = merge(all)
  engine.release(all)
  merge.dispose()
  return rows
}
