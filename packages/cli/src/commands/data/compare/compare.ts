import { formatCount } from '@attune/terminal'
import { Command, Option } from 'commander'
import { collect } from '../../../collect.js'
import { folderOf } from '../../../hub-models.js'
import { integerFrom } from '../../../number-flags.js'
import { showWarnings } from '../../../show-warnings.js'
import { compareDomains } from './compare-domains.js'
import { comparisonText } from './compare-text.js'

interface CompareFlags {
  readonly model: readonly string[]
  readonly pooling?: string
  readonly field: string
  readonly rows: number
  readonly seed: number
  readonly json?: boolean
}

/** Shows the progress of a model on a terminal, on one line. */
function showProgress(model: string, done: number, total: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${model}: ${formatCount(done)} of ${formatCount(total)} texts`)
}

async function compare(source: string, target: string, { json, model, ...flags }: CompareFlags): Promise<void> {
  const models: string[] = []
  for (const each of model) models.push(await folderOf(each))
  const found = await compareDomains({
    ...flags,
    source,
    target,
    models,
    onProgress: showProgress,
    onWarnings(warnings) {
      if (process.stderr.isTTY) process.stderr.write('\n')
      showWarnings(warnings)
    },
  })
  process.stdout.write(`${json === true ? JSON.stringify(found) : comparisonText(found, source, target)}\n`)
}

/** `attune data compare` */
export const compareCommand = (): Command =>
  new Command('compare')
    .summary('measure the shift between the texts of two domains')
    .description(
      'Compares the texts of two files: their vocabularies, how well a linear classifier separates them (proxy A-distance), and the maximum mean discrepancy (MMD) with its p-value. Without a model, features are hashed words and pairs of words; with --model also the features of an encoder. Samples as many texts of each file, and twice as many of the source, half of them for "within source".',
    )
    .argument('<source>', 'texts of the source domain: .jsonl, .csv, .tsv, or lines; optionally gzipped')
    .argument('<target>', 'texts of the target domain')
    .option('--model <model>', 'encoder: a run, a folder or a name of the Hub; repeat it to compare', collect, [])
    .addOption(
      new Option(
        '--pooling <mode>',
        'pooling of hidden states, or pooled: the input of the classification head; default: that of the model, or mean',
      ).choices(['cls', 'max', 'mean', 'pooled']),
    )
    .option('--field <name>', 'field of the text', 'text')
    .option('--rows <count>', 'maximum number of texts of each domain', integerFrom(20), 1000)
    .option('--seed <number>', 'random seed of the sample and the permutations', integerFrom(0), 1)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  npx attune data compare reviews.jsonl posts.jsonl
  npx attune data compare reviews.jsonl posts.jsonl --model runs/before --model runs/after --pooling pooled`,
    )
    .action(compare)
