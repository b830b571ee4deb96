import { formatCount, formatNumber } from '@attune/terminal'
import { type MergeReport, mergeSavedAdapter, unmergeSavedAdapter } from '@attune/trainer/node'
import { Command, Option } from 'commander'
import { folderOf } from '../hub-models.js'
import { searchPathsFrom } from '../search-paths.js'
import { showWarnings } from '../show-warnings.js'

interface MergeFlags {
  readonly model: string
  readonly adapter: string
  readonly out: string
  readonly use?: string
  readonly objective?: string
  readonly labels?: string
  readonly saveAs?: 'float32' | 'float16'
  readonly json?: boolean
}

/** A merged model in one sentence. */
export function mergeText({ adapter, changed, tensors, saveAs, deviation, folder }: MergeReport): string {
  const done = deviation === undefined ? 'merged' : 'subtracted'
  const again =
    deviation === undefined ? '' : `; merged again, the weights differ by at most ${formatNumber(deviation)}`
  return `${folder}: ${adapter} ${done}, ${formatCount(changed.length)} of ${formatCount(tensors)} tensors changed, saved as ${saveAs}${again}`
}

/** Action of a command that writes a model made of another one and a saved adapter. */
const writing = (work: typeof mergeSavedAdapter) => async (flags: MergeFlags) => {
  const { model, adapter, out, labels, json, ...options } = flags
  const report = await work({
    ...options,
    labels: labels?.split(','),
    model: await folderOf(model),
    adapter: await folderOf(adapter),
    output: out,
    searchPaths: searchPathsFrom(),
  })
  showWarnings(report.warnings)
  process.stdout.write(`${json === true ? JSON.stringify(report) : mergeText(report)}\n`)
}

/** A command with the options of both directions. */
const withFiles = (command: Command): Command =>
  command
    .requiredOption('--model <folder>', 'folder of a model or a run, or a model of the Hub: organization/name')
    .requiredOption('--adapter <folder>', 'folder with adapter_config.json and adapter_model.safetensors, or of a run')
    .requiredOption('--out <folder>', 'folder to write; it must be new or empty')
    .option('--use <plugin>', 'adapter plugin; default: the installed one that reads the peft_type of the adapter')
    .addOption(
      new Option('--save-as <type>', 'element type of the weights; default: that of the model').choices([
        'float32',
        'float16',
      ]),
    )
    .option('--json', 'print JSON')

const mergeCommand = (): Command =>
  withFiles(new Command('merge'))
    .summary('merge a saved adapter into a model')
    .description(
      'Merges a saved adapter (LoRA and others, in the layout of PEFT) into its base model, and writes a folder in the Hugging Face file layout that loads without the adapter. The result is that of merge_and_unload of PEFT.',
    )
    .option('--objective <name>', 'objective of a head that only the adapter has')
    .option('--labels <names>', 'labels of such a head, separated by commas, in the order of the class ids')
    .addHelpText(
      'after',
      `
Examples:
  npx attune adapter merge --model base-model --adapter runs/reviews --out merged
  npx attune adapter merge --model google-bert/bert-base-uncased --adapter my-lora --out merged --labels no,yes`,
    )
    .action(writing(mergeSavedAdapter))

const unmergeCommand = (): Command =>
  withFiles(new Command('unmerge'))
    .summary('subtract a saved adapter from a model')
    .description(
      'Subtracts a saved adapter from the model that it was merged into. Each weight differs from the original by the rounding of two additions; a head that the adapter replaced is not recovered. Only for adapters that add an update that does not depend on the weights, such as LoRA. Prefer the original model, if you have it.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  npx attune adapter unmerge --model merged --adapter runs/reviews --out base-model',
    )
    .action(writing(unmergeSavedAdapter))

/** `attune adapter` */
export const adapterCommand = (): Command =>
  new Command('adapter')
    .summary('merge saved adapters into models')
    .description('Merges saved adapters into models, and subtracts them.')
    .addCommand(mergeCommand())
    .addCommand(unmergeCommand())
