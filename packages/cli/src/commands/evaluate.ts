import { resolve } from 'node:path'
import { AttuneError, type Found, SOURCE, fileName } from '@attune/core'
import { findInstalled } from '@attune/resolve'
import { type EvaluateOptions, type Evaluation, evaluateRun } from '@attune/trainer/node'
import { table } from '@attune/terminal'
import { Command } from 'commander'
import { collect } from '../collect.js'
import { folderOf } from '../hub-models.js'
import { locateSettings } from '../locate-settings.js'
import { withSettings, yamlValue } from '../read-config.js'
import { searchPathsFrom } from '../search-paths.js'
import { showWarnings } from '../show-warnings.js'
import { taskReportText } from '../task-report-text.js'
import { requireNewFile, writeNewFile } from '../write-new-file.js'

/** The installed plugin that reads a data file, chosen by the file's extension, and its options. */
export const sourceOf = async (file: string): Promise<{ readonly use: Found; readonly path: string }> => ({
  use: await findInstalled(SOURCE, fileName(/\.(csv|tsv)(\.gz)?$/i.test(file) ? 'csv' : 'jsonl'), searchPathsFrom()),
  path: resolve(file),
  ...(/\.tsv(\.gz)?$/i.test(file) ? { delimiter: '\t' } : {}),
})

/** An evaluation as tables: the scores, the breakdown of each score by label, highest support first, and the report on several tasks. */
export function evaluationText({ split, scores, examples, truncated, rejected, seconds, tasks }: Evaluation): string {
  const head = `${split}: ${examples} examples in ${seconds.toFixed(1)} s${truncated > 0 ? `, ${truncated} texts truncated` : ''}${rejected > 0 ? `, ${rejected} rows rejected` : ''}`
  const values = table(
    ['score', 'value'],
    Object.entries(scores).map(([name, { value }]) => [name, value.toFixed(4)]),
  ).join('\n')
  const parts = Object.entries(scores).flatMap(([name, score]) => {
    const rows = Object.entries(score.parts ?? {})
    const columns = Object.keys(rows[0]?.[1] ?? {})
    if (rows.length === 0) return []
    const shown = rows
      .sort(([, a], [, b]) => (b['support'] ?? 0) - (a['support'] ?? 0))
      .map(([part, numbers]) => [
        part,
        ...columns.map((column) =>
          Number.isInteger(numbers[column]) && column === 'support'
            ? String(numbers[column])
            : numbers[column]!.toFixed(3),
        ),
      ])
    const by = name === 'loss' ? 'task' : 'label'
    return [`\n${name} by ${by}\n${table([by, ...columns], shown).join('\n')}`]
  })
  return [head, '', values, ...parts, ...(tasks === undefined ? [] : ['', taskReportText(tasks)])].join('\n')
}

/** Single-task models by task, of `--single TASK=RUN`. @throws AttuneError `BAD_USAGE` */
const singlesOf = (given: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    given.map((each) => {
      const [task, directory] = each.split(/=(.*)/s)
      if (task && directory) return [task, resolve(directory)]
      throw new AttuneError(
        'BAD_USAGE',
        `--single: expected TASK=RUN, got "${each}"`,
        'Name a task and the folder of its run: --single topic=runs/topic',
      )
    }),
  )

interface EvaluateFlags {
  readonly split?: string
  readonly data?: string
  readonly single: readonly string[]
  readonly metric: readonly string[]
  readonly set: readonly string[]
  readonly output?: string
  readonly json?: boolean
  readonly trust?: boolean
}

/** The metrics and the settings that replace those of the run. */
const replacements = (run: string, { metric, set }: EvaluateFlags): EvaluateOptions => ({
  ...(metric.length > 0 ? { metrics: metric.map((each) => yamlValue(each, `--metric ${each}`)) } : {}),
  ...(set.length > 0
    ? {
        change: (config) => withSettings(config, set),
        locate: locateSettings(() => `${run}/config.json`, set),
      }
    : {}),
})

/** Evaluates, writes and prints. @throws AttuneError `BAD_USAGE` */
async function evaluate(run: string, flags: EvaluateFlags): Promise<void> {
  const { split, data, single, output, json, trust = false } = flags
  if (split !== undefined && data !== undefined)
    throw new AttuneError(
      'BAD_USAGE',
      "--split names a part of the run's own data, and --data another file: only one can be scored",
      'Omit one of them.',
    )
  if (output !== undefined) requireNewFile(output, '--output')
  const what = data === undefined ? { split: split ?? 'test' } : { source: await sourceOf(data) }
  const singles = singlesOf(single)
  const options = { ...what, ...replacements(run, flags), singles, trust, searchPaths: searchPathsFrom() }
  const evaluation = await evaluateRun(await folderOf(run), options)
  showWarnings(evaluation.warnings)
  const written = output?.endsWith('.json') === true ? JSON.stringify(evaluation) : evaluationText(evaluation)
  if (output !== undefined) writeNewFile(output, `${written}\n`, '--output')
  process.stdout.write(`${json === true ? JSON.stringify(evaluation) : evaluationText(evaluation)}\n`)
}

/** `attune evaluate` */
export const evaluateCommand = (): Command =>
  new Command('evaluate')
    .summary("evaluate a run's model")
    .description(
      "Evaluates the model of a run on a split of its data, or on another file, with the run's metrics. Of a classifier in the layout of transformers or a text encoder in that of sentence-transformers, which has no data of its own, it prints the loss and each --metric on --data.",
    )
    .argument('<run>', 'folder of the run, the ensemble or the saved model, or a model of the Hub')
    .option('--split <name>', 'test (default), validation or train')
    .option('--data <file>', 'another file: .jsonl, .csv or .tsv, optionally gzipped')
    .option('--metric <name>', "metric to use instead of the run's, a name or YAML; repeatable", collect, [])
    .option(
      '--set <key.path=value>',
      "set a value of the run's configuration: of data (paths are relative to the run), cleaner, loss, metric, engine or training; repeatable",
      collect,
      [],
    )
    .option(
      '--single <task=run>',
      'run of a single-task model to compare a task of a multi-task model with; repeatable',
      collect,
      [],
    )
    .option('--output <file>', 'also write the evaluation to a new file: JSON in a .json file, otherwise the tables')
    .option('--trust', 'load plugins that the run names by a path')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  npx attune evaluate runs/debian-sections
  npx attune evaluate runs/multi-task --single spam=runs/spam --output report.txt
  npx attune evaluate runs/debian-sections --data more.jsonl --json
  npx attune evaluate runs/debian-sections --metric f1 --metric '{ use: f1, average: micro }'
  npx attune evaluate runs/debian-sections --set training.batchSize=64 --set engine=tfjs-cpu
  npx attune evaluate sentence-transformers/all-MiniLM-L6-v2 --data pairs.jsonl`,
    )
    .action(evaluate)
