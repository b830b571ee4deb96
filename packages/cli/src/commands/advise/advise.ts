import { AttuneError } from '@attune/core'
import { formatCount, formatNumber, table } from '@attune/terminal'
import { Command } from 'commander'
import { positiveNumber } from '../../number-flags.js'
import { requireNewFile, writeNewFile } from '../../write-new-file.js'
import { configText } from '../init/config-text.js'
import { type Advice, adviseOn, settingsOf } from './advise-on.js'
import type { Facts } from './facts.js'
import { type Target, measure, readTarget } from './read-target.js'

interface AdviseFlags {
  readonly task?: string
  readonly from?: string
  readonly memory?: number
  readonly minutes?: number
  readonly measure?: boolean
  readonly write?: string
  readonly json?: boolean
}

/** Facts about the data in one line. */
function dataLine({ rows, medianWords, longWords, classes, imbalance }: Facts): string {
  const ofClasses =
    classes === undefined ? [] : [`${String(classes)} classes (largest ${formatNumber(Number(imbalance))} × smallest)`]
  const words = `median ${String(medianWords)} words, one in twenty has ${String(longWords)} or more`
  return [`${formatCount(Number(rows))} rows`, ...ofClasses, words].join(', ')
}

/** Advice as two tables: what and why, and what would change it. */
export const adviceText = (facts: Facts, advice: readonly Advice[]): string =>
  [
    dataLine(facts),
    '',
    ...table(
      ['subject', 'advice', 'because'],
      advice.map((each) => [each.about, each.advice, each.because]),
    ),
    '',
    ...table(
      ['subject', 'would change with', 'source'],
      advice.map(({ about, unless, source }) => [about, unless, source]),
    ),
  ].join('\n')

/** The configuration that follows advice. @throws AttuneError `BAD_USAGE` for chat rows without a model */
async function advisedText({ request, facts }: Target, advice: readonly Advice[]): Promise<string> {
  if (request.name === 'instruction-tuning' && request.start === undefined)
    throw new AttuneError(
      'BAD_USAGE',
      `the rows are ${String(facts['layout'])}: a configuration needs a saved model whose tokenizer has a chat template`,
      'Name one: --from FOLDER.',
    )
  return configText({ ...request, settings: settingsOf(advice) })
}

/** Facts of a target with those of its measured run, if it is to be measured. */
async function withMeasured(target: Target, memoryBytes: number, flags: AdviseFlags): Promise<Facts> {
  if (flags.measure !== true) return target.facts
  const text = target.config === undefined ? await advisedText(target, adviseOn(target.facts)) : ''
  process.stderr.write('Measuring steps of the run.\n')
  return { ...target.facts, ...(await measure(target, text, memoryBytes, flags.minutes)) }
}

async function advise(file: string, flags: AdviseFlags): Promise<void> {
  const { write, memory, json } = flags
  if (write !== undefined) requireNewFile(write, '--write')
  const memoryBytes = memory === undefined ? process.availableMemory() : memory * 1e9
  const target = await readTarget(file, { ...flags, output: write ?? 'attune.yaml', memoryBytes })
  const facts = await withMeasured(target, memoryBytes, flags)
  const advice = adviseOn(facts)
  if (write !== undefined) writeNewFile(write, await advisedText(target, advice), '--write')
  process.stdout.write(`${json === true ? JSON.stringify({ facts, advice }) : adviceText(facts, advice)}\n`)
  if (write !== undefined && json !== true)
    process.stdout.write(`\nWrote ${write}. Train with: npx attune train ${write}\n`)
}

/** `attune advise` */
export const adviseCommand = (): Command =>
  new Command('advise')
    .summary('advise on objective, loss, adapter, optimizer and strategy')
    .description(
      'Reads the training data of a configuration, or a data file, and advises on what to train and how: each with its reason, what would change it, and its source. The rules are a table; nothing is trained.',
    )
    .argument('<target>', 'configuration (.yaml), or training examples: .jsonl, .csv or .tsv, optionally gzipped')
    .option('--task <name>', 'task; default: the one that the rows fit')
    .option('--from <model>', 'saved model to start from: a folder, or a model of the Hub')
    .option('--memory <gigabytes>', 'memory of the run; default: the available memory of this machine', positiveNumber)
    .option('--minutes <minutes>', 'time that the run may take, tested with --measure', positiveNumber)
    .option('--measure', 'measure the memory and time of the run, as `attune plan` does')
    .option('--write <file>', 'write a configuration that follows the advice; the file must not exist')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  npx attune advise reviews.csv --from distilbert/distilbert-base-uncased
  npx attune advise reviews.csv --write attune.yaml
  npx attune advise config.yaml --measure --minutes 30`,
    )
    .action(advise)
