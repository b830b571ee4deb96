import { formatNumber, table } from '@attune/terminal'
import { ENSEMBLE_METHODS, type EnsembleMethod, type EnsembleReport, makeEnsemble } from '@attune/trainer/node'
import { Command, Option } from 'commander'
import { searchPathsFrom } from '../search-paths.js'
import { sourceOf } from './evaluate.js'

interface EnsembleFlags {
  readonly method: EnsembleMethod
  readonly output: string
  readonly metric?: string
  readonly groupBy?: string
  readonly data?: string
  readonly trust?: boolean
  readonly json?: boolean
}

/** An ensemble in a sentence, with the held-out scores of its runs if there are any. */
export function ensembleText({ folder, method, members, metric, scores }: EnsembleReport, runs: readonly string[]) {
  const made = `${folder}: ${method} of ${members.length} of ${runs.length} runs. Evaluate it: npx attune evaluate ${folder}`
  if (metric === undefined || scores === undefined) return made
  return [made, '', ...table(['run', metric], runs.map((run, i) => [run, formatNumber(scores[i]!)]))].join('\n') // prettier-ignore
}

/** `attune ensemble` */
export const ensembleCommand = (): Command =>
  new Command('ensemble')
    .summary('combine several runs into one model')
    .description(
      'Combines runs into a folder that predict and evaluate open like a run: by the mean of the probabilities (average; weighted by the held-out score), a majority vote, stacking with a logistic regression, a selection of one run per input or group of rows (confident, select), or the mean of the weights (soup, greedy-soup). Weights, stacking, selections by group and greedy soups use the validation split that the runs have in common, or --data. Stacking of cross-validations with the same folds uses their out-of-fold predictions.',
    )
    .argument('<run...>', 'folders of finished runs; for stack also of cross-validations')
    .addOption(new Option('--method <name>', 'method').choices([...ENSEMBLE_METHODS]).default('average'))
    .requiredOption('--output <folder>', 'folder to write; it must not exist')
    .option('--metric <name>', 'score for weights and greedy soups; default: the first metric of the runs')
    .option('--group-by <field>', 'field of a row that holds its group, such as its task or language: for select')
    .option('--data <file>', 'labelled rows that no run was trained on: .jsonl, .csv or .tsv, optionally gzipped')
    .option('--trust', 'load plugins that a run names by a path')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  npx attune ensemble runs/a runs/b runs/c --output runs/abc
  npx attune ensemble runs/a runs/b --method greedy-soup --metric macro-f1 --output runs/soup
  npx attune ensemble runs/folds-a runs/folds-b --method stack --output runs/stack`,
    )
    .action(async (runs: readonly string[], { data, json, trust = false, ...flags }: EnsembleFlags) => {
      const source = data === undefined ? {} : { source: await sourceOf(data) }
      const report = await makeEnsemble(runs, { ...flags, ...source, trust, searchPaths: searchPathsFrom() })
      process.stdout.write(`${json === true ? JSON.stringify(report) : ensembleText(report, runs)}\n`)
    })
