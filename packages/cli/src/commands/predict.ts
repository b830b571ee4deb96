import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { AttuneError, type Example } from '@attune/core'
import { readLines } from '@attune/data'
import { loadPredictor } from '@attune/trainer'
import { Command } from 'commander'
import { placesFrom } from '../places.js'
import { showWarnings } from '../show-warnings.js'

interface PredictFlags {
  readonly file?: string
  readonly field: string
}

/** The text of a line: the line itself, or a field of the JSON object that it holds. */
function textOf(line: string, number: number, file: string, field: string): string {
  if (!/\.jsonl(\.gz)?$/.test(file)) return line
  let value: unknown
  try {
    value = (JSON.parse(line) as Record<string, unknown>)[field]
  } catch {
    value = undefined
  }
  if (typeof value === 'string') return value
  throw new AttuneError(
    'BAD_ROW',
    `a line must be a JSON object with a text under "${field}" (${file}:${number})`,
    'Name the field that holds the text: --field NAME.',
  )
}

async function* texts(given: readonly string[], { file, field }: PredictFlags): AsyncGenerator<string> {
  if (given.length > 0) return yield* given
  if (file === undefined) return yield* createInterface({ input: process.stdin, crlfDelay: Infinity })
  for await (const lines of readLines(resolve(file)))
    for (const { text, number } of lines) if (text.trim() !== '') yield textOf(text, number, file, field)
}

/** Writes to stdout, and waits while its reader is slow. Resolves to whether anyone still reads. */
const write = (text: string): Promise<boolean> =>
  new Promise((done) => {
    process.stdout.write(text, (error) => done(error == null))
  })

/** Remembers the texts that go by, so that predictions can be told with them. */
async function* remembering(source: AsyncIterable<string>, seen: string[], field: string): AsyncGenerator<Example> {
  for await (const text of source) {
    seen.push(text)
    yield { [field]: text }
  }
}

/** `attune predict` */
export const predictCommand = (): Command =>
  new Command('predict')
    .summary("predict with a run's model")
    .description('Predicts with the model of a run. Prints a JSON object a line, and nothing else, on standard output.')
    .argument('<run>', 'the folder of the run')
    .argument('[text...]', 'texts; without any, --file or standard input, one text a line')
    .option('--file <file>', 'read texts from a file: one a line, or the field of a .jsonl file')
    .option('--field <name>', 'the field that holds the text, in the file and in the run', 'text')
    .addHelpText(
      'after',
      `
Examples:
  attune predict runs/debian-sections "A window manager for X"
  attune predict runs/debian-sections --file new.jsonl > predictions.jsonl
  cat texts.txt | attune predict runs/debian-sections`,
    )
    .action(async (run: string, given: readonly string[], flags: PredictFlags) => {
      process.stdout.on('error', () => undefined) // a closed pipe ends the loop below
      const predictor = await loadPredictor(resolve(run), { places: placesFrom() })
      showWarnings(predictor.warnings)
      const seen: string[] = []
      try {
        for await (const prediction of predictor.predict(remembering(texts(given, flags), seen, flags.field)))
          if (!(await write(`${JSON.stringify({ text: seen.shift(), ...prediction })}\n`))) break
      } finally {
        await predictor.close()
      }
    })
