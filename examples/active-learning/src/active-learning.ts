/**
 * Active learning with `attune select`, compared with random selection. A person would label the selected rows; here the labels that the
 * data has play that part. The arguments are the number of rounds, the rows that are labelled in each, and the seeds.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { buildProgram } from '@attune/cli'
import { evaluateRun } from '@attune/trainer/node'

const [rounds, count] = [Number(process.argv[2] ?? 2), Number(process.argv[3] ?? 90)]
const seeds = (process.argv[4] ?? '7,8,9').split(',').map(Number)
const SECTIONS = ['science', 'net', 'fonts', 'sound', 'graphics', 'admin', 'games', 'text']
const directory = mkdtempSync(join(tmpdir(), 'attune-active-learning-'))
const [pool, validation, test] = ['pool', 'validation', 'test'].map((name) => join(directory, `${name}.jsonl`)) as [
  string,
  string,
  string,
]

interface Row {
  readonly text: string
  readonly label: string | null
}

const write = (file: string, rows: readonly object[]): void =>
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
const parse = (text: string): Row[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
const descriptions = (split: string): Row[] =>
  parse(gunzipSync(readFileSync(new URL(`../../debian-sections/${split}.jsonl.gz`, import.meta.url))).toString())
    .filter(({ label }) => SECTIONS.includes(label!))
    .map(({ text, label }) => ({ text, label }))

/** An order of rows that depends on the seed alone. */
function shuffled(rows: readonly Row[], seed: number): Row[] {
  const rank = ({ text }: Row): string => createHash('sha256').update(`${seed} ${text}`).digest('hex')
  return [...rows].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
}

/** Runs a command of `npx attune`, without its output. */
async function attune(...args: readonly string[]): Promise<void> {
  const print = process.stdout.write
  process.stdout.write = () => true
  try {
    await buildProgram().exitOverride().parseAsync(args, { from: 'user' })
  } finally {
    process.stdout.write = print
  }
}

/** Writes a configuration with a file of labelled rows. */
function configured(train: string, name: string, seed: number): string {
  const file = join(directory, `${name}.yaml`)
  const config = {
    seed,
    directory: join(directory, name),
    data: {
      train: { use: 'jsonl', path: train },
      validation: { use: 'jsonl', path: validation },
      test: { use: 'jsonl', path: test },
    },
    tokenizer: { use: 'wordpiece', path: new URL('../../models/debian-bert', import.meta.url).pathname },
    model: { use: 'mlp', input: 'tf-idf', sublinearTf: true, hiddenSizes: [64] },
    objective: { use: 'sequence-classification', labels: SECTIONS, maximumLength: 96 },
    engine: 'auto',
    optimizer: { use: 'adamw', weightDecay: 0.01 },
    metric: 'accuracy',
    tracker: [],
    training: { epochs: 15, batchSize: 8, learningRate: 5e-3 },
  }
  writeFileSync(file, JSON.stringify(config)) // JSON is YAML
  return file
}

/** Writes the rows to label: those that have the highest entropy, or random ones. */
async function choose(by: string, config: string, run: string, candidates: readonly Row[], output: string) {
  if (by === 'random') write(output, candidates.slice(0, count))
  else await attune('select', config, '--run', run, '--pool', pool, '--count', String(count), '--output', output)
}

/** Test accuracies after each round. */
async function curve(by: string, seed: number): Promise<number[]> {
  const all = shuffled(descriptions('train').slice(0, 1500), seed)
  const answers = new Map(all.map(({ text, label }) => [text, label]))
  const start = SECTIONS.flatMap((name) => all.filter(({ label }) => label === name).slice(0, 5))
  write(
    pool,
    all.map(({ text }) => ({ text })),
  )
  const accuracies: number[] = []
  let train = join(directory, `${by}-${seed}.jsonl`)
  write(train, start)
  for (let round = 0; ; round++) {
    const name = `${by}-${seed}-${round}`
    const config = configured(train, name, seed)
    await attune('train', config)
    const run = join(directory, name)
    const { scores } = await evaluateRun(run)
    accuracies.push(scores['accuracy']!.value)
    if (round === rounds) break
    const known = new Set(parse(readFileSync(train, 'utf8')).map(({ text }) => text))
    const [chosen, labelled] = [join(directory, `${name}-to-label.jsonl`), join(directory, `${name}-labelled.jsonl`)]
    const candidates = all.filter(({ text }) => !known.has(text))
    await choose(by, config, run, candidates, chosen)
    write(
      labelled, // the person's part
      parse(readFileSync(chosen, 'utf8')).map((row) => ({ ...row, label: answers.get(row.text) })),
    )
    train = join(directory, `${name}-train.jsonl`)
    await attune('select', config, '--labelled', labelled, '--output', train)
  }
  return accuracies
}

write(validation, descriptions('validation').slice(0, 100))
write(test, descriptions('test'))
for (const by of ['entropy', 'random']) {
  const curves: number[][] = []
  for (const seed of seeds) curves.push(await curve(by, seed))
  for (const [round] of curves[0]!.entries()) {
    const values = curves.map((each) => each[round]!)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const labels = SECTIONS.length * 5 + round * count
    console.log(`${by}, ${labels} labels: accuracy ${mean.toFixed(3)} (${values.map((v) => v.toFixed(3)).join(', ')})`)
  }
}
rmSync(directory, { recursive: true })
