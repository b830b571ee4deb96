import { isRecord } from '@attune/core'
import { parsePythonJson } from './parse-python-json.js'
import { readWholeFile } from './read-file.js'

/**
 * Reads a JSON object from a file, with bounded size and nesting. Python's `Infinity` and `NaN` are numbers.
 * @param createError creates the error from the reason
 * @returns undefined if there is no such file
 */
export function readJsonObject(
  path: string,
  maximumBytes: number,
  createError: (reason: string) => Error,
): Record<string, unknown> | undefined {
  try {
    const bytes = readWholeFile(path, maximumBytes)
    if (bytes === undefined) return undefined
    const value = parsePythonJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isRecord(value)) return value
    throw new Error('it is not a JSON object')
  } catch (error) {
    throw createError((error as Error).message)
  }
}
