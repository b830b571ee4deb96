import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type RunConfig, evaluateOutOfBag, makeEnsemble, planRun } from '@attune/trainer/node'
import type { Observable } from 'rxjs'
import type { EnsembleEvent } from '../events.js'
import { openFolder } from '../folder.js'
import { valuesOf } from '../past-run.js'
import { labelField, requireOwnValidation } from '../prepare.js'
import { stoppable } from '../study.js'
import { type MembersOptions, requireMembers, trainMembers } from './train-members.js'

/** Averages the members, and scores each training row by the members that were not trained on it. */
async function combine(directory: string, runs: readonly string[], { searchPaths }: MembersOptions) {
  const options = searchPaths === undefined ? {} : { searchPaths }
  const output = join(directory, 'ensemble')
  rmSync(output, { recursive: true, force: true }) // of fewer members
  await makeEnsemble(runs, { ...options, method: 'average', output })
  const { scores, examples, rows } = await evaluateOutOfBag(runs, options)
  return { ensemble: output, outOfBag: { scores: valuesOf(scores), examples, rows } }
}

/**
 * Bagging (bootstrap aggregating) of a text classifier, as a cold stream of events. Each member trains on its own stratified bootstrap sample of the
 * training rows, with a seed of its own; the ensemble predicts the mean of their probabilities. The last event has its out-of-bag scores:
 * each training row is predicted only by the members that were not trained on it, so no data need be held out for them.
 *
 * Member m has the seed of the configuration plus m, and is the run `<directory>/members/<m>`; the ensemble is `<directory>/ensemble`, which
 * `openPredictor` and `evaluateRun` open like a run. Starting a stopped or killed bagging again resumes it; more members extend a finished
 * one.
 *
 * When to use it: models with high variance, such as large ones on few rows. Gotchas: members that start from one pretrained model differ
 * little, so an ensemble of other seeds on all rows may be better. Out-of-bag scores are lower than those of the ensemble, since about 37 %
 * of the members predict each row.
 * Source: Breiman, Bagging Predictors, 1996, section 1; Out-of-Bag Estimation, 1996.
 * @throws AttuneError as the stream's error: `NOT_A_CLASSIFIER`, `BAD_CONFIG`, `BAD_ARGUMENT`, `UNKNOWN_PLUGIN` without
 *   `@attune/balancer-bootstrap`, `STUDY_IN_USE`, `STUDY_CHANGED`, `STUDY_EXISTS`, `STUDY_DAMAGED`, and the errors of a run
 *
 * @example
 * ```ts
 * import { on } from '@attune/core'
 * import { bag } from '@attune/study'
 * const train = { use: 'jsonl', path: 'train.jsonl' }
 * const config = {
 *   data: { train, validation: train },
 *   tokenizer: { use: 'word', vocabularySize: 100 },
 *   model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
 *   objective: 'sequence-classification',
 *   engine: 'tfjs-cpu',
 *   metric: 'accuracy',
 *   directory: 'runs/bagging',
 * }
 * bag(config, { members: 3 })
 *   .pipe(on('ensemble.completed'))
 *   .subscribe(({ members, outOfBag }) => console.log(members, Object.keys(outOfBag!.scores))) // 3 [ 'loss', 'accuracy' ]
 * ```
 */
export const bag = (config: RunConfig, options: MembersOptions = {}): Observable<EnsembleEvent> =>
  stoppable(async (stops, show) => {
    const members = requireMembers(options)
    const { tracker: _, ...silent } = config
    const { config: parsed } = await planRun(silent, options)
    const by = labelField(parsed.objective)
    const isSampled = parsed.balancer.some(({ plugin }) => plugin.name === 'bootstrap')
    const balancer = [...(isSampled ? [] : [{ use: 'bootstrap', by }]), ...[silent.balancer ?? []].flat()]
    const directory = requireOwnValidation(await planRun({ ...silent, balancer }, options), 'members')
    const folder = await openFolder(directory, 'bagging', silent, ['directory'])
    const configOf = (member: number): RunConfig => ({ ...silent, balancer, seed: parsed.seed + member })
    const combineAll = (runs: readonly string[]) => combine(directory, runs, options)
    try {
      await trainMembers({ folder, members, options, configOf, combine: combineAll }, stops, show)
    } finally {
      await folder.close()
    }
  }, options.commands)
