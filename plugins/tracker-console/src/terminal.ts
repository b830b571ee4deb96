import { styleText } from 'node:util'

/** What is written to: `process.stderr`, or anything like it. */
export interface Terminal {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  write(text: string): unknown
}

/** Colours a text, or leaves it as it is where there is no colour. */
export type Paint = (style: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string) => string

/** A painter: with colour on a terminal, unless `NO_COLOR` is set or the terminal calls itself dumb. */
export const painter = (terminal: Terminal, environment: NodeJS.ProcessEnv): Paint =>
  isLive(terminal, environment) && !environment['NO_COLOR']
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_style, text) => text

/** Whether a line can be drawn over. */
export const isLive = (terminal: Terminal, environment: NodeJS.ProcessEnv): boolean =>
  terminal.isTTY === true && environment['TERM'] !== 'dumb'

/** The width to draw in: the terminal's, or 80 where there is none. */
export const widthOf = ({ columns }: Terminal): number => (columns !== undefined && columns > 0 ? columns : 80)

/** Lines that stay, and below them one line of progress that the next one replaces. */
export interface Screen {
  print(lines: readonly string[]): void
  show(line: string): void
  /** Takes the line of progress away. */
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

/** A screen on a file or a pipe, where every line stays. */
export const plainScreen = (terminal: Terminal): Screen => ({
  print: (lines) => terminal.write(lines.map((line) => `${line}\n`).join('')),
  show: (line) => terminal.write(`${line}\n`),
  close: () => undefined,
})
