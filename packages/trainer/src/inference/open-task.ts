import { join, resolve } from 'node:path'
import { AttuneError, type Engine, type Params, closeScope } from '@attune/core'
import { addDifferences, withoutPrefix } from '@attune/nn'
import { describeModel } from '../files/model-folder.js'
import { type OpenOptions, openRun } from '../files/run-folder.js'
import type { Pretrained } from './load-pretrained.js'
import { openModel, versionWarnings } from './open-model.js'
import { type ModelTask, taskNamed } from './task-of-model.js'

/** @throws AttuneError `NOT_A_WRITER` for a task whose text the model cannot generate */
function requireWriter({ generates, layer }: ModelTask, name: string, folder: string): void {
  if (generates && layer === undefined) return
  throw new AttuneError(
    'NOT_A_WRITER',
    generates
      ? `expected a task that reads the last layer, got "${name}", which reads layer ${layer} (${folder})`
      : `expected a task that generates text, got "${name}", which predicts something of a text (${folder})`,
    generates ? 'Train the task without `layers`.' : `Predict: npx attune predict ${folder} --task ${name} "some text"`,
  )
}

/** The parameters of a task under the names of a single-task model: the shared ones, with its head and its own differences. */
function parametersOf(engine: Engine, params: Params, prefix: string): Params {
  const own = withoutPrefix(params, prefix)
  const hasDifferences = Object.keys(own).some((name) => name.startsWith('difference.'))
  const shared = hasDifferences ? engine.compile((all: Params) => addDifferences(all, prefix))(params) : params
  return { ...shared, ...own }
}

/**
 * Opens one task of a multi-task run as a single-task model that generates text.
 * @throws AttuneError `TASK_MISMATCH` for another task, `NOT_A_WRITER` for one that does not generate text, and the errors of a run folder
 */
export async function openTask(
  directory: string,
  task: string,
  options: OpenOptions = {},
): Promise<Pick<Pretrained, 'engine' | 'model' | 'tokenizer' | 'params' | 'generation' | 'warnings' | 'close'>> {
  const folder = resolve(options.baseDirectory ?? '.', directory)
  const run = openRun(folder, options)
  const { scope, objective, components, params, forward, warnings } = await openModel(run, folder, [], options)
  forward.dispose()
  const close = (): Promise<void> => closeScope(scope)
  try {
    const own = taskNamed({ objective, components }, task, folder)
    requireWriter(own, task, folder)
    return {
      ...components,
      params: parametersOf(components.engine, params, own.prefix),
      generation: describeModel(join(folder, 'model')).generation,
      warnings: [...warnings, ...versionWarnings(run)],
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
