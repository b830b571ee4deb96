import { shorten } from '@attune/terminal'

/** The part of a terminal that is drawn on. */
export interface Screen {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  write(text: string): unknown
}

/** Lines of a terminal that are drawn again in the same place. */
export interface LiveText {
  /** Draws lines over those of before; the last ones, where there are more than the terminal has. */
  draw(lines: readonly string[]): void
  /** Removes the lines. */
  clear(): void
}

/** A terminal that does not know its size reports 0. */
const [COLUMNS, ROWS] = [80, 24]

/** Draws on a terminal. Nothing is drawn where the screen is not one. */
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
