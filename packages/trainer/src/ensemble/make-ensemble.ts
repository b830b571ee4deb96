import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type Direction, type Metric, choosePlugins } from '@attune/core'
import { type OpenOptions, openRun } from '../files/run-folder.js'
import { evaluateRun } from '../inference/evaluate.js'
import { type Combination, stackingFeatures } from './combine.js'
import { ENSEMBLE_FILE, type EnsembleRecord } from './ensemble-file.js'
import { type LabelledPredictions, heldOut, labelledPredictions } from './held-out.js'
import { fitLogisticRegression } from './logistic-regression.js'
import { copyRun, makingFolder, requireDifferent, requireRuns, requireSharedValidation } from './members.js'
import { foldRuns, isCrossValidation, outOfFoldPredictions } from './out-of-fold.js'
import { selectByGroup } from './select-members.js'
import { sharedLabels } from './shared-labels.js'
import { writeSoup } from './soup.js'

/** Methods of combining runs. */
export const ENSEMBLE_METHODS = [
  'average',
  'vote',
  'weighted',
  'stack',
  'confident',
  'select',
  'soup',
  'greedy-soup',
] as const
export type EnsembleMethod = (typeof ENSEMBLE_METHODS)[number]

/** Options of {@link makeEnsemble}. */
export interface EnsembleOptions extends OpenOptions {
  readonly method: EnsembleMethod
  /** Folder to write; it must not exist. */
  readonly output: string
  /** Score for weights and for the order of a greedy soup. Default: the first metric of the first run, otherwise `loss`. */
  readonly metric?: string | undefined
  /** Weights of the members, for `average` and `vote`. Default: equal ones. */
  readonly weights?: readonly number[] | undefined
  /** Field of a row that holds its group, such as a task or a language; required by `select`. */
  readonly groupBy?: string | undefined
  /** Labelled rows that no run was trained on, as under `data` in a configuration. Default: the validation split of the runs. */
  readonly source?: unknown
}

/** An ensemble that was made. */
export interface EnsembleReport {
  readonly folder: string
  readonly method: EnsembleMethod
  /** Folders of the runs in it: a greedy soup may leave some out. */
  readonly members: readonly string[]
  /** Held-out score of each run, if the method needs it, and its name. */
  readonly metric?: string
  readonly scores?: readonly number[]
}

/** Name and direction of the score that ranks runs. @throws AttuneError `UNKNOWN_SCORE` */
async function rankingScore(folder: string, { metric, ...options }: EnsembleOptions) {
  const run = openRun(folder, options)
  const { metric: chosen } = await choosePlugins({ metric: run.config.metric }, run.lookup)
  const metrics = chosen.map(({ plugin, options: given }) => plugin(given) as Metric)
  const all: readonly { readonly name: string; readonly direction: Direction }[] = [
    ...metrics.filter(({ direction }) => direction === 'maximize'),
    ...metrics.filter(({ direction }) => direction === 'minimize'),
    { name: 'loss', direction: 'minimize' },
  ]
  const found = metric === undefined ? all[0] : all.find(({ name }) => name === metric)
  if (found !== undefined) return found
  throw new AttuneError(
    'UNKNOWN_SCORE',
    `expected a score of the runs, got "${metric}"`,
    `Use ${all.map(({ name }) => name).join(' or ')}.`,
  )
}

async function scoresOf(folders: readonly string[], name: string, options: EnsembleOptions): Promise<number[]> {
  const scores: number[] = []
  for (const folder of folders)
    scores.push((await evaluateRun(folder, { ...options, ...heldOut(options) })).scores[name]!.value)
  return scores
}

/** Fits the logistic regression of stacking to members' predictions of rows that they were not trained on. */
function stacked({ classes, members }: LabelledPredictions, labels: readonly string[]): Combination {
  const features = classes.map((_, i) => stackingFeatures(members.map((member) => member[i]!)))
  return { method: 'stack', regression: fitLogisticRegression(features, classes, labels.length) }
}

/** Fits the logistic regression of stacking, or selects members, on the members' predictions of held-out rows. */
async function fitted(
  folders: readonly string[],
  labels: readonly string[],
  options: EnsembleOptions,
): Promise<Combination> {
  const held = await labelledPredictions(folders, labels, options)
  if (options.method === 'stack') return stacked(held, labels)
  const { examples, classes, members } = held
  return { method: 'select', ...selectByGroup(options.groupBy as string, examples, classes, members) }
}

/** Writes the folder of an ensemble whose members `copy` puts in place. */
function writeEnsemble(
  folder: string,
  count: number,
  content: Pick<EnsembleRecord, 'labels'> & { readonly combination: Combination },
  copy: (member: number, to: string) => void,
): void {
  const members = Array.from({ length: count }, (_, i) => `members/${i}`)
  for (const [i, name] of members.entries()) copy(i, join(folder, name))
  writeFileSync(join(folder, ENSEMBLE_FILE), `${JSON.stringify({ format: 1, members, ...content }, null, 2)}\n`)
}

/** Stacks cross-validations: each is a member that averages its folds, and the regression is fitted to out-of-fold predictions. */
async function stackFolds(folders: readonly string[], options: EnsembleOptions): Promise<EnsembleReport> {
  const { method, output } = options
  const groups = folders.map(foldRuns)
  const labels = [...(await sharedLabels(groups.flat(), options))]
  const combination = stacked(await outOfFoldPredictions(groups, labels, options), labels)
  await makingFolder(output, (temporary) => {
    writeEnsemble(temporary, groups.length, { labels, combination }, (m, to) => {
      const runs = groups[m]!
      const average: Combination = { method: 'average', weights: runs.map(() => 1) }
      writeEnsemble(to, runs.length, { labels, combination: average }, (i, folder) => copyRun(runs[i]!, folder))
    })
    return Promise.resolve()
  })
  return { folder: output, method, members: folders }
}

/** Weights of a weighted mean: the scores, or the inverse of scores that are minimized. */
const weightsOf = (scores: readonly number[], direction: Direction): number[] =>
  scores.map((score) => (direction === 'maximize' ? Math.max(0, score) : 1 / Math.max(score, 1e-9)))

async function combine(folders: readonly string[], options: EnsembleOptions): Promise<EnsembleReport> {
  const { method, output } = options
  const labels = [...(await sharedLabels(folders, options))]
  const ranked = method === 'weighted' ? await rankingScore(folders[0]!, options) : undefined
  const scores = ranked && (await scoresOf(folders, ranked.name, options))
  const { weights: given = folders.map(() => 1) } = options
  const weights = ranked === undefined || scores === undefined ? given : weightsOf(scores, ranked.direction)
  const combination: Combination =
    method === 'stack' || method === 'select'
      ? await fitted(folders, labels, options)
      : method === 'confident'
        ? { method }
        : { method: method === 'vote' ? 'vote' : 'average', weights }
  await makingFolder(output, (temporary) => {
    writeEnsemble(temporary, folders.length, { labels, combination }, (i, to) => copyRun(folders[i]!, to))
    return Promise.resolve()
  })
  const found = ranked === undefined || scores === undefined ? {} : { metric: ranked.name, scores }
  return { folder: output, method, members: folders, ...found }
}

/** Greedy soup: adds runs, the best first, as long as the held-out score of the mean does not fall. */
async function greedySoup(folders: readonly string[], options: EnsembleOptions): Promise<EnsembleReport> {
  const { name, direction } = await rankingScore(folders[0]!, options)
  const sign = direction === 'maximize' ? 1 : -1
  const scores = await scoresOf(folders, name, options)
  const order = folders.map((_, i) => i).sort((a, b) => sign * (scores[b]! - scores[a]!))
  const chosen = [folders[order[0]!]!]
  await makingFolder(options.output, async (temporary) => {
    let best = scores[order[0]!]!
    for (const i of order.slice(1)) {
      const trial = join(temporary, 'trial')
      mkdirSync(temporary, { recursive: true })
      writeSoup([...chosen, folders[i]!], trial)
      const [score] = await scoresOf([trial], name, options)
      if (sign * (score! - best) >= 0) [best] = [score!, chosen.push(folders[i]!)]
      rmSync(trial, { recursive: true })
    }
    writeSoup(chosen, temporary)
  })
  return { folder: options.output, method: 'greedy-soup', members: chosen, metric: name, scores }
}

/**
 * Makes one model of several runs.
 *
 * - `average`: mean of the probabilities · `vote`: majority vote · `weighted`: mean weighted by the held-out score
 * - `stack`: logistic regression on the probabilities of held-out rows. Of cross-validations with the same folds, it is fitted to their
 *   out-of-fold predictions, so that no rows need be set aside; each cross-validation is a member, the mean of its folds' probabilities.
 * - `confident`: for each input, the member whose most probable label has the highest probability
 * - `select`: for each group of rows, the member with the highest accuracy on its held-out rows
 * - `soup`: mean of the weights, as cheap as one model; the runs must have started from the same model. `greedy-soup` adds runs, the best
 *   first, as long as the held-out score does not fall.
 *
 * The folder is complete: the runs may be removed. {@link openPredictor} and {@link evaluateRun} open it like a run.
 *
 * Gotchas: weights, stacking, selections and greedy soups are chosen on the validation split, which then no longer estimates the score of the
 * ensemble; use test data.
 * Source: Wolpert, Stacked Generalization, 1992, for out-of-fold predictions; Wortsman et al., Model Soups, 2022, algorithm 1.
 * @throws AttuneError `BAD_ARGUMENT` for runs with different labels, architectures or validation splits; `NOT_A_CLASSIFIER`;
 *   `FILE_EXISTS`; `RUN_UNFINISHED`; `UNKNOWN_SCORE`
 */
export async function makeEnsemble(runs: readonly string[], options: EnsembleOptions): Promise<EnsembleReport> {
  const { method, source, output } = options
  if (method === 'stack' && source === undefined && runs.every(isCrossValidation))
    return stackFolds(requireDifferent(runs), options)
  const folders = requireRuns(runs)
  if ((method === 'select') !== (options.groupBy !== undefined))
    throw new AttuneError(
      'BAD_ARGUMENT',
      `expected a field of groups for select, and for no other method, got ${options.groupBy ?? 'none'} for ${method}`,
      'Name the field of the task, the language or the source of a row: --method select --group-by FIELD.',
    )
  const needsRows = !['average', 'vote', 'confident', 'soup'].includes(method)
  if (needsRows && source === undefined) requireSharedValidation(folders, options)
  if (method === 'greedy-soup') return greedySoup(folders, options)
  if (method !== 'soup') return combine(folders, options)
  await makingFolder(output, (temporary) => Promise.resolve(writeSoup(folders, temporary)))
  return { folder: output, method, members: folders }
}
