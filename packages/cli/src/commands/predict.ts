import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { AttuneError, type Example, type Source, isAttuneError } from '@attune/core'
import { readLines } from '@attune/data/files'
import { type Predictor, predictStream } from '@attune/trainer'
import { openPredictor } from '@attune/trainer/node'
import { Command } from 'commander'
import { folderOf } from '../hub-models.js'
import { placesFrom } from '../places.js'
import { sourceOf } from './evaluate.js'
import { showWarnings } from '../show-warnings.js'

interface PredictFlags {
  readonly file?: string
  readonly field?: string
  readonly trust?: boolean
}

/** The rows of a data file, or the lines of any other, as examples whose text stands under `field`. */
async function* examplesIn(file: string, field: string, readFrom: string): AsyncGenerator<Example> {
  if (/\.(jsonl|csv|tsv)(\.gz)?$/.test(file)) {
    const { use, ...options } = await sourceOf(file)
    const source = use.plugin(options) as Source
    for await (const row of source.open(undefined, [readFrom])) yield { ...row, [field]: row[readFrom] }
  } else
    for await (const lines of readLines(resolve(file)))
      for (const { text } of lines) if (text.trim() !== '') yield { [field]: text }
}

/** What to predict: the texts given, the file, or standard input. */
async function* examples(
  given: readonly string[],
  { file, field }: PredictFlags,
  own: string,
): AsyncGenerator<Example> {
  if (file !== undefined) return yield* examplesIn(file, own, field ?? own)
  const texts = given.length > 0 ? given : createInterface({ input: process.stdin, crlfDelay: Infinity })
  for await (const text of texts) yield { [own]: text }
}

function refuseUnused(given: readonly string[], { file, field }: PredictFlags): void {
  const why =
    given.length > 0 && file !== undefined
      ? `texts come from the command line or from --file, not from both`
      : field !== undefined && file === undefined
        ? '--field names a field of a file, and there is no --file'
        : undefined
  if (why === undefined) return
  throw new AttuneError('BAD_USAGE', why, 'For example: attune predict RUN --file new.jsonl --field body')
}

/** Writes to stdout, and waits while its reader is slow. Resolves to whether anyone still reads. */
const write = (text: string): Promise<boolean> =>
  new Promise((done) => {
    process.stdout.write(text, (error) => done(error == null))
  })

/**
 * Prints an answer a row; a row that cannot be predicted has its error there.
 * @throws AttuneError `PREDICTION_FAILED` at the end, if there was such a row
 */
async function answerAll(predictor: Predictor, rows: (field: string) => AsyncIterable<Example>): Promise<void> {
  const [field = 'text'] = predictor.describes.fields
  let [all, failed, first] = [0, 0, undefined as AttuneError | undefined]
  for await (const { example, answer } of predictStream(predictor, rows(field))) {
    all++
    const text = example[field]
    const isFailure = isAttuneError(answer)
    if (isFailure) [failed, first] = [failed + 1, first ?? answer]
    const { code, problem, remedy } = isFailure ? answer : ({} as Partial<AttuneError>)
    const line = isFailure ? { text, error: { code, problem, remedy } } : { text, ...answer }
    if (!(await write(`${JSON.stringify(line)}\n`))) return
  }
  if (first === undefined) return
  const counted = all === 1 ? 'the row could not be predicted' : `${failed} of ${all} rows could not be predicted`
  throw new AttuneError('PREDICTION_FAILED', `${counted}: ${first.problem}`, first.remedy, { cause: first })
}

/** `attune predict` */
export const predictCommand = (): Command =>
  new Command('predict')
    .summary("predict with a run's model, or a saved classifier")
    .description(
      'Predicts with the model of a run, or with a classifier in the layout of the Hugging Face library, in a folder or on the Hub. Prints a JSON object a line, and nothing else, on standard output; a row that cannot be predicted has its `error` there.',
    )
    .argument('<model>', 'the folder of the run or of the classifier, or its name on the Hub')
    .argument('[text...]', 'texts; without any, --file or standard input, one text a line')
    .option(
      '--file <file>',
      'read texts from a file: a .jsonl, .csv or .tsv, gzipped or not, or any other, one text a line',
    )
    .option('--field <name>', 'the field of that file that holds the text; the one that the run read, if left out')
    .option('--trust', 'load plugins that the run names by a path and that you did not name here yourself')
    .addHelpText(
      'after',
      `
Examples:
  attune predict runs/debian-sections "A window manager for X"
  attune predict runs/debian-sections --file new.jsonl > predictions.jsonl
  attune predict distilbert/distilbert-base-uncased-finetuned-sst-2-english "A delight."
  cat texts.txt | attune predict runs/debian-sections`,
    )
    .action(async (model: string, given: readonly string[], flags: PredictFlags) => {
      refuseUnused(given, flags)
      process.stdout.on('error', () => undefined) // a closed pipe ends the loop below
      const { trust = false } = flags
      const predictor = await openPredictor(await folderOf(model), { places: placesFrom(), trust })
      showWarnings(predictor.warnings)
      try {
        await answerAll(predictor, (field) => examples(given, flags, field))
      } finally {
        await predictor.close()
      }
    })
