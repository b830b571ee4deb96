import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AttuneError, type Encoded, type Example, type Objective, closeScope, fieldsRead } from '@attune/core'
import { cleaning } from '../data/clean.js'
import { isEnsemble } from '../ensemble/ensemble-file.js'
import { openEnsemble } from '../ensemble/open-ensemble.js'
import { openRun } from '../files/run-folder.js'
import { placesOf } from '../plan/lookup.js'
import { openAdapters } from './open-adapters.js'
import { type OpenModel, openModel, versionWarnings } from './open-model.js'
import { predictorOf } from './predictor-of.js'
import type { Predictor, PredictorOptions } from './predictor.js'
import { openPretrainedPredictor } from './pretrained-predictor.js'
import { singleTask, taskNamed, tasksOfModel } from './task-of-model.js'

/** True if a model reads a text and generates another: it predicts tokens only of a given target text. */
function generatesText({ model, objective }: Pick<OpenModel['components'], 'model' | 'objective'>): boolean {
  const head = model.heads['sequence-to-sequence']?.architecture
  return head !== undefined && [objective.config['architectures']].flat()[0] === head
}

const notAClassifier = (folder: string, task?: string): AttuneError =>
  new AttuneError(
    'NOT_A_CLASSIFIER',
    `expected a model that predicts something of the text itself, got a sequence-to-sequence ${task === undefined ? 'model' : `task, "${task}"`}, which generates another text (${folder})`,
    `Generate the text: npx attune generate ${folder}${task === undefined ? '' : ` --task ${task}`} "some text"`,
  )

/** The objective of a run's model; a row of a task that generates another text is rejected. @throws AttuneError `NOT_A_CLASSIFIER` */
function predictingObjective(opened: OpenModel, folder: string): Objective {
  const { components } = opened
  const { objective } = components
  const tasks = tasksOfModel(opened)
  if (tasks === undefined && generatesText(components)) throw notAClassifier(folder)
  if (tasks === undefined) return objective
  const encodeUnlabelled = (example: Example): Encoded => {
    const item: Encoded = objective.encodeUnlabelled(example)
    if (tasks[item.group!]?.generatesFromSource === true) throw notAClassifier(folder, item.group)
    return item
  }
  return { ...objective, encodeUnlabelled }
}

/** Opens the model of a run folder for prediction. */
async function openRunPredictor(folder: string, options: PredictorOptions): Promise<Predictor> {
  const run = openRun(folder, options)
  const opened = await openModel(run, folder, [], options)
  const { plan, scope, params, forward, warnings } = opened
  try {
    const own = options.task === undefined ? undefined : taskNamed(opened, options.task, folder)
    const clean = cleaning(plan.config.cleaner, plan.config.objective)
    return await predictorOf({
      task: plan.config.objective.plugin.name,
      fields: own?.fields ?? fieldsRead(plan.config.objective),
      folder: join(folder, 'model'),
      objective: predictingObjective(opened, folder),
      forward,
      params,
      clean: (example) => clean(own === undefined ? example : own.assign(example)),
      warnings: [...warnings, ...versionWarnings(run)],
      close: () => closeScope(scope),
    })
  } catch (error) {
    await closeScope(scope)
    throw error
  }
}

/**
 * Opens the model of a run folder, an ensemble of runs, or a classifier in the Hugging Face file layout, for prediction.
 *
 * With `adapters`, opens the model once for several saved adapters, one of which a call chooses: `predict(rows, { adapter: 'name' })`.
 * They share the tensors of the model, and those of one shape a compiled program. The model must be the base that they were trained on,
 * without a merged adapter. An adapter in the folder of a run has the task and the cleaners of that run; another one has a head and the
 * task of `config.json` of the model.
 *
 * When to use it: scripts and batch jobs. In a server, use {@link openWorkerPredictor}: on the main thread, each batch blocks the event
 * loop.
 * @throws AttuneError `NOT_A_RUN` if the folder contains neither; `RUN_UNFINISHED`; `NOT_A_CLASSIFIER` if its model generates
 *   text, or is not a classifier; `TASK_MISMATCH` for another `task`; `BAD_ADAPTER` for a saved adapter of another model
 *
 * @example
 * ```ts
 * import { isAttuneError } from '@attune/core'
 * import { openPredictor } from '@attune/trainer/node'
 * const predictor = await openPredictor('runs/topics')
 * const [answer] = await predictor.predict([{ text: 'a mail client' }])
 * console.log(answer !== undefined && !isAttuneError(answer) && answer['label']) // mail
 * await predictor.close()
 * ```
 */
export async function openPredictor(directory: string, options: PredictorOptions = {}): Promise<Predictor> {
  const folder = resolve(options.baseDirectory ?? '.', directory)
  if (Object.keys(options.adapters ?? {}).length > 0) return openAdapters(folder, options)
  if (isEnsemble(folder)) return openEnsemble(folder, { ...options, baseDirectory: '.' }, openPredictor)
  const isModel = existsSync(join(folder, 'config.json')) && !existsSync(join(folder, 'learned.json'))
  if (isModel && options.task !== undefined) throw singleTask(folder)
  if (isModel) return openPretrainedPredictor(folder, placesOf(options))
  return openRunPredictor(folder, options)
}
