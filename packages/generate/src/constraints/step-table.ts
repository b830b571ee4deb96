/** Marks a transition that is not computed yet. */
export const UNKNOWN = -2

/** Transition table of an automaton: one row per state, one column per byte class. */
export interface StepTable {
  /** Cells; `state · columns + class` is the index of a transition. Adding a row may replace the array. */
  cells(): Int32Array
  /** Adds a row of {@link UNKNOWN} transitions. */
  addRow(): void
}

/** Creates a table without rows. */
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
