import { resolve } from 'node:path'
import { AttuneError, type Found, SOURCE, fileName } from '@attune/core'
import { findInstalled } from '@attune/resolve'
import { type Evaluation, evaluateRun } from '@attune/trainer/node'
import { table } from '@attune/terminal'
import { Command } from 'commander'
import { searchPathsFrom } from '../search-paths.js'
import { showWarnings } from '../show-warnings.js'

/** The installed plugin that reads a data file, chosen by the file's extension, and its options. */
export const sourceOf = async (file: string): Promise<{ readonly use: Found; readonly path: string }> => ({
  use: await findInstalled(SOURCE, fileName(/\.(csv|tsv)(\.gz)?$/i.test(file) ? 'csv' : 'jsonl'), searchPathsFrom()),
  path: resolve(file),
  ...(/\.tsv(\.gz)?$/i.test(file) ? { delimiter: '\t' } : {}),
})

/** An evaluation as tables: the scores, then the breakdown of each score by label, highest support first. */
export function evaluationText({ split, scores, examples, truncated, rejected, seconds }: Evaluation): string {
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
  return [head, '', values, ...parts].join('\n')
}

interface EvaluateFlags {
  readonly split?: string
  readonly data?: string
  readonly json?: boolean
  readonly trust?: boolean
}

/** `attune evaluate` */
export const evaluateCommand = (): Command =>
  new Command('evaluate')
    .summary("evaluate a run's model")
    .description("Evaluates the model of a run on a split of its data, or on another file, with the run's metrics.")
    .argument('<run>', 'folder of the run')
    .option('--split <name>', 'test (default), validation or train')
    .option('--data <file>', 'another file: .jsonl, .csv or .tsv, optionally gzipped')
    .option('--trust', 'load plugins that the run names by a path')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  npx attune evaluate runs/debian-sections
  npx attune evaluate runs/debian-sections --data more.jsonl --json`,
    )
    .action(async (run: string, { split, data, json, trust = false }: EvaluateFlags) => {
      if (split !== undefined && data !== undefined)
        throw new AttuneError(
          'BAD_USAGE',
          "--split names a part of the run's own data, and --data another file: only one can be scored",
          'Omit one of them.',
        )
      const what = data === undefined ? { split: split ?? 'test' } : { source: await sourceOf(data) }
      const evaluation = await evaluateRun(resolve(run), { ...what, trust, searchPaths: searchPathsFrom() })
      showWarnings(evaluation.warnings)
      process.stdout.write(`${json === true ? JSON.stringify(evaluation) : evaluationText(evaluation)}\n`)
    })
