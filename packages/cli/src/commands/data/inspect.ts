import { basename } from 'node:path'
import { AttuneError } from '@attune/core'
import { type InspectedBatch, addCounts, inspectBatches } from '@attune/trainer/node'
import { Command, Option } from 'commander'
import { collect } from '../../collect.js'
import { integerFrom } from '../../number-flags.js'
import { openConfig } from '../../open-config.js'
import { requireNewFile, writeNewFile } from '../../write-new-file.js'
import { inspectedHtml } from './inspect-html.js'
import { colours, inspectedText, signs } from './inspect-text.js'

interface InspectFlags {
  readonly set: readonly string[]
  readonly split: 'train' | 'validation'
  readonly batches: number
  readonly rows: number
  readonly html?: string
  readonly json?: boolean
}

const hasColour = (): boolean => process.stdout.isTTY && process.env['TERM'] !== 'dumb' && !process.env['NO_COLOR']

/** The first batches of a configuration. @throws AttuneError `EMPTY_DATASET` */
async function readBatches(target: string, { set, split, batches: limit }: InspectFlags): Promise<InspectedBatch[]> {
  const { whole, options } = await openConfig(target, set)
  const found: InspectedBatch[] = []
  for await (const batch of inspectBatches(whole, { ...options, split })) if (found.push(batch) >= limit) break
  if (found.length > 0) return found
  throw new AttuneError('EMPTY_DATASET', `${target}: the ${split} split has no examples`, 'Check the path of the data.')
}

async function inspect(target: string, flags: InspectFlags): Promise<void> {
  const { html, json, rows, split } = flags
  if (html !== undefined) requireNewFile(html, '--html')
  const batches = await readBatches(target, flags)
  const all = addCounts(batches.map(({ counts }) => counts))
  if (html !== undefined) {
    writeNewFile(html, inspectedHtml(batches, all, rows, `${split} batches of ${basename(target)}`), '--html')
    process.stdout.write(`Wrote ${html}.\n`)
  } else if (json === true) process.stdout.write(`${JSON.stringify({ counts: all, batches })}\n`)
  else process.stdout.write(`${inspectedText(batches, all, rows, hasColour() ? colours : signs)}\n`)
}

/** `attune data inspect` */
export const inspectCommand = (): Command =>
  new Command('inspect')
    .summary('show batches token by token, as the training step sees them')
    .description(
      'Shows the first batches of a configuration as the training step receives them: which tokens train, which are masked, special or padding, which belong to which packed text, and where a text was truncated. They are the batches of the run with the same seed. Loads no weights.',
    )
    .argument('<config>', 'configuration file')
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .addOption(new Option('--split <name>', 'split to read').choices(['train', 'validation']).default('train'))
    .option('--batches <count>', 'number of micro-batches', integerFrom(1), 1)
    .option('--rows <count>', 'maximum number of rows shown of each batch', integerFrom(1), 8)
    .option('--html <file>', 'write one page without external resources; the file must not exist')
    .option('--json', 'print JSON, with all rows')
    .addHelpText(
      'after',
      `
Examples:
  npx attune data inspect config.yaml
  npx attune data inspect config.yaml --batches 3 --html batches.html`,
    )
    .action(inspect)
