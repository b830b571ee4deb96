import { createInterface } from 'node:readline'
import { AttuneError, type Example, isAttuneError } from '@attune/core'
import { type PredictOptions, type PredictedExample, type Predictor, predictStream } from '@attune/trainer'
import { openPredictor } from '@attune/trainer/node'
import { Command } from 'commander'
import { folderOf } from '../hub-models.js'
import { searchPathsFrom } from '../search-paths.js'
import { showWarnings } from '../show-warnings.js'
import { textRows } from '../text-rows.js'

interface PredictFlags {
  readonly file?: string
  readonly field?: string
  readonly trust?: boolean
  readonly adapter?: string
  readonly task?: string
}

/** Value of a field that a row has; undefined otherwise, also for names such as `constructor`. */
const valueIn = (row: Example, field: string): unknown => (Object.hasOwn(row, field) ? row[field] : undefined)

/** Examples to predict: the given texts, the file, or standard input. */
async function* examples(
  given: readonly string[],
  { file, field }: PredictFlags,
  own: string,
): AsyncGenerator<Example> {
  if (file !== undefined) {
    const from = field ?? own
    for await (const row of textRows(file, [from])) yield { ...row, [own]: valueIn(row, from) }
    return
  }
  const texts = given.length > 0 ? given : createInterface({ input: process.stdin, crlfDelay: Infinity })
  for await (const text of texts) yield { [own]: text }
}

function refuseUnused(given: readonly string[], { file, field, adapter, task }: PredictFlags): void {
  const why =
    given.length > 0 && file !== undefined
      ? `texts come from the command line or from --file, not from both`
      : field !== undefined && file === undefined
        ? '--field names a field of a file, and there is no --file'
        : adapter !== undefined && task !== undefined
          ? '--task names a task of a run, and --adapter another adapter with a task of its own'
          : undefined
  if (why === undefined) return
  throw new AttuneError('BAD_USAGE', why, 'For example: npx attune predict RUN --file new.jsonl --field body')
}

/** Writes to stdout with back-pressure. Resolves to false once the reader has closed it. */
const write = (text: string): Promise<boolean> =>
  new Promise((done) => {
    process.stdout.write(text, (error) => done(error == null))
  })

/** The text, the prediction or error, and the other fields of the row, such as an id, that have none of these names. */
function toLine(row: Example, field: string, answer: PredictedExample['answer']): Readonly<Record<string, unknown>> {
  const { code, problem, remedy } = isAttuneError(answer) ? answer : ({} as Partial<AttuneError>)
  const result = isAttuneError(answer) ? { error: { code, problem, remedy } } : answer
  const own = { text: valueIn(row, field), ...result }
  const isOther = ([name]: [string, unknown]): boolean =>
    !Object.hasOwn(own, name) && name !== 'error' && name !== field
  return { ...own, ...Object.fromEntries(Object.entries(row).filter(isOther)) }
}

/**
 * Prints one prediction per row; a row that fails has an `error` instead.
 * @throws AttuneError `PREDICTION_FAILED` at the end, if a row failed
 */
async function answerAll(
  predictor: Predictor,
  rows: (field: string) => AsyncIterable<Example>,
  chosen: Pick<PredictOptions, 'adapter'>,
): Promise<void> {
  const { describes } = predictor
  const [field = 'text'] = (describes.adapters?.[chosen.adapter ?? ''] ?? describes).fields
  let [all, failed, first] = [0, 0, undefined as AttuneError | undefined]
  for await (const { example, answer } of predictStream(predictor, rows(field), chosen)) {
    all++
    if (isAttuneError(answer)) [failed, first] = [failed + 1, first ?? answer]
    if (!(await write(`${JSON.stringify(toLine(example, field, answer))}\n`))) return
  }
  if (first === undefined) return
  const counted = all === 1 ? 'the row could not be predicted' : `${failed} of ${all} rows could not be predicted`
  throw new AttuneError('PREDICTION_FAILED', `${counted}: ${first.problem}`, first.remedy, { cause: first })
}

async function predict(model: string, given: readonly string[], flags: PredictFlags): Promise<void> {
  refuseUnused(given, flags)
  process.stdout.on('error', () => undefined) // a closed pipe ends the loop below
  const { trust = false, adapter, task } = flags
  const adapters = adapter === undefined ? {} : { [adapter]: await folderOf(adapter) }
  const own = task === undefined ? {} : { task }
  const predictor = await openPredictor(await folderOf(model), {
    searchPaths: searchPathsFrom(),
    trust,
    adapters,
    ...own,
  })
  showWarnings(predictor.warnings)
  try {
    await answerAll(predictor, (field) => examples(given, flags, field), adapter === undefined ? {} : { adapter })
  } finally {
    await predictor.close()
  }
}

/** `attune predict` */
export const predictCommand = (): Command =>
  new Command('predict')
    .summary('predict with a model')
    .description(
      'Predicts with the model of a run, or with a classifier in the layout of transformers or a text encoder in that of sentence-transformers, in a folder or on the Hub. Prints one JSON object per row, and nothing else, on standard output: the text, the prediction, and the other fields of the row, unless they have the name of one of these. A row that fails has an `error`. In plain text each line is a row, also a blank one.',
    )
    .argument('<model>', 'folder of a run, a classifier or a text encoder, or a model of the Hub')
    .argument('[text...]', 'texts; default: --file, or standard input, one per line')
    .option(
      '--file <file>',
      'file of texts: .jsonl (or .json, one object per line), .csv or .tsv, optionally gzipped, or plain text, one per line',
    )
    .option('--field <name>', 'field of the file that holds the text; default: the field that the run read')
    .option('--adapter <folder>', 'saved adapter to apply to the model: folder of a run, or in the layout of PEFT')
    .option('--task <name>', 'task of a multi-task run that all texts are of; default: the one that the row names')
    .option('--trust', 'load plugins that the run names by a path')
    .addHelpText(
      'after',
      `
Examples:
  npx attune predict runs/debian-sections "A window manager for X"
  npx attune predict runs/debian-sections --file new.jsonl > predictions.jsonl
  npx attune predict runs/multi-task --task topic "A window manager for X"
  npx attune predict base-model --adapter runs/debian-sections "A window manager for X"
  npx attune predict sentence-transformers/all-MiniLM-L6-v2 "A delight."
  npx attune predict distilbert/distilbert-base-uncased-finetuned-sst-2-english "A delight."
  cat texts.txt | npx attune predict runs/debian-sections`,
    )
    .action(predict)
