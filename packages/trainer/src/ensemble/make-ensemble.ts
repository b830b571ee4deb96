import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type Direction, type Metric, choosePlugins, closeScope, isAttuneError } from '@attune/core'
import { type OpenOptions, openRun } from '../files/run-folder.js'
import { evaluateRun } from '../inference/evaluate.js'
import { metricsOf, splitOf } from '../inference/evaluated-split.js'
import { openModel } from '../inference/open-model.js'
import { openPredictor } from '../inference/open-predictor.js'
import { type Combination, stackingFeatures } from './combine.js'
import { ENSEMBLE_FILE, type EnsembleRecord } from './ensemble-file.js'
import { fitLogisticRegression } from './logistic-regression.js'
import { copyRun, makingFolder, requireRuns, requireSharedValidation } from './members.js'
import { probabilitiesOf } from './open-ensemble.js'
import { selectByGroup } from './select-members.js'
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

/** The held-out rows, as options of an evaluation. */
const heldOut = ({ source }: EnsembleOptions) => (source === undefined ? { split: 'validation' } : { source })

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

/** The labels of a run. @throws AttuneError `NOT_A_CLASSIFIER` */
async function labelsOf(folder: string, options: OpenOptions): Promise<readonly string[]> {
  const predictor = await openPredictor(folder, options)
  const { labels, task } = predictor.describes
  await predictor.close()
  if (labels !== undefined && task === 'sequence-classification') return labels
  throw new AttuneError(
    'NOT_A_CLASSIFIER',
    `expected a run of sequence-classification, got one of ${task} (${folder})`,
    'Average the weights of other models: --method soup.',
  )
}

/** Held-out rows of a run with their class ids. */
async function labelledRows(folder: string, labels: readonly string[], options: EnsembleOptions) {
  const run = openRun(folder, options)
  const chosen = await metricsOf(run, { ...options, metrics: [] })
  const { plan, scope, components, forward } = await openModel(run, folder, chosen, options)
  try {
    const { split } = await splitOf(run, plan, chosen, { ...options, ...heldOut(options) })
    const rows = []
    for await (const row of split.examples()) {
      const { label } = components.objective.reference(components.objective.encode(row))
      rows.push({ row, label: labels.indexOf(String(label)) })
    }
    return rows
  } finally {
    forward.dispose()
    await closeScope(scope)
  }
}

/** Fits the logistic regression of stacking, or selects members, on the members' predictions of held-out rows. */
async function fitted(
  folders: readonly string[],
  labels: readonly string[],
  options: EnsembleOptions,
): Promise<Combination> {
  const rows = await labelledRows(folders[0]!, labels, options)
  const members: number[][][] = []
  for (const folder of folders) {
    const predictor = await openPredictor(folder, options)
    const answers = await predictor.predict(rows.map(({ row }) => row))
    await predictor.close()
    members.push(
      answers.map((answer) => {
        if (isAttuneError(answer)) throw answer
        return probabilitiesOf(answer, labels, folder)
      }),
    )
  }
  const classes = rows.map(({ label }) => label)
  if (options.method === 'select') {
    const examples = rows.map(({ row }) => row)
    return { method: 'select', ...selectByGroup(options.groupBy as string, examples, classes, members) }
  }
  const features = rows.map((_, i) => stackingFeatures(members.map((member) => member[i]!)))
  const regression = fitLogisticRegression(features, classes, labels.length)
  return { method: 'stack', regression }
}

/** Weights of a weighted mean: the scores, or the inverse of scores that are minimized. */
const weightsOf = (scores: readonly number[], direction: Direction): number[] =>
  scores.map((score) => (direction === 'maximize' ? Math.max(0, score) : 1 / Math.max(score, 1e-9)))

async function combine(folders: readonly string[], options: EnsembleOptions): Promise<EnsembleReport> {
  const { method, output } = options
  const labels = await labelsOf(folders[0]!, options)
  for (const folder of folders.slice(1))
    if (String(await labelsOf(folder, options)) !== String(labels))
      throw new AttuneError(
        'BAD_ARGUMENT',
        `expected runs with the same labels in the same order, but those of ${folder} differ`,
        'Set `objective.labels` in the configurations.',
      )
  const ranked = method === 'weighted' ? await rankingScore(folders[0]!, options) : undefined
  const scores = ranked && (await scoresOf(folders, ranked.name, options))
  const weights =
    ranked === undefined || scores === undefined ? folders.map(() => 1) : weightsOf(scores, ranked.direction)
  const combination: Combination =
    method === 'stack' || method === 'select'
      ? await fitted(folders, labels, options)
      : method === 'confident'
        ? { method }
        : { method: method === 'vote' ? 'vote' : 'average', weights }
  await makingFolder(output, (temporary) => {
    const members = folders.map((folder, i) => {
      copyRun(folder, join(temporary, 'members', String(i)))
      return `members/${i}`
    })
    const record = { format: 1, members, labels, combination } as unknown as EnsembleRecord
    writeFileSync(join(temporary, ENSEMBLE_FILE), `${JSON.stringify(record, null, 2)}\n`)
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
 * - `stack`: logistic regression on the probabilities of held-out rows
 * - `confident`: for each input, the member whose most probable label has the highest probability
 * - `select`: for each group of rows, the member with the highest accuracy on its held-out rows
 * - `soup`: mean of the weights, as cheap as one model; the runs must have started from the same model. `greedy-soup` adds runs, the best
 *   first, as long as the held-out score does not fall.
 *
 * The folder is complete: the runs may be removed. {@link openPredictor} and {@link evaluateRun} open it like a run.
 *
 * Gotchas: weights, stacking, selections and greedy soups are chosen on the validation split, which then no longer estimates the score of the
 * ensemble; use test data.
 * Source: Wolpert, Stacked Generalization, 1992; Wortsman et al., Model Soups, 2022, algorithm 1.
 * @throws AttuneError `BAD_ARGUMENT` for runs with different labels, architectures or validation splits; `NOT_A_CLASSIFIER`;
 *   `FILE_EXISTS`; `RUN_UNFINISHED`; `UNKNOWN_SCORE`
 */
export async function makeEnsemble(runs: readonly string[], options: EnsembleOptions): Promise<EnsembleReport> {
  const { method, source, output } = options
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
