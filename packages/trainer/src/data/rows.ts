import type { Example } from '@attune/core'

/** A training example and its weight in the loss. */
export interface Row {
  readonly example: Example
  /** Non-negative; absent if examples are not weighted. */
  readonly weight?: number
}

/** Prepared examples with a known count and random access. */
export interface Rows {
  readonly count: number
  /** All rows, in order. */
  all(): AsyncIterable<Row>
  /** Rows at `indices`, in that order; indices may repeat. */
  pick(indices: Iterable<number>): AsyncIterable<Row>
}

/** Converts examples to rows without weights. */
export async function* rowsOf(examples: AsyncIterable<Example>): AsyncGenerator<Row, void> {
  for await (const example of examples) yield { example }
}

/** Rows held in memory. */
export const memoryRows = (rows: readonly Row[]): Rows => ({
  count: rows.length,
  async *all() {
    yield* rows
  },
  async *pick(indices) {
    for (const index of indices) yield rows[index]!
  },
})

/** Selects rows by index, in the given order; indices may repeat. */
export const pickedRows = (rows: Rows, indices: ArrayLike<number>, weights?: ArrayLike<number>): Rows => {
  const weighted = async function* (picked: AsyncIterable<Row>, at: (position: number) => number) {
    let position = 0
    for await (const row of picked) {
      const own = weights?.[at(position++)]
      yield own === undefined ? row : { ...row, weight: own * (row.weight ?? 1) }
    }
  }
  return {
    count: indices.length,
    all: () => weighted(rows.pick(Array.from(indices)), (position) => position),
    pick(given) {
      const positions = [...given]
      return weighted(rows.pick(positions.map((position) => indices[position]!)), (position) => positions[position]!)
    },
  }
}
