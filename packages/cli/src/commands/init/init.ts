import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { Command } from 'commander'
import { requireNewFile, writeNewFile } from '../../write-new-file.js'
import { configText } from './config-text.js'
import { firstRows, requireFields, requireNoTeacher, requireTask, startOf } from './detect.js'
import { withTasks } from './multi-task.js'
import { recognizeRows, taskOf } from './recognize-rows.js'
import { TASKS } from './tasks.js'

interface InitFlags {
  readonly data: string
  readonly from?: string
  readonly output: string
}

async function init(given: string | undefined, { data: file, from, output }: InitFlags): Promise<void> {
  if (given !== undefined) requireTask(given)
  requireNewFile(output, '--output')
  const rows = await firstRows(file)
  const recognized = recognizeRows(rows)
  const name = given ?? taskOf(recognized, file)
  const fields = requireFields(name, rows, file)
  const start = from === undefined ? undefined : await startOf(from, output)
  if (start === undefined) requireNoTeacher(name)
  const usual = TASKS[name]!
  const task = name === 'multi-task' ? withTasks(usual, rows, String(fields['by']), file) : usual
  const data = relative(dirname(resolve(output)), resolve(file))
  writeNewFile(output, await configText({ name, task, fields, data, start }), '--output')
  for (const [path, content] of Object.entries(task.files ?? {})) {
    const beside = join(dirname(output), path)
    if (!existsSync(beside)) writeNewFile(beside, content, '--output')
  }
  const unread = Object.keys(rows[0] ?? {}).filter((field) => !Object.values(fields).flat().includes(field))
  const read = Object.entries(fields).map(([option, field]) => `${option} from "${[field].flat().join('", "')}"`)
  process.stdout.write(
    [
      `Wrote ${output}: ${name}${given === undefined ? `, which fits ${recognized.layout}` : ''}.`,
      `Fields: ${read.join(', ')}${unread.length > 0 ? `; not used: ${unread.join(', ')}` : ''}.`,
      `Train with: npx attune train ${output}`,
      '',
    ].join('\n'),
  )
}

/** `attune init` */
export const initCommand = (): Command =>
  new Command('init')
    .summary('write a commented configuration')
    .description(
      'Writes a configuration for a task, with every option of its plugins as a comment. Without a task, the rows of the data decide.',
    )
    .argument('[task]', Object.keys(TASKS).join(', '))
    .requiredOption('--data <file>', 'training examples: .jsonl, .csv or .tsv, optionally gzipped')
    .option(
      '--from <model>',
      'saved model to start from: a folder, or a model of the Hub such as google-bert/bert-base-uncased',
    )
    .option('--output <file>', 'file to write', 'attune.yaml')
    .addHelpText(
      'after',
      `
Tasks:
${Object.entries(TASKS)
  .map(([name, { title }]) => `  ${name.padEnd(30)} ${title}`)
  .join('\n')}

Examples:
  npx attune init --data reviews.csv
  npx attune init token-classification --data tagged.jsonl --output tagger.yaml
  npx attune init --data reviews.csv --from distilbert/distilbert-base-uncased`,
    )
    .action(init)
