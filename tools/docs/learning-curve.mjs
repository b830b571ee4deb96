// @ts-check
/**
 * Draws the learning curve of a run as SVG, from its `events.jsonl`: `node tools/docs/learning-curve.mjs RUN [FILE]`. Without FILE it
 * prints the image. The README's picture is `node tools/docs/learning-curve.mjs runs/debian-sections docs/images/training.svg`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseEvent } from '@attune/core'

/** @import { RunEvent } from '@attune/core' */
/** @typedef {readonly [step: number, loss: number]} Point */

const [WIDTH, HEIGHT] = [720, 320]
const MARGIN = { left: 56, right: 24, top: 44, bottom: 44 }
/** Time constant of the moving average, as a fraction of the run's steps. */
const SMOOTHING = 1 / 20

/** Exponential moving average with bias correction. @param {readonly Point[]} points @returns {Point[]} */
export function smoothed(points) {
  const decay = 1 - 1 / Math.max(1, Math.min(50, points.length * SMOOTHING))
  let [sum, weight] = [0, 0]
  return points.map(([step, loss]) => {
    sum = decay * sum + loss
    weight = decay * weight + 1
    return [step, sum / weight]
  })
}

/** Multiples of 1, 2 or 5 times a power of ten, about `count` of them, that cover [0, maximum]. @param {number} maximum @param {number} count */
export function ticks(maximum, count) {
  const power = 10 ** Math.floor(Math.log10(maximum / count))
  const size = [1, 2, 5, 10].map((factor) => factor * power).find((each) => maximum / each <= count) ?? maximum
  return Array.from({ length: Math.floor(maximum / size) + 1 }, (_, i) => i * size)
}

/** Steps, validation losses and last scores of a run. @param {readonly RunEvent[]} events */
function readCurve(events) {
  /** @type {Point[]} */
  const training = []
  /** @type {Point[]} */
  const validation = []
  /** @type {string[]} */
  let scores = []
  for (const event of events) {
    if (event.type === 'step.completed') training.push([event.step, event.loss])
    if (event.type !== 'evaluation.completed' || event.split !== 'validation') continue
    validation.push([event.step, event.scores['loss']?.value ?? NaN])
    scores = Object.entries(event.scores).map(([name, { value }]) => `${name} ${value.toFixed(3)}`)
  }
  return { training, validation, scores }
}

const number = (/** @type {number} */ n) => String(Math.round(n * 10) / 10)

/** @param {readonly RunEvent[]} events @returns {string} */
export function learningCurve(events) {
  const { training, validation, scores } = readCurve(events)
  if (training.length === 0) throw new Error('expected a run with completed steps, got none')
  const steps = Math.max(...training.map(([step]) => step))
  const highest = 1.05 * Math.max(...training.map(([, loss]) => loss))
  const x = (/** @type {number} */ step) =>
    MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * (step - 1)) / Math.max(1, steps - 1)
  const y = (/** @type {number} */ loss) =>
    HEIGHT - MARGIN.bottom - ((HEIGHT - MARGIN.top - MARGIN.bottom) * loss) / highest
  const line = (/** @type {readonly Point[]} */ points) =>
    points.map(([step, loss], i) => `${i === 0 ? 'M' : 'L'}${number(x(step))} ${number(y(loss))}`).join('')
  const rows = ticks(highest, 6).map(
    (loss) =>
      `<path class="grid" d="M${MARGIN.left} ${number(y(loss))}H${WIDTH - MARGIN.right}"/><text x="${MARGIN.left - 8}" y="${number(y(loss) + 4)}" text-anchor="end">${number(loss)}</text>`,
  )
  const columns = [1, ...ticks(steps, 8).slice(1)].map(
    (step) => `<text x="${number(x(step))}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${step}</text>`,
  )
  const dots = validation.map(([step, loss]) => `<circle cx="${number(x(step))}" cy="${number(y(loss))}" r="5"/>`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Learning curve: the loss of ${steps} training steps">
<style>
text { font: 12px system-ui, sans-serif; fill: #57606a }
.grid { stroke: #8c959f; stroke-opacity: 0.25 }
.raw, .smooth { fill: none; stroke: #0969da; stroke-linejoin: round }
.raw { stroke-opacity: 0.3 }
.smooth { stroke-width: 2.5 }
circle { fill: #cf222e }
@media (prefers-color-scheme: dark) { text { fill: #9da7b3 } .raw, .smooth { stroke: #58a6ff } circle { fill: #ff7b72 } }
</style>
${[...rows, ...columns].join('\n')}
<path class="raw" d="${line(training)}"/>
<path class="smooth" d="${line(smoothed(training))}"/>
${dots.join('\n')}
<path class="smooth" d="M${MARGIN.left} 20h24"/><text x="${MARGIN.left + 32}" y="24">training loss, smoothed</text>
<circle cx="${MARGIN.left + 206}" cy="20" r="5"/><text x="${MARGIN.left + 218}" y="24">validation: ${scores.join(', ')}</text>
<text x="${WIDTH - MARGIN.right}" y="${HEIGHT - 8}" text-anchor="end">step</text>
</svg>
`
}

/** The events of a run's log; a last line without an end is left out. @param {string} run @returns {RunEvent[]} */
const eventsOf = (run) =>
  readFileSync(join(run, 'events.jsonl'), 'utf8').split('\n').slice(0, -1).filter(Boolean).map(parseEvent)

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [run, file] = process.argv.slice(2)
  if (run === undefined) throw new Error('expected the folder of a run: node tools/docs/learning-curve.mjs RUN [FILE]')
  const image = learningCurve(eventsOf(run))
  if (file === undefined) process.stdout.write(image)
  else writeFileSync(file, image)
}
