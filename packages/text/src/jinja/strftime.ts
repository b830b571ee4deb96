/** Formatting of times with C's `strftime` letters, in the C locale. */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAY = 86_400_000

const dayOfYear = (date: Date): number =>
  Math.round((Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 1)) / DAY)

/** Week of the year, with weeks that begin on `firstDay`; days before the first such day are in week 0. */
const weekOf = (date: Date, firstDay: number): number =>
  Math.floor((dayOfYear(date) + 7 - ((date.getDay() - firstDay + 7) % 7)) / 7)

/** Year and week by ISO 8601: a week belongs to the year of its Thursday. */
function isoWeek(date: Date): readonly [year: number, week: number] {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 4 - (date.getDay() || 7))
  return [thursday.getFullYear(), Math.floor(dayOfYear(thursday) / 7) + 1]
}

/** A number with its default width and fill character; flags may override them. */
interface Numeric {
  readonly number: number
  readonly width: number
  readonly fill: '0' | ' '
}

const zeros = (number: number, width: number): Numeric => ({ number, width, fill: '0' })
const blanks = (number: number, width: number): Numeric => ({ number, width, fill: ' ' })
const twelve = (hours: number): number => hours % 12 || 12

const PARTS: Readonly<Record<string, (date: Date) => string | Numeric>> = {
  a: (date) => DAYS[date.getDay()]!.slice(0, 3),
  A: (date) => DAYS[date.getDay()]!,
  b: (date) => MONTHS[date.getMonth()]!.slice(0, 3),
  B: (date) => MONTHS[date.getMonth()]!,
  c: (date) => format(date, '%a %b %e %H:%M:%S %Y'),
  C: (date) => zeros(Math.floor(date.getFullYear() / 100), 2),
  d: (date) => zeros(date.getDate(), 2),
  D: (date) => format(date, '%m/%d/%y'),
  e: (date) => blanks(date.getDate(), 2),
  F: (date) => format(date, '%Y-%m-%d'),
  g: (date) => zeros(isoWeek(date)[0] % 100, 2),
  G: (date) => zeros(isoWeek(date)[0], 4),
  h: (date) => MONTHS[date.getMonth()]!.slice(0, 3),
  H: (date) => zeros(date.getHours(), 2),
  I: (date) => zeros(twelve(date.getHours()), 2),
  j: (date) => zeros(dayOfYear(date) + 1, 3),
  k: (date) => blanks(date.getHours(), 2),
  l: (date) => blanks(twelve(date.getHours()), 2),
  m: (date) => zeros(date.getMonth() + 1, 2),
  M: (date) => zeros(date.getMinutes(), 2),
  n: () => '\n',
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  P: (date) => (date.getHours() < 12 ? 'am' : 'pm'),
  r: (date) => format(date, '%I:%M:%S %p'),
  R: (date) => format(date, '%H:%M'),
  s: (date) => zeros(Math.floor(date.getTime() / 1000), 1),
  S: (date) => zeros(date.getSeconds(), 2),
  t: () => '\t',
  T: (date) => format(date, '%H:%M:%S'),
  u: (date) => zeros(date.getDay() || 7, 1),
  U: (date) => zeros(weekOf(date, 0), 2),
  V: (date) => zeros(isoWeek(date)[1], 2),
  w: (date) => zeros(date.getDay(), 1),
  W: (date) => zeros(weekOf(date, 1), 2),
  x: (date) => format(date, '%m/%d/%y'),
  X: (date) => format(date, '%H:%M:%S'),
  y: (date) => zeros(date.getFullYear() % 100, 2),
  Y: (date) => zeros(date.getFullYear(), 1),
  '%': () => '%',
}

/** Maximum field width; wider fields are left unchanged. */
const MAXIMUM_WIDTH = 1000

/** Letters that glibc does not accept after the modifiers `E` and `O`. */
const REFUSED: Readonly<Record<string, string>> = { E: 'aAbBdDeFgGhHIjklmMSUVwW', O: 'aAcDFxXY' }

const NAMES = new Set(['a', 'A', 'b', 'B', 'h'])

/** Applies glibc's case flags `^` and `#` to a part. */
function applyCase(text: string, letter: string, flags: string): string {
  if (letter === 'P' || (letter === 'p' && flags.includes('#'))) return text.toLowerCase()
  return flags.includes('^') || (NAMES.has(letter) && flags.includes('#')) ? text.toUpperCase() : text
}

function formatPart(part: string | Numeric, letter: string, flags: string, width: number): string {
  const isNumeric = typeof part !== 'string'
  const flag = flags.replace(/[^-_0]/g, '').at(-1)
  const fill = flag === '0' || (isNumeric && part.fill === '0' && flag === undefined) ? '0' : ' '
  const text = isNumeric ? String(part.number).padStart(flag === '-' ? 0 : part.width, fill) : part
  const shown = applyCase(text, letter, flags)
  return shown.padStart(width + shown.length - Array.from(shown).length, fill)
}

/**
 * Formats a time like Python's `datetime.strftime` with glibc, without a time zone. Unknown letters are left unchanged.
 */
export function format(date: Date, pattern: string): string {
  const microseconds = String(date.getMilliseconds() * 1000).padStart(6, '0')
  // Python itself replaces %f, and replaces %z and %Z by nothing, before it calls C.
  const prepared = pattern.replace(/%(.)/gsu, (whole, letter: string) =>
    letter === 'f' ? microseconds : letter === 'z' || letter === 'Z' ? '' : whole,
  )
  return prepared.replace(
    /%([-_0^#]*)([1-9]\d*)?([EO]?)([^]|$)/gu,
    (whole, flags: string, digits: string | undefined, modifier: string, letter: string) => {
      const width = Number(digits ?? 0)
      if (width > MAXIMUM_WIDTH || letter === 'z') return letter === 'z' ? '' : whole
      if (letter === 'Z') return (flags.includes('0') ? '0' : ' ').repeat(width)
      const isKnown = Object.hasOwn(PARTS, letter) && !REFUSED[modifier]?.includes(letter)
      const part = isKnown ? PARTS[letter]!(date) : whole
      return formatPart(part, letter, flags, width)
    },
  )
}
