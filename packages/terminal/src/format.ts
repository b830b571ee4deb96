const integer = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** Formats a count in full: `12,345`. */
export const formatCount = (count: number): string => integer.format(count)

/** Formats a count in three significant digits: `4.39M`. */
export const formatShort = (count: number): string => short.format(count)

/** Formats a measurement in about four significant digits: `0.4321`, `12.35`, `1,235`, `5.00e-5`, `NaN`. */
export function formatNumber(value: number): string {
  const size = Math.abs(value)
  if (!Number.isFinite(value) || value === 0) return String(value)
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2)
  return size >= 1000 || Number.isInteger(value) ? integer.format(value) : value.toPrecision(4)
}

/** Formats a size in decimal units: `12.3 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`
}

/** Formats a duration in its two largest units: `0.4 s`, `12 s`, `3 min 05 s`, `1 h 02 min`, `2 d 03 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '?'
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const all = Math.round(seconds)
  const pair = (size: number, unit: string, subunit: string, subunitSize: number): string =>
    `${Math.floor(all / size)} ${unit} ${String(Math.floor((all % size) / subunitSize)).padStart(2, '0')} ${subunit}`
  if (all < 60) return `${all} s`
  if (all < 3600) return pair(60, 'min', 's', 1)
  return all < 86_400 ? pair(3600, 'h', 'min', 60) : pair(86_400, 'd', 'h', 3600)
}

/**
 * Formats progress with its rate and the remaining time.
 *
 * @example
 * ```ts
 * import { formatProgress } from '@attune/terminal'
 * console.log(formatProgress({ plugin: 'bpe', phase: 'texts', done: 2000, total: 8000, seconds: 4 }))
 * // bpe: 2,000 of 8,000 texts  500/s  12 s left
 * ```
 */
export function formatProgress(progress: {
  readonly plugin: string
  readonly phase: string
  readonly done: number
  readonly total?: number
  readonly seconds: number
}): string {
  const { plugin, phase, done, total, seconds } = progress
  const rate = seconds > 0 ? done / seconds : 0
  const of = total === undefined ? '' : ` of ${formatCount(total)}`
  const speed = rate > 0 ? [`${formatNumber(rate)}/s`] : []
  const left = total !== undefined && rate > 0 ? [`${formatDuration((total - done) / rate)} left`] : []
  return [`${plugin}: ${formatCount(done)}${of} ${phase}`, ...speed, ...left].join('  ')
}

/**
 * Returns a copy of a value in which control characters other than line endings, in strings and in keys, are replaced with `�`, so
 * that untrusted labels and rows cannot send escape sequences to the terminal.
 */
export function printable<T>(value: T): T {
  const clean = (text: string): string => text.replace(/(?!\n)\p{Cc}/gu, '�')
  const walk = (node: unknown): unknown => {
    if (typeof node === 'string') return clean(node)
    if (Array.isArray(node)) return node.map(walk)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([key, child]) => [clean(key), walk(child)]))
  }
  return walk(value) as T
}
