// @ts-check
/** Displays the progress of a campaign: target, inputs, rate, and time left. */
import { countsIn } from './course.mjs'

/** @import { Progress } from './course.mjs' */

const count = (/** @type {number} */ n) => n.toLocaleString('en-US')

/** Formats seconds as hours, minutes and seconds. @param {number} seconds */
const clock = (seconds) => {
  const [h, m, s] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) =>
    String(Math.floor(part)).padStart(2, '0'),
  )
  return `${h}:${m}:${s}`
}

/** Formats a finding. @param {Progress['findings'][number]} finding */
const line = ({ kind, what, number, file }) =>
  `    ${kind}: ${what.replaceAll('\n', '\n      ')}\n      input ${number === undefined ? 'grown' : number}${file === undefined ? '' : `, ${file}`}`

/** Formats the result of a target. @param {Progress} progress */
export function summary({ name, counts, findings }) {
  const { inputs, accepted, refused, crashed, strayed, slow, large, slowestSeconds, slowestBytes, largestMemory } =
    counts
  const fates = `accepted ${count(accepted)}, refused ${count(refused)}, crashed ${crashed}, strayed ${strayed}`
  const costs = `slow ${slow}, large ${large}, slowest ${slowestSeconds.toFixed(2)} s for ${count(slowestBytes)} bytes, most memory ${Math.round(largestMemory / 1e6)} MB`
  return [`${name}: ${count(inputs)} inputs, ${fates}, ${costs}`, ...findings.map(line)].join('\n')
}

/**
 * A progress display of a campaign.
 * @param {number} targets @param {number} inputs of all targets @param {NodeJS.WriteStream} stream
 */
export function display(targets, inputs, stream) {
  const begun = performance.now()
  /** @type {Map<string, Progress>} */
  const running = new Map()
  let [ended, done] = [0, 0]
  const inputsOf = (/** @type {Progress} */ { work, counts }) => counts.inputs + countsIn(work).inputs
  const show = () => {
    const all = [...running.values()].reduce((sum, progress) => sum + inputsOf(progress), done)
    const seconds = (performance.now() - begun) / 1000
    const rate = all / seconds
    const left = rate > 0 ? clock((inputs - all) / rate) : '?'
    const names = [...running.values()].map((progress) => `${progress.name} ${count(inputsOf(progress))}`)
    const text = `[${ended}/${targets}] ${count(all)} of ${count(inputs)} inputs, ${Math.round(rate)}/s, ${left} left; ${names.join(', ')}`
    stream.write(stream.isTTY ? `\r\u001b[K${text.slice(0, stream.columns - 1)}` : `${text}\n`)
  }
  const timer = setInterval(show, stream.isTTY ? 500 : 60_000)
  return {
    /** @param {Progress} progress */
    update(progress) {
      if (progress.type === 'began') return void running.set(progress.name, progress)
      running.delete(progress.name)
      ended++
      done += progress.counts.inputs
      if (stream.isTTY) stream.write('\r\u001b[K')
      stream.write(`${summary(progress)}\n`)
    },
    close: () => clearInterval(timer),
  }
}
