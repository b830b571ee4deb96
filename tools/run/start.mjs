// @ts-check
/**
 * `npm start`: installs and builds what is missing, fine-tunes a small pretrained BERT on descriptions of Debian packages, evaluates it
 * on the test split next to baselines, and predicts three descriptions. Arguments are passed on to `attune train`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { install, must, nxCommand, nxEnvironment, root } from './ready.mjs'

const cli = join(root, 'packages/cli/dist/main.js')
const example = join(root, 'examples/debian-sections')

/** Accuracy and macro F1 of baselines on the same test split, each with its source. @type {{ model: string, accuracy: number, macroF1: number }[]} */
const others = JSON.parse(readFileSync(join(example, 'scores.json'), 'utf8')).scores

const DESCRIPTIONS = [
  'Real-time strategy game of ancient warfare in which players lead civilizations from the iron age',
  'Typeface family with serifs, in regular, bold and italic, covering Latin, Greek and Cyrillic',
  'Command-line client that sends and receives electronic mail over IMAP and SMTP',
]

/** The first unfinished run of runs/debian-sections, runs/debian-sections-2, … */
function chooseDirectory() {
  for (let number = 1; ; number++) {
    const directory = join(root, 'runs', number === 1 ? 'debian-sections' : `debian-sections-${number}`)
    if (!existsSync(join(directory, 'model'))) return directory
  }
}

/** @param {string[]} args */
function attune(...args) {
  const { status } = spawnSync(process.execPath, [cli, ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

const begun = performance.now()
install()
console.log('Building changed packages …')
must(process.execPath, [...nxCommand, 'run-many', '-t', 'build', '--outputStyle=static'], {
  env: nxEnvironment,
  stdio: ['ignore', 'ignore', 'inherit'],
})

const directory = chooseDirectory()
const resumable = ['learned.json', 'config.json'].every((name) => existsSync(join(directory, name)))
console.log(`\nFine-tuning examples/models/debian-bert on examples/debian-sections, into ${directory} …\n`)
if (resumable) attune('train', '--resume', directory)
else attune('train', join(example, 'config.yaml'), '--directory', directory, ...process.argv.slice(2))

console.log('\nEvaluation on the test split:\n')
// Imported here, because nothing may be installed or built when this program starts.
const { evaluateRun, openPredictor } = await import('@attune/trainer/node')
const { evaluationText } = await import('@attune/cli')
const { table } = await import('@attune/terminal')
const evaluation = await evaluateRun(directory)
console.log(evaluationText(evaluation))
const { scores } = evaluation
const own = ['this run, pretrained', scores.accuracy.value, scores['macro-f1'].value]
const [reference] = others
let said = 0
/** Difference of a score from the first baseline. @param {string} name @param {number} score @param {number} other */
const comparison = (name, score, other) => {
  const points = 100 * (score - other)
  const where =
    Math.abs(points) < 0.05 ? 'the same' : `${Math.abs(points).toFixed(1)} points ${points > 0 ? 'above' : 'below'}`
  return `${name} ${where}`
}
const digits = (/** @type {unknown} */ cell) => (typeof cell === 'number' ? cell.toFixed(3) : String(cell))
console.log(`
Side by side:

${table(
  ['', 'accuracy', 'macro F1'],
  [...others.map(({ model, accuracy, macroF1 }) => [model, accuracy, macroF1]), own].map((row) => row.map(digits)),
).join('\n')}

Compared with ${reference.model}: ${comparison('accuracy', scores.accuracy.value, reference.accuracy)}, ${comparison('macro F1', scores['macro-f1'].value, reference.macroF1)}.

Three descriptions that are in no split:
`)
const predictor = await openPredictor(directory)
for (const prediction of await predictor.predict(DESCRIPTIONS.map((text) => ({ text })))) {
  if (prediction instanceof Error) throw prediction
  const { label, scores: shares } = prediction
  const best = Object.entries(/** @type {Record<string, number>} */ (shares)).sort(([, a], [, b]) => b - a)
  const words = best.slice(0, 3).map(([name, share]) => `${name} ${(100 * share).toFixed(0)} %`)
  console.log(`  ${DESCRIPTIONS[said++]}\n    → ${label}   (${words.join(', ')})`)
}
await predictor.close()
console.log(
  `\nThe model is in ${join(directory, 'model')}. Total time: ${((performance.now() - begun) / 60_000).toFixed(1)} minutes.`,
)
