import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Example, Source } from '@attune/core'
import { type RunConfig, makeEnsemble, planRun, trainingPredictions } from '@attune/trainer/node'
import type { Observable } from 'rxjs'
import type { EnsembleEvent } from '../events.js'
import { openFolder } from '../folder.js'
import { labelField, requireOwnValidation } from '../prepare.js'
import { writeRows } from '../write-rows.js'
import { stoppable } from '../study.js'
import { sammeRound } from './samme.js'
import { type Combined, type Member, type MembersOptions, requireMembers, trainMembers } from './train-members.js'

/** Fields that are added to the training rows: the index of a row in the source, and its weight. */
const [ROW, WEIGHT] = ['boostingRow', 'boostingWeight']

/** The training rows with their weights; all 1 for the first member. */
async function* weightedRows(source: Source, weights?: readonly number[]): AsyncGenerator<Example> {
  let row = 0
  for await (const example of source.open()) {
    yield { ...example, [ROW]: row, [WEIGHT]: weights?.[row] ?? 1 }
    row++
  }
}

/** Weighs a trained member, and writes the training rows of the next one. */
async function weigh(
  member: number,
  run: string,
  { searchPaths }: MembersOptions,
  write: (member: number, weights: readonly number[]) => Promise<void>,
): Promise<Pick<Member, 'error' | 'weight'>> {
  const { examples, classes, members } = await trainingPredictions(
    run,
    searchPaths === undefined ? {} : { searchPaths },
  )
  const probabilities = members[0]!
  const isWrong = probabilities.map((row, i) => row.indexOf(Math.max(...row)) !== classes[i])
  const weights = examples.map((example) => Number(example[WEIGHT]))
  const { error, weight, sampleWeights } = sammeRound(weights, isWrong, probabilities[0]!.length)
  const next: number[] = [] // a row that a filter left out has none
  for (const [i, example] of examples.entries()) next[Number(example[ROW])] = sampleWeights[i]! * examples.length
  await write(member + 1, next)
  return { error, weight }
}

/** Combines the members that are better than chance by a weighted vote. */
async function combine(
  directory: string,
  runs: readonly string[],
  members: readonly Member[],
  { searchPaths }: MembersOptions,
): Promise<Combined> {
  const output = join(directory, 'ensemble')
  rmSync(output, { recursive: true, force: true }) // of fewer members
  const chosen = members.filter(({ weight = 0 }) => weight > 0)
  if (chosen.length < 2) return {}
  const weights = chosen.map(({ weight = 0 }) => weight)
  const options = searchPaths === undefined ? {} : { searchPaths }
  await makeEnsemble(chosen.map(({ member }) => runs[member]!), { ...options, method: 'vote', weights, output }) // prettier-ignore
  return { ensemble: output }
}

/**
 * Boosting (SAMME, AdaBoost for several classes) of a text classifier, as a cold stream of events. Each member is trained with higher loss weights
 * on the training rows that the members before it misclassify; the ensemble predicts by a vote, weighted by the accuracy of the members.
 *
 * Member m has the seed of the configuration plus m, and is the run `<directory>/members/<m>`; its rows with their weights are in
 * `<directory>/train-<m>.jsonl`. The ensemble is `<directory>/ensemble`, which `openPredictor` and `evaluateRun` open like a run. Boosting
 * ends early after a member without errors on its training rows, or one that is not better than chance. Starting a stopped or killed
 * boosting again resumes it; more members extend a finished one.
 *
 * When to use it: weak learners, which misclassify many training rows: small models, few epochs, frozen layers. Gotchas: a fine-tuned
 * model learns a small training set by heart, and boosting ends; wrong labels gain weight with each member.
 * Source: Zhu et al., Multi-class AdaBoost, 2009, algorithm 2.
 * @throws AttuneError as the stream's error: `NOT_A_CLASSIFIER`, `BAD_CONFIG`, `BAD_ARGUMENT`, `UNKNOWN_PLUGIN` without
 *   `@attune/balancer-sample-weights`, `STUDY_IN_USE`, `STUDY_CHANGED`, `STUDY_EXISTS`, `STUDY_DAMAGED`, and the errors of a run
 *
 * @example
 * ```ts
 * import { on } from '@attune/core'
 * import { boost } from '@attune/study'
 * const train = { use: 'jsonl', path: 'train.jsonl' }
 * const config = {
 *   data: { train, validation: train },
 *   tokenizer: { use: 'word', vocabularySize: 100 },
 *   model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
 *   objective: 'sequence-classification',
 *   engine: 'tfjs-cpu',
 *   metric: 'accuracy',
 *   training: { epochs: 1 },
 *   directory: 'runs/boosting',
 * }
 * boost(config, { members: 2 })
 *   .pipe(on('ensemble.completed'))
 *   .subscribe(({ directory, members }) => console.log(directory.endsWith('boosting'), members >= 1)) // true true
 * ```
 */
export const boost = (config: RunConfig, options: MembersOptions = {}): Observable<EnsembleEvent> =>
  stoppable(async (stops, show) => {
    const members = requireMembers(options)
    const { tracker: _, ...silent } = config
    const balancer = [{ use: 'sample-weights', by: WEIGHT }, ...[silent.balancer ?? []].flat()]
    const plan = await planRun({ ...silent, balancer }, options)
    labelField(plan.config.objective)
    const directory = requireOwnValidation(plan, 'members')
    const { train } = plan.config.data
    const source = train.plugin(train.options) as Source
    const folder = await openFolder(directory, 'boosting', silent, ['directory'])
    const path = (member: number): string => join(directory, `train-${member}.jsonl`)
    const write = (member: number, weights?: readonly number[]) =>
      writeRows(path(member), weightedRows(source, weights))
    const configOf = (member: number): RunConfig => ({
      ...silent,
      data: { ...silent.data, train: { use: 'jsonl', path: path(member) } },
      balancer,
      seed: plan.config.seed + member,
    })
    const given = {
      ...{ folder, members, options, configOf },
      weigh: (member: number, run: string) => weigh(member, run, options, write),
      combine: (runs: readonly string[], all: readonly Member[]) => combine(directory, runs, all, options),
    }
    try {
      if (!existsSync(path(0))) await write(0)
      await trainMembers(given, stops, show)
    } finally {
      await folder.close()
    }
  }, options.commands)
