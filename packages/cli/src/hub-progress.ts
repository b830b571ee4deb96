import { AttuneError } from '@attune/core'
import type { HubEvent } from '@attune/hub'

/** A stream that progress is shown on. */
export interface Screen {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

const CLEAR_LINE = '\r\u001b[2K'
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** Human-readable bytes: 1.4 GB. */
export function byteText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1)
  const value = bytes / 1000 ** power
  return `${power === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`
}

/** Human-readable duration: 1:05, 2:00:00; empty if unknown. */
export function timeText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?'
  const whole = Math.ceil(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (n: number): string => String(n).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** The permanent line of an event, if it has one. */
function lineOf(event: HubEvent): string | undefined {
  switch (event.type) {
    case 'download.started':
      return `${event.name} at ${event.revision}: ${event.files} files, ${byteText(event.bytes)}${event.bytesCached > 0 ? `, ${byteText(event.bytesCached)} of them in the cache` : ''}`
    case 'request.retried':
      return `${event.because}; asking again in ${event.pauseSeconds.toFixed(1)} s`
    case 'lock.awaited':
      return `waiting for another process that fetches ${event.path}`
    case 'hub.warned':
      return event.message
    case 'upload.started':
      return [
        `${event.name}${event.created ? ', made for it' : ''}: ${byteText(event.bytes)} to send`,
        ...event.added.map((path) => `  new        ${path}`),
        ...event.replaced.map((path) => `  replaced   ${path}`),
        ...event.unchanged.map((path) => `  unchanged  ${path}`),
      ].join('\n')
    default:
      return undefined
  }
}

/** The transient line of an event, replaced by that of the next. */
function passing(event: HubEvent): string | undefined {
  if (event.type === 'upload.progressed') return `${event.doing} ${event.path}: ${Math.floor(event.share * 100)} %`
  if (event.type !== 'download.progressed') return undefined
  const { bytesHere, bytes, bytesPerSecond, secondsLeft } = event
  return `${byteText(bytesHere)} of ${byteText(bytes)}, ${byteText(bytesPerSecond)}/s, ${timeText(secondsLeft)} left`
}

/** Shows transfers from and to the Hub: permanent lines and, on a terminal, a live progress line. */
export function showHub(screen: Screen): (event: HubEvent) => void {
  const live = screen.isTTY === true
  return (event) => {
    const [line, progress] = [lineOf(event), passing(event)]
    if (live && progress !== undefined) screen.write(`${CLEAR_LINE}${progress}`)
    else if (line !== undefined) screen.write(`${live ? CLEAR_LINE : ''}${line}\n`)
    else if (live && event.type.endsWith('.completed') && event.type !== 'file.completed') screen.write(CLEAR_LINE)
  }
}

/** Parses an option whose value is a commit. @throws AttuneError `BAD_USAGE` */
export function checkedCommit(text: string): string {
  if (/^[0-9a-f]{40}$/.test(text)) return text
  throw new AttuneError(
    'BAD_USAGE',
    `--over takes the 40 hexadecimal digits of a commit, got "${text}"`,
    'The message of the refused upload has it.',
  )
}
