import stringWidth from 'string-width'

const WIDEST = 40

/** The text on one line, and cut to {@link WIDEST} columns of the terminal. */
function cell(text: string): string {
  const line = text.replaceAll('\n', ' ')
  if (stringWidth(line) <= WIDEST) return line
  let cut = ''
  for (const character of line) {
    if (stringWidth(cut + character) >= WIDEST) break
    cut += character
  }
  return `${cut}…`
}

/** Lines of a table: the first column stands left, the others right; a missing cell is empty. No line ends in blanks. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [header, ...rows].map((row) => header.map((_, i) => cell(row[i] ?? '')))
  const widths = header.map((_, i) => Math.max(...cells.map((row) => stringWidth(row[i]!))))
  const place = (text: string, i: number): string => {
    const space = ' '.repeat(widths[i]! - stringWidth(text))
    return i === 0 ? text + space : space + text
  }
  return cells.map((row) => `  ${row.map(place).join('  ')}`.trimEnd())
}

/** A column of numbers in one form: whole where all are whole and not all are 0 or 1, else with four decimals. */
export function column(values: readonly (number | undefined)[]): string[] {
  const known = values.filter((value) => value !== undefined)
  const counts = known.every(Number.isInteger) && known.some((value) => value > 1)
  return values.map((value) => (value === undefined ? '' : counts ? String(value) : value.toFixed(4)))
}
