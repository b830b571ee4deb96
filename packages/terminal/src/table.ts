import stringWidth from 'string-width'

/** A text on one line, cut to so many columns of the terminal. */
export function shorten(text: string, columns: number): string {
  const line = text.replaceAll('\n', ' ')
  if (stringWidth(line) <= columns) return line
  let cut = ''
  for (const character of line) {
    if (stringWidth(cut + character) >= columns) break
    cut += character
  }
  return `${cut}…`
}

/**
 * Lines of a table: columns of numbers stand right, others left; a missing cell is empty. Widths are those that the
 * terminal shows, and no line ends in blanks.
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [header, ...rows].map((row) => header.map((_, i) => row[i] ?? ''))
  const widths = header.map((_, i) => Math.max(...cells.map((row) => stringWidth(row[i]!))))
  const numeric = header.map((_, i) =>
    cells.slice(1).every((row) => /^(-?[\d.,]+(e-?\d+)?|NaN|-?Infinity)?$/.test(row[i]!)),
  )
  const place = (text: string, i: number): string => {
    const space = ' '.repeat(widths[i]! - stringWidth(text))
    return numeric[i] ? space + text : text + space
  }
  return cells.map((row) => row.map(place).join('  ').trimEnd())
}

/** A column of numbers in one form: whole where all are whole and not all are 0 or 1, else with four decimals. */
export function column(values: readonly (number | undefined)[]): string[] {
  const known = values.filter((value) => value !== undefined)
  const counts = known.every(Number.isInteger) && known.some((value) => value > 1)
  return values.map((value) => (value === undefined ? '' : counts ? String(value) : value.toFixed(4)))
}
