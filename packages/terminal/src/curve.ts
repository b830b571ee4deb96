import { formatCount, formatNumber } from './format.js'

/** Colors a text for the terminal, or returns it unchanged. */
export type Paint = (color: 'yellow', text: string) => string

/** A step and its loss. */
export type Point = readonly [step: number, loss: number]

/** Names in a plot: of its line, of its marks, and of both ends of the horizontal axis. */
export interface PlotNames {
  readonly line: string
  readonly marks: string
  readonly ends: (first: number, last: number) => readonly [string, string]
}

const LOSSES: PlotNames = {
  line: 'training loss, smoothed',
  marks: 'validation loss',
  ends: (first, last) => [`step ${formatCount(first)}`, formatCount(last)],
}

const HEIGHT = 10
/** Bits of Unicode braille patterns, by column and row of the dot in a character. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const

/** Rasterizes a straight line between two dots. */
function line([x0, y0]: Point, [x1, y1]: Point): Point[] {
  const count = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1)
  const between = (a: number, b: number, i: number): number => Math.round(a + ((b - a) * i) / count)
  return Array.from({ length: count + 1 }, (_, i) => [between(x0, x1, i), between(y0, y1, i)] as const)
}

/** Rasterizes the training loss as a line of dots and the validation losses as bullets. */
function canvas(training: readonly Point[], validation: readonly Point[], toDot: (p: Point) => Point, width: number) {
  const bits = Array.from({ length: HEIGHT }, () => new Array<number>(width).fill(0))
  training.map(toDot).forEach((dot, i, dots) => {
    for (const [x, y] of line(dots[Math.max(0, i - 1)]!, dot)) bits[y >> 2]![x >> 1]! |= DOTS[x & 1]![y & 3]!
  })
  const rows = bits.map((row) => row.map((bit) => (bit === 0 ? ' ' : String.fromCodePoint(0x2800 + bit))))
  for (const [x, y] of validation.map(toDot)) rows[y >> 2]![x >> 1] = '●'
  return rows
}

/**
 * Plots losses over steps in ten rows of braille characters, labeled with the maximum, middle and minimum loss and the first and last
 * step. Points that are not finite are ignored; fewer than two training points yield no lines. With other `names`, plots other numbers.
 *
 * @example
 * ```ts
 * import { curve } from '@attune/terminal'
 * const lines = curve([[1, 2.5], [100, 1.2], [200, 0.8]], [[100, 1.4]], 60, (color, text) => text)
 * // Ten rows of braille characters, the axes and a legend:
 * console.log(lines.join('\n'))
 * ```
 */
export function curve(
  training: readonly Point[],
  validation: readonly Point[],
  columns: number,
  paint: Paint,
  names: PlotNames = LOSSES,
): string[] {
  const [line, marks] = [training, validation].map((points) => points.filter(([, loss]) => Number.isFinite(loss)))
  if (line!.length < 2) return []
  const all = [...line!, ...marks!]
  const [first, last] = [Math.min(...all.map(([step]) => step)), Math.max(...all.map(([step]) => step))]
  const [low, high] = [Math.min(...all.map(([, loss]) => loss)), Math.max(...all.map(([, loss]) => loss))]
  const labels = [high, (high + low) / 2, low].map(formatNumber)
  const margin = Math.max(...labels.map((label) => label.length))
  const width = Math.max(10, columns - margin - 3)
  const toDot = ([step, loss]: Point): Point => [
    Math.round(((step - first) / (last - first)) * (2 * width - 1)),
    Math.round(high === low ? 2 * HEIGHT : ((high - loss) / (high - low)) * (4 * HEIGHT - 1)),
  ]
  const labelOf = (row: number): string =>
    ({ 0: labels[0]!, [HEIGHT >> 1]: labels[1]!, [HEIGHT - 1]: labels[2]! })[row] ?? ''
  const rows = canvas(line!, marks!, toDot, width).map(
    (row, i) =>
      `${labelOf(i).padStart(margin)} ┤${row.map((character) => (character === '●' ? paint('yellow', '●') : character)).join('')}`,
  )
  const [from, to] = names.ends(first, last)
  return [
    ...rows.map((row) => row.trimEnd()),
    `${' '.repeat(margin)} └${'─'.repeat(width)}`,
    `${' '.repeat(margin + 2)}${from}${to.padStart(width - from.length)}`,
    `${' '.repeat(margin + 2)}⣀⡠⠤ ${names.line}${marks!.length > 0 ? `   ${paint('yellow', '●')} ${names.marks}` : ''}`,
  ]
}
