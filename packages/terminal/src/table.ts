import stringWidth from 'string-width'

/** Puts a text on one line and truncates it to a display width of `columns`. */
export function shorten(text: string, columns: number): string {
  const line = text.replaceAll('\n', ' ')
  if (stringWidth(line) <= columns) return line
  let truncated = ''
  for (const character of line) {
    if (stringWidth(truncated + character) >= columns) break
    truncated += character
  }
  return `${truncated}…`
}

/**
 * Formats a table as lines: numeric columns are right-aligned, others left-aligned; missing cells are empty. Uses display widths and
 * trims trailing blanks.
 *
 * @example
 * ```ts
 * import { table } from '@attune/terminal'
 * console.log(table(['label', 'f1'], [['python', '0.5'], ['x', '0.25']]).join('\n'))
 * // label     f1
 * // python   0.5
 * // x       0.25
 * ```
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [header, ...rows].map((row) => header.map((_, i) => row[i] ?? ''))
  const widths = header.map((_, i) => Math.max(...cells.map((row) => stringWidth(row[i]!))))
  const numeric = header.map((_, i) =>
    cells.slice(1).every((row) => /^(-?[\d.,]+(e-?\d+)?|NaN|-?Infinity)?$/.test(row[i]!)),
  )
  const align = (text: string, i: number): string => {
    const space = ' '.repeat(widths[i]! - stringWidth(text))
    return numeric[i] ? space + text : text + space
  }
  return cells.map((row) => row.map(align).join('  ').trimEnd())
}

/** Formats a column of numbers uniformly: as integers if all are integers and some exceed 1, else with four decimals. */
export function column(values: readonly (number | undefined)[]): string[] {
  const known = values.filter((value) => value !== undefined)
  const counts = known.every(Number.isInteger) && known.some((value) => value > 1)
  return values.map((value) => (value === undefined ? '' : counts ? String(value) : value.toFixed(4)))
}
