import { lstat, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { AttuneError } from '@attune/core'
import { checkedPath } from './model-name.js'
import { isPickleName } from './needed-files.js'

/** A file to upload. */
export interface LocalFile {
  /** Path in the repository. */
  readonly path: string
  readonly file: string
  readonly bytes: number
}

const MAXIMUM_FILES = 1000
/** Files of local programs, and private files. */
const EXCLUDED = /^\.(git|cache|DS_Store|env.*)$|^(__pycache__|node_modules)$/
const SAFE = /\.(safetensors|gguf|json|jsonl|md|txt|jinja|yaml|model)$/
const ZIP = Buffer.from('PK\x03\x04')

/** True if a file starts like a pickle: with the protocol opcode or, as written by torch.save, a zip archive. */
async function startsAsPickle(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    if (bytesRead < 4) return false
    return buffer.equals(ZIP) || (buffer[0] === 0x80 && (buffer[1] as number) >= 2 && (buffer[1] as number) <= 5)
  } finally {
    await handle.close()
  }
}

async function checked(folder: string, path: string): Promise<LocalFile> {
  const file = join(folder, ...path.split('/'))
  const found = await lstat(file)
  if (!found.isFile())
    throw new AttuneError(
      'BAD_MODEL_FOLDER',
      `expected a regular file, got a link or a device: ${file}`,
      `Replace it with the file itself: cp --dereference ${file} COPY`,
    )
  if (isPickleName(path) || (!SAFE.test(path) && (await startsAsPickle(file))))
    throw new AttuneError(
      'PICKLED_WEIGHTS',
      `${file} is a pickle, which can execute arbitrary code when it is loaded; pickles are not uploaded`,
      'Remove it, and save the weights as model.safetensors or adapter_model.safetensors.',
    )
  return { path: checkedPath(path, folder), file, bytes: found.size }
}

async function namesIn(folder: string, below = ''): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    if (EXCLUDED.test(entry.name)) continue
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) names.push(...(await namesIn(folder, path)))
    else names.push(path)
    if (names.length > MAXIMUM_FILES)
      throw new AttuneError(
        'BAD_MODEL_FOLDER',
        `expected a model folder of at most ${MAXIMUM_FILES} files, got more in ${folder}`,
        'Pass the folder of the model itself, such as RUN/model.',
      )
  }
  return names.sort()
}

/**
 * Returns the files of a model or an adapter to upload. The folder must have a configuration, weights and a model
 * card.
 * @throws AttuneError `FILE_NOT_FOUND`; `BAD_MODEL_FOLDER` for a folder without a model, and for links in it;
 * `PICKLED_WEIGHTS`, `BAD_REPOSITORY_PATH`
 */
export async function localFiles(folder: string): Promise<readonly LocalFile[]> {
  const found = await lstat(folder).catch(() => undefined)
  if (found?.isDirectory() !== true)
    throw new AttuneError(
      'FILE_NOT_FOUND',
      `the folder ${folder} does not exist`,
      'Pass the folder of a model: RUN/model.',
    )
  const files: LocalFile[] = []
  for (const path of await namesIn(folder)) files.push(await checked(folder, path))
  const has = (test: (path: string) => boolean): boolean => files.some(({ path }) => test(path))
  const folderError = (what: string, remedy: string): AttuneError =>
    new AttuneError('BAD_MODEL_FOLDER', `the model folder ${folder} has no ${what}`, remedy)
  if (!has((path) => path === 'config.json' || path === 'adapter_config.json'))
    throw folderError('config.json or adapter_config.json', 'Pass the folder of a model; that of a run is RUN/model.')
  if (!has((path) => /\.(safetensors|gguf)$/.test(path)))
    throw folderError('weights', 'Save the weights as model.safetensors or adapter_model.safetensors.')
  if (!has((path) => path === 'README.md'))
    throw folderError('README.md', 'Add a model card that describes the model and its training.')
  return files
}
