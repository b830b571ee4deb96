import { styleText } from 'node:util'

/** An output stream: `process.stderr`, or a substitute. */
export interface Terminal {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  write(text: string): unknown
}

/** Styles a text, or returns it unchanged without colour. */
export type Paint = (style: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string) => string

/** A painter: with colour on a terminal, unless `NO_COLOR` is set or `TERM` is dumb. */
export const painter = (terminal: Terminal, environment: NodeJS.ProcessEnv): Paint =>
  isLive(terminal, environment) && !environment['NO_COLOR']
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_style, text) => text

/** True if a line can be redrawn. */
export const isLive = (terminal: Terminal, environment: NodeJS.ProcessEnv): boolean =>
  terminal.isTTY === true && environment['TERM'] !== 'dumb'

/** The width of the terminal, or 80 if it is unknown. */
export const widthOf = ({ columns }: Terminal): number => (columns !== undefined && columns > 0 ? columns : 80)

/** Permanent lines, and below them one progress line that the next one replaces. */
export interface Screen {
  print(lines: readonly string[]): void
  show(line: string): void
  /** Clears the progress line. */
  close(): void
}

const CLEAR = '\r\u001b[K'

/** A screen on a terminal that can draw over a line. */
export function liveScreen(terminal: Terminal): Screen {
  let shown = ''
  return {
    print: (lines) => terminal.write(`${shown && CLEAR}${lines.map((line) => `${line}\n`).join('')}${shown}`),
    show(line) {
      terminal.write(`${shown && CLEAR}${line}`)
      shown = line
    },
    close() {
      if (shown) terminal.write(CLEAR)
      shown = ''
    },
  }
}

/** A screen on a file or a pipe, where every line is permanent. */
export const plainScreen = (terminal: Terminal): Screen => ({
  print: (lines) => terminal.write(lines.map((line) => `${line}\n`).join('')),
  show: (line) => terminal.write(`${line}\n`),
  close: () => undefined,
})
