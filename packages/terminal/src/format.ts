const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** A count in full: `12,345`. */
export const formatCount = (count: number): string => whole.format(count)

/** A count in three digits: `4.39M`. */
export const formatShort = (count: number): string => short.format(count)

/** A measured number in about four digits: `0.4321`, `12.35`, `1,235`, `5.00e-5`, `NaN`. */
export function formatNumber(value: number): string {
  const size = Math.abs(value)
  if (!Number.isFinite(value) || value === 0) return String(value)
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2)
  return size >= 1000 || Number.isInteger(value) ? whole.format(value) : value.toPrecision(4)
}

/** A size in decimal units: `12.3 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`
}

/** A time span in its two greatest units: `0.4 s`, `12 s`, `3 min 05 s`, `1 h 02 min`, `2 d 03 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '?'
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const all = Math.round(seconds)
  const pair = (size: number, greater: string, less: string, lessSize: number): string =>
    `${Math.floor(all / size)} ${greater} ${String(Math.floor((all % size) / lessSize)).padStart(2, '0')} ${less}`
  if (all < 60) return `${all} s`
  if (all < 3600) return pair(60, 'min', 's', 1)
  return all < 86_400 ? pair(3600, 'h', 'min', 60) : pair(86_400, 'd', 'h', 3600)
}

/** What is done, how far it is, how fast it gets on, and how long it will take: `bpe: 2,000 of 8,000 texts  500/s  12 s left`. */
export function formatProgress(given: {
  readonly plugin: string
  readonly phase: string
  readonly done: number
  readonly total?: number
  readonly seconds: number
}): string {
  const { plugin, phase, done, total, seconds } = given
  const rate = seconds > 0 ? done / seconds : 0
  const of = total === undefined ? '' : ` of ${formatCount(total)}`
  const speed = rate > 0 ? [`${formatNumber(rate)}/s`] : []
  const left = total !== undefined && rate > 0 ? [`${formatDuration((total - done) / rate)} left`] : []
  return [`${plugin}: ${formatCount(done)}${of} ${phase}`, ...speed, ...left].join('  ')
}

/**
 * A copy of a value in which control characters other than line ends, in strings and in names, are replaced by `�`: labels
 * and rows come from data, and data must not steer the terminal.
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
