import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type HostArray } from '@attune/core'
import { type FolderContent, writeFolderAtomically } from '@attune/files'
import { type FloatStorage, shardWeights } from '@attune/weights'
import { json } from '../files/model-files.js'

/** Files at the top of a model's folder that a merged model does not copy: weights, its card, exports, files of the Hub's cache. */
const REPLACED =
  /\.(safetensors|bin|gguf|pt|pth|ckpt|h5|msgpack|onnx|index\.json)$|^(README\.md|config\.json|\.git.*|\.cache|onnx)$/

/** @throws AttuneError `FILE_EXISTS` unless the folder is new or empty */
export function requireNewFolder(folder: string): void {
  if (!existsSync(folder)) return
  if (statSync(folder).isDirectory() && readdirSync(folder).length === 0) return
  throw new AttuneError(
    'FILE_EXISTS',
    `expected a new folder for the merged model, but ${folder} already exists`,
    'Choose another folder with --out, or move the existing one.',
  )
}

/** The other files of a model, by path in its folder: tokenizer, generation settings, modules of sentence-transformers. */
function otherFiles(folder: string, at = ''): FolderContent {
  const names = readdirSync(join(folder, at)).filter((name) => at !== '' || !REPLACED.test(name))
  return Object.assign(
    {},
    ...names.map((name): FolderContent => {
      const path = at === '' ? name : `${at}/${name}`
      if (statSync(join(folder, path)).isDirectory()) return at === '' ? otherFiles(folder, path) : {}
      return { [path]: () => readFileSync(join(folder, path)) }
    }),
  ) as FolderContent
}

/** A model to write next to the other files of the folder that it was made from. */
export interface MergedModel {
  readonly from: string
  readonly config: Readonly<Record<string, unknown>>
  readonly weights: Readonly<Record<string, HostArray>>
  readonly floats: FloatStorage
  /** One sentence on how it was made, for its card. */
  readonly made: string
}

/** Writes a model in the Hugging Face file layout. @throws AttuneError `CANNOT_WRITE`, `BEYOND_FLOAT16` */
export async function writeMerged(folder: string, { from, config, weights, floats, made }: MergedModel): Promise<void> {
  const card = ['---', 'library_name: transformers', 'tags: [attune]', '---', '', '# Merged model', '', made, '']
  await writeFolderAtomically(folder, {
    ...otherFiles(from),
    'config.json': json({ ...config, dtype: undefined, torch_dtype: floats }),
    ...shardWeights(weights, floats),
    'README.md': card.join('\n'),
  })
}
