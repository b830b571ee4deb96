import { realpathSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { parseJson } from '@attune/core'
import { readWholeFile } from '@attune/files'

/** Stops the reading of a file, with what is wrong with it. */
export type Refuse = (why: string) => never

/**
 * Reads a file, which must be a regular one: a pipe or a device may never end.
 * @param refuse called with the reason why it cannot be read
 */
export function readRegularFile(path: string, mostBytes: number, refuse: Refuse): Buffer {
  let bytes: Buffer | undefined
  try {
    bytes = readWholeFile(path, mostBytes)
  } catch (cause) {
    return refuse((cause as Error).message)
  }
  return bytes ?? refuse('there is no such file')
}

/** Reads a regular file of JSON. */
export function readJsonFile(path: string, mostBytes: number, refuse: Refuse): unknown {
  const text = readRegularFile(path, mostBytes, refuse).toString()
  try {
    return parseJson(text)
  } catch (cause) {
    return refuse((cause as Error).message)
  }
}

/** Refuses a file that is a symbolic link to somewhere else than the files of its tokenizer. */
export type RequireInside = (path: string, refuse: Refuse) => void

/**
 * Settles where files may lie that are saved with a model as they are: in the folder of the tokenizer, or beside the file that
 * its vocabulary was read from, if that is a symbolic link (as all files of the Hugging Face cache are). A link to anywhere
 * else would put a private file of the user into the model.
 * @param vocabulary the file that holds the vocabulary
 */
export function insideOf(folder: string, vocabulary: string): RequireInside {
  const folders = [realpathSync(folder), dirname(realpathSync(vocabulary))]
  return (path, refuse) => {
    const real = realpathSync(path)
    if (!folders.some((each) => real.startsWith(each.endsWith(sep) ? each : each + sep)))
      refuse('it is a symbolic link to a file outside the folder')
  }
}
