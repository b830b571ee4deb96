import { lstat, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { AttuneError } from '@attune/core'
import { checkedPath } from './model-name.js'
import { isPickleName } from './needed-files.js'

/** A file of a folder that is to be uploaded. */
export interface LocalFile {
  /** As it will be in the repository. */
  readonly path: string
  readonly file: string
  readonly bytes: number
}

const MAXIMUM_FILES = 1000
/** What programs of this computer leave, and what is to be seen by nobody. */
const NOT_PART = /^\.(git|cache|DS_Store|env.*)$|^(__pycache__|node_modules)$/
const SAFE = /\.(safetensors|gguf|json|jsonl|md|txt|jinja|yaml|model)$/
const ZIP = Buffer.from('PK\x03\x04')

/** Whether a file is a pickle by how it begins: by the opcode of its protocol, or, as torch.save writes it, as an archive. */
async function beginsAsPickle(file: string): Promise<boolean> {
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
      `${file} is a link or a device, and only files are uploaded`,
      `Put the file itself there: cp --dereference ${file} COPY`,
    )
  if (isPickleName(path) || (!SAFE.test(path) && (await beginsAsPickle(file))))
    throw new AttuneError(
      'PICKLED_WEIGHTS',
      `${file} is a pickle, and reading one can run any program: none is uploaded`,
      'Remove it; the weights belong into model.safetensors or adapter_model.safetensors.',
    )
  return { path: checkedPath(path, folder), file, bytes: found.size }
}

async function namesIn(folder: string, below = ''): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    if (NOT_PART.test(entry.name)) continue
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) names.push(...(await namesIn(folder, path)))
    else names.push(path)
    if (names.length > MAXIMUM_FILES)
      throw new AttuneError(
        'BAD_MODEL_FOLDER',
        `${folder} holds more than ${MAXIMUM_FILES} files, and a model holds few`,
        'Name the folder of the model itself, such as RUN/model.',
      )
  }
  return names.sort()
}

/**
 * The files of a model or an adapter that can be uploaded: it has its description, its weights, and its card.
 * @throws AttuneError `FILE_NOT_FOUND`; `BAD_MODEL_FOLDER` for what is no model's folder, and for links in it;
 *   `PICKLED_WEIGHTS`, `BAD_REPOSITORY_PATH`
 */
export async function localFiles(folder: string): Promise<readonly LocalFile[]> {
  const found = await lstat(folder).catch(() => undefined)
  if (found?.isDirectory() !== true)
    throw new AttuneError('FILE_NOT_FOUND', `there is no folder ${folder}`, 'Name the folder of a model: RUN/model.')
  const files: LocalFile[] = []
  for (const path of await namesIn(folder)) files.push(await checked(folder, path))
  const has = (test: (path: string) => boolean): boolean => files.some(({ path }) => test(path))
  const refuse = (what: string, remedy: string): AttuneError =>
    new AttuneError('BAD_MODEL_FOLDER', `${folder} is not a model to upload: it has no ${what}`, remedy)
  if (!has((path) => path === 'config.json' || path === 'adapter_config.json'))
    throw refuse('config.json and no adapter_config.json', 'Name the folder of a model; a run has it in RUN/model.')
  if (!has((path) => /\.(safetensors|gguf)$/.test(path)))
    throw refuse('weights', 'Save them as model.safetensors or adapter_model.safetensors.')
  if (!has((path) => path === 'README.md'))
    throw refuse(
      'README.md',
      'Write one that says what the model is and how it was made: it is the card that others read.',
    )
  return files
}
