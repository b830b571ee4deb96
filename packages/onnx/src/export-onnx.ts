import { existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { AttuneError, type Model, isAttuneError, isRecord } from '@attune/core'
import { readJsonObject, writeFault } from '@attune/files'
import type { SearchPaths } from '@attune/resolve'
import { type ObjectiveChoice, loadPretrained } from '@attune/trainer/node'
import { cannotExport } from './cannot-export.js'
import { encoderTasks } from './encoder-graph.js'
import { taskOf } from './task-of.js'
import { writeCompanions } from './write-companions.js'
import { writeGraphs } from './write-graphs.js'

/** Options of {@link exportOnnx}. */
export interface ExportOptions {
  /** Folder to write to; created if necessary. Default: the folder of the model, next to its weights. */
  readonly output?: string | undefined
  /** Search locations of plugins. Default: the working folder. */
  readonly searchPaths?: SearchPaths
}

/** An exported model. */
export interface Exported {
  readonly folder: string
  /** Name of the objective. */
  readonly task: string
  /** Paths of the written files, relative to the folder; graphs first. */
  readonly files: readonly string[]
  /** Warnings from loading the model. */
  readonly warnings: readonly string[]
}

const MAXIMUM_BYTES = 64 * 1024 * 1024

/** Folder of a model's files: that of the saved model in a run, that of a GGUF file. */
function sourceOf(directory: string): string {
  if (statSync(directory, { throwIfNoEntry: false })?.isFile() === true) return dirname(directory)
  const saved = join(directory, 'model')
  return existsSync(join(saved, 'config.json')) ? saved : directory
}

/** Maximum number of tokens of a text in the training of a run; undefined if it is not given, or there is no run. */
function trainedLength(directory: string): number | undefined {
  const read = (name: string): Readonly<Record<string, unknown>> | undefined =>
    readJsonObject(
      join(directory, name),
      MAXIMUM_BYTES,
      (why) =>
        new AttuneError('RUN_DAMAGED', `${join(directory, name)} is damaged: ${why}`, 'Restore it from a backup.'),
    )
  if (!existsSync(join(directory, 'run.json'))) return undefined
  const found = [read('learned.json')?.['options'], read('config.json')].map((options) =>
    isRecord(options) && isRecord(options['objective']) ? options['objective']['maximumLength'] : undefined,
  )
  return found.find((length) => typeof length === 'number')
}

/**
 * Exports a model to ONNX in the layout of transformers.js and optimum: `onnx/model.onnx`, or `onnx/encoder_model.onnx` and
 * `onnx/decoder_model_merged.onnx` for an encoder–decoder, next to `config.json`, tokenizer and generation settings. Weights and
 * computation are float32. The model is the folder of a run, a folder in the Hugging Face file layout, or a GGUF file.
 * @throws AttuneError `CANNOT_EXPORT` if the model cannot be exported; `CANNOT_WRITE`; the errors of `loadPretrained`
 *
 * @example
 * ```ts
 * import { exportOnnx } from '@attune/onnx'
 * const { files } = await exportOnnx('runs/topics', { output: 'topics-onnx' })
 * console.log(files[0]) // onnx/model.onnx
 * ```
 */
export async function exportOnnx(directory: string, options: ExportOptions = {}): Promise<Exported> {
  const length = trainedLength(directory)
  const choose = (model: Model, config: Readonly<Record<string, unknown>>): ObjectiveChoice => {
    const chosen = taskOf(model, config)
    return length !== undefined && encoderTasks.includes(chosen.use) ? { ...chosen, maximumLength: length } : chosen
  }
  const loaded = await loadPretrained(directory, choose, options.searchPaths ?? { folders: [process.cwd()] })
  const source = sourceOf(directory)
  const folder = resolve(options.output ?? source)
  try {
    if (loaded.adapter !== undefined)
      throw cannotExport(
        `expected a model without an adapter beside its weights, got ${loaded.adapter}`,
        'Train with an adapter that is merged into the weights, such as lora, and export that model.',
      )
    const graphs = writeGraphs(loaded, folder)
    const others = await writeCompanions(loaded, source, folder, graphs)
    return { folder, task: loaded.task, files: [...graphs, ...others], warnings: loaded.warnings }
  } catch (error) {
    throw error instanceof Error && 'syscall' in error && !isAttuneError(error)
      ? writeFault(folder, error, 'Free disk space or choose another folder with --output.')
      : error
  } finally {
    await loaded.close()
  }
}
