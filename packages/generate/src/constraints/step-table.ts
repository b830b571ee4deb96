/** Stands for a step that was not worked out yet. */
export const UNKNOWN = -2

/** Where each state of an automaton leads by each class of bytes, row after row. */
export interface StepTable {
  /** The cells, of which `state · columns + class` is a step; others once a row was added. */
  cells(): Int32Array
  /** Adds a row of steps that are {@link UNKNOWN}. */
  addRow(): void
}

/** A table without rows. */
export function stepTable(columns: number): StepTable {
  let cells = new Int32Array(columns * 64).fill(UNKNOWN)
  let size = 0
  return {
    cells: () => cells,
    addRow() {
      size += columns
      if (size <= cells.length) return
      const more = new Int32Array(2 * cells.length).fill(UNKNOWN, cells.length)
      more.set(cells)
      cells = more
    },
  }
}
