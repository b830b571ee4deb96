import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { closeScope, fieldsRead } from '@attune/core'
import { type OpenOptions, openRun } from '../files/run-folder.js'
import { placesOf } from '../plan/lookup.js'
import { openModel, versionWarnings } from './open-model.js'
import { predictorOf } from './predictor-of.js'
import type { Predictor } from './predictor.js'
import { openPretrainedPredictor } from './pretrained-predictor.js'

/**
 * Opens the model of a run folder to predict with, or a classifier from a folder in the layout of the Hugging Face library.
 *
 * When to use it: scripts and batch jobs. A server should use {@link openWorkerPredictor}: a batch on the main thread stops the event
 * loop while it is computed.
 * @throws AttuneError `NOT_A_RUN` where there is neither, `NOT_A_CLASSIFIER` where what there is does not classify
 * @example
 * const predictor = await openPredictor('runs/debian-sections')
 * console.log(await predictor.predict([{ text: 'A window manager for X' }]))
 * await predictor.close()
 */
export async function openPredictor(directory: string, options: OpenOptions = {}): Promise<Predictor> {
  const folder = resolve(options.baseDirectory ?? '.', directory)
  const isModel = existsSync(join(folder, 'config.json')) && !existsSync(join(folder, 'learned.json'))
  if (isModel) return openPretrainedPredictor(folder, placesOf(options))
  const run = openRun(folder, options)
  const { plan, scope, parts, params, forward, warnings } = await openModel(run, folder, [], options)
  const { objective } = plan.config
  return predictorOf({
    task: objective.plugin.name,
    fields: fieldsRead(objective),
    folder: join(folder, 'model'),
    objective: parts.objective,
    forward,
    params,
    warnings: [...warnings, ...versionWarnings(run)],
    close: () => closeScope(scope),
  })
}
