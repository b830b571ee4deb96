// @ts-check
/**
 * Draws the convergence of every optimizer on the functions of the contract suite: `node tools/docs/optimizers.mjs`. Writes
 * docs/images/optimizers.svg and the table of docs/measurements/optimizers.md. For each function, every optimizer takes the learning rate
 * of a grid with the lowest final loss. The packages must be built.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { OPTIMIZER, userSpecifier } from '@attune/core'
import { eagerEngine } from '@attune/nn'
import { findPlugin } from '@attune/resolve'
import { optimizerTasks, traceOptimizer } from '@attune/testkit'
import { format, resolveConfig } from 'prettier'
import { replacePart } from '../check/replace-part.mjs'
import '@tensorflow/tfjs'

/** @import { Engine, Optimizer } from '@attune/core' */
/** @typedef {readonly number[]} Losses */
/** @typedef {{ name: string, rate: number, excess: Losses }} Curve */

const root = join(import.meta.dirname, '../..')
/** Complete optimizers, in groups of one colour; links of a chain are left out. */
const GROUPS = {
  'SGD and large batches': ['sgd', 'lars', 'lamb'],
  'adaptive steps': ['adagrad', 'adadelta', 'rmsprop', 'adafactor'],
  'Adam and its variants': ['adam', 'adamw', 'adamw-8bit', 'nadam', 'radam', 'adamax', 'schedule-free-adamw'],
  'sign and matrix steps': ['lion', 'muon', 'sophia'],
  'second order, line search': ['conjugate-gradient', 'lbfgs', 'newton'],
}
const COLOURS = ['#57606a', '#bf8700', '#0969da', '#8250df', '#cf222e']
const RATES = [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1]
const STEPS = 300
/** Losses closer to the minimum than this are drawn at the bottom. */
const FLOOR = 1e-7
/** Every third step is drawn. */
const STRIDE = 3
const [WIDTH, HEIGHT, GAP] = [1080, 380, 24]
const MARGIN = { left: 52, right: 12, top: 40, bottom: 76 }

const seriesOf = (/** @type {string} */ name) => Object.values(GROUPS).findIndex((names) => names.includes(name))
const lasting = (/** @type {Losses} */ losses) => Math.min(Infinity, losses.at(-1) ?? Infinity)

/** The curve of the best learning rate. @param {Engine} engine @param {string} name @param {keyof typeof optimizerTasks} task @returns {Promise<Curve>} */
async function best(engine, name, task) {
  const { plugin } = await findPlugin(OPTIMIZER, userSpecifier(name), { folders: [root] })
  const options = name === 'adamw-8bit' ? { minimumSize: 1, blockSize: 4 } : {}
  const rates = seriesOf(name) === 4 ? [1] : RATES
  let found = { name, rate: NaN, excess: /** @type {Losses} */ ([]) }
  for (const rate of rates) {
    const optimizer = /** @type {Optimizer} */ (plugin(options))
    const losses = await traceOptimizer(engine, optimizer, { task, learningRate: rate, steps: STEPS })
    const excess = losses.map((loss) => loss - optimizerTasks[task].minimum)
    if (Number.isFinite(excess.at(-1)) && !(lasting(found.excess) <= lasting(excess))) found = { name, rate, excess }
  }
  return found
}

const number = (/** @type {number} */ n) => String(Math.round(n * 10) / 10)
const power = (/** @type {number} */ exponent) =>
  `10${[...String(exponent)].map((c) => (c === '-' ? '⁻' : ('⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)] ?? c))).join('')}`

/** One function's panel. @param {string} title @param {readonly Curve[]} curves @param {number} left @param {number} width */
function panel(title, curves, left, width) {
  const highest = Math.log10(Math.max(...curves.map(({ excess: [first = 1] }) => first)))
  const lowest = Math.log10(FLOOR)
  const x = (/** @type {number} */ step) => left + (width * step) / (STEPS - 1)
  const y = (/** @type {number} */ excess) => {
    const level = Math.min(highest, Math.max(lowest, Math.log10(Math.max(FLOOR, excess))))
    return MARGIN.top + ((HEIGHT - MARGIN.top - MARGIN.bottom) * (highest - level)) / (highest - lowest)
  }
  const exponents = Array.from({ length: 5 }, (_, i) => lowest + 2 * i).filter((exponent) => exponent <= highest)
  const grid = exponents.map(
    (exponent) =>
      `<path class="grid" d="M${number(left)} ${number(y(10 ** exponent))}h${number(width)}"/><text x="${number(left - 6)}" y="${number(y(10 ** exponent) + 4)}" text-anchor="end">${power(exponent)}</text>`,
  )
  const steps = [0, 100, 200, STEPS].map(
    (step) =>
      `<text x="${number(x(Math.min(step, STEPS - 1)))}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${step}</text>`,
  )
  const lines = curves.map(({ name, rate, excess }) => {
    const points = excess.flatMap((value, step) =>
      step % STRIDE === 0 ? [`${step === 0 ? 'M' : 'L'}${number(x(step))} ${number(y(value))}`] : [],
    )
    return `<path class="s${seriesOf(name)}" d="${points.join('')}"><title>${name}, learning rate ${rate}</title></path>`
  })
  return `<text class="title" x="${number(left)}" y="24">${title}</text>\n${[...grid, ...steps, ...lines].join('\n')}`
}

/** The picture. @param {Readonly<Record<string, readonly Curve[]>>} curves by title @returns {string} */
export function picture(curves) {
  const titles = Object.entries(curves)
  const width = (WIDTH - MARGIN.right - titles.length * MARGIN.left - (titles.length - 1) * GAP) / titles.length
  const panels = titles.map(([title, each], i) =>
    panel(title, each, MARGIN.left + i * (width + GAP + MARGIN.left), width),
  )
  const legend = Object.entries(GROUPS).map(([group], i) => {
    const at = MARGIN.left + (i * (WIDTH - MARGIN.left)) / 5
    return `<path class="s${i}" d="M${number(at)} ${HEIGHT - 18}h24"/><text x="${number(at + 30)}" y="${HEIGHT - 14}">${group}</text>`
  })
  const colours = COLOURS.map((colour, i) => `.s${i} { stroke: ${colour} }`).join(' ')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Convergence of optimizers: distance of the loss from its minimum over ${STEPS} steps">
<style>
text { font: 12px system-ui, sans-serif; fill: #57606a }
.title { font-weight: 600 }
.grid { stroke: #8c959f; stroke-opacity: 0.25 }
[class^=s] { fill: none; stroke-width: 1.5; stroke-linejoin: round; stroke-opacity: 0.8 }
${colours}
@media (prefers-color-scheme: dark) { text { fill: #9da7b3 } .s0 { stroke: #9da7b3 } .s2 { stroke: #58a6ff } .s3 { stroke: #bc8cff } .s4 { stroke: #ff7b72 } }
</style>
${panels.join('\n')}
${legend.join('\n')}
<text x="${WIDTH - MARGIN.right}" y="${HEIGHT - MARGIN.bottom + 36}" text-anchor="end">step</text>
</svg>
`
}

async function main() {
  const engine = eagerEngine({ backend: 'cpu', device: '', load: () => Promise.resolve() })
  await engine.start()
  /** @type {Record<string, Curve[]>} */
  const curves = {}
  for (const [task, { title }] of Object.entries(optimizerTasks).filter(([name]) => name !== 'leastSquares')) {
    curves[title] = []
    for (const name of Object.values(GROUPS).flat())
      curves[title].push(await best(engine, name, /** @type {any} */ (task)))
  }
  await engine.close()
  writeFileSync(join(root, 'docs/images/optimizers.svg'), picture(curves))
  const cell = (/** @type {Curve} */ { rate, excess }) => {
    const last = lasting(excess)
    return `${last < FLOOR ? '< 10⁻⁷' : last.toExponential(1)} (${rate})`
  }
  const rows = Object.values(GROUPS)
    .flat()
    .map((name) => {
      const own = Object.values(curves).map((each) => cell(/** @type {Curve} */ (each.find((c) => c.name === name))))
      return `| [${name}](../../plugins/optimizer-${name}/README.md) | ${own.join(' | ')} |`
    })
  const titles = Object.keys(curves)
  const table = `| optimizer | ${titles.join(' | ')} |\n| --- |${' --- |'.repeat(titles.length)}\n${rows.join('\n')}`
  const path = join(root, 'docs/measurements/optimizers.md')
  const text = replacePart(readFileSync(path, 'utf8'), 'convergence', table)
  if (text === undefined) throw new Error(`${path} lacks <!-- convergence --> and <!-- /convergence -->`)
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), filepath: path }))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
