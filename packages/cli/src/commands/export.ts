import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError } from '@attune/core'
import type { SearchPaths } from '@attune/resolve'
import { Command } from 'commander'
import { folderOf } from '../hub-models.js'
import { searchPathsFrom } from '../search-paths.js'
import { showWarnings } from '../show-warnings.js'

/** Package of the exporter. It installs ONNX Runtime, so it is not a dependency of the command; users install it. */
const PACKAGE = '@attune/onnx'

/** Exporter, as its package exports it. */
interface Exporter {
  exportOnnx(
    directory: string,
    options: { readonly output?: string | undefined; readonly searchPaths: SearchPaths },
  ): Promise<{ readonly folder: string; readonly files: readonly string[]; readonly warnings: readonly string[] }>
}

/** @throws AttuneError `PACKAGE_MISSING` */
async function loadExporter(): Promise<Exporter> {
  try {
    return (await import(PACKAGE)) as Exporter
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new AttuneError('PACKAGE_MISSING', `${PACKAGE} is not installed`, `Install it: npm install ${PACKAGE}`, {
      cause,
    })
  }
}

/** Requires an output folder for a model of the Hub, whose folder is a cache. */
function requireOutput(model: string, output: string | undefined): void {
  if (output !== undefined || existsSync(model)) return
  throw new AttuneError(
    'BAD_USAGE',
    `${model} is a model of the Hub, in a cache that must not change`,
    `Name a folder: npx attune export onnx ${model} --output ${model.split('/').at(-1)}-onnx`,
  )
}

async function exportTo(model: string, { output }: { readonly output?: string }): Promise<void> {
  const { exportOnnx } = await loadExporter()
  requireOutput(model, output)
  const folder = await folderOf(model)
  const { warnings, files, folder: written } = await exportOnnx(folder, { output, searchPaths: searchPathsFrom() })
  showWarnings(warnings)
  for (const file of files) process.stdout.write(`${join(written, file)}\n`)
}

const onnxCommand = (): Command =>
  new Command('onnx')
    .summary('export a model to ONNX')
    .description(
      'Exports the model of a run, or of a folder in the layout of transformers, to ONNX for transformers.js, optimum and ONNX Runtime: onnx/model.onnx, or onnx/encoder_model.onnx and onnx/decoder_model_merged.onnx, next to config.json, tokenizer and generation settings. Prints the paths of the written files.',
    )
    .argument('<model>', 'folder of a run or a model, or a model of the Hub: organization/name')
    .option('--output <folder>', 'folder to write to; default: that of the model, next to its weights')
    .addHelpText(
      'after',
      `
Examples:
  npx attune export onnx runs/debian-sections
  npx attune export onnx models/smollm2 --output smollm2-onnx`,
    )
    .action(exportTo)

/** `attune export` */
export const exportCommand = (): Command =>
  new Command('export')
    .summary('export a model for other programs')
    .description('Exports a model for other programs.')
    .addCommand(onnxCommand())
