import { realpathSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { parsePythonJson, readWholeFile } from '@attune/files'

/** Throws the error for a file that cannot be used, with the reason. */
export type Refuse = (why: string) => never

/**
 * Reads a regular file. Pipes and devices are rejected, since they may never end.
 * @param refuse called with the reason if it cannot be read
 */
export function readRegularFile(path: string, mostBytes: number, refuse: Refuse): Buffer {
  let bytes: Buffer | undefined
  try {
    bytes = readWholeFile(path, mostBytes)
  } catch (cause) {
    return refuse((cause as Error).message)
  }
  return bytes ?? refuse('the file does not exist')
}

/** Reads and parses a regular JSON file. */
export function readJsonFile(path: string, mostBytes: number, refuse: Refuse): unknown {
  const text = readRegularFile(path, mostBytes, refuse).toString()
  try {
    return parsePythonJson(text)
  } catch (cause) {
    return refuse((cause as Error).message)
  }
}

/** Rejects a file that is a symbolic link to a location outside the tokenizer's folders. */
export type RequireInside = (path: string, refuse: Refuse) => void

/**
 * Restricts files that are saved unchanged with a model to the folder of the tokenizer and, if its vocabulary is a symbolic link
 * (as in the cache of the Hugging Face Hub), to the folder of the link's target. Links to other locations could copy a user's
 * private files into the model.
 * @param vocabulary path of the file with the vocabulary
 */
export function insideOf(folder: string, vocabulary: string): RequireInside {
  const folders = [realpathSync(folder), dirname(realpathSync(vocabulary))]
  return (path, refuse) => {
    const real = realpathSync(path)
    if (!folders.some((each) => real.startsWith(each.endsWith(sep) ? each : each + sep)))
      refuse('it is a symbolic link to a file outside the folder')
  }
}
