import { shorten } from '@attune/terminal'

/** The terminal stream that lines are written to. */
export interface Screen {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  write(text: string): unknown
}

/** Lines of a terminal that are redrawn in place. */
export interface LiveText {
  /** Overwrites the previous lines; only the last ones, if there are more than the terminal has rows. */
  draw(lines: readonly string[]): void
  /** Removes the lines. */
  clear(): void
}

/** A terminal that does not know its size reports 0. */
const [COLUMNS, ROWS] = [80, 24]

/** Redraws lines on a terminal; does nothing if the stream is not a terminal. */
export function liveText(screen: Screen): LiveText {
  let shown = 0
  const clear = (): void => {
    if (shown > 0) screen.write(`\u001B[${shown}A\u001B[J`)
    shown = 0
  }
  return {
    draw(lines) {
      if (screen.isTTY !== true) return
      const visible = lines.slice(-Math.max(1, (screen.rows || ROWS) - 2))
      clear()
      screen.write(visible.map((line) => `${shorten(line, (screen.columns || COLUMNS) - 1)}\n`).join(''))
      shown = visible.length
    },
    clear,
  }
}
