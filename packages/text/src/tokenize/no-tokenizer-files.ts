import { AttuneError } from '@attune/core'
import type { TokenizerFiles } from './tokenizer-files.js'

/**
 * Stands for the reader of tokenizer files where there is no file system: in browsers.
 * @throws AttuneError `FILE_NOT_FOUND`
 */
export function readTokenizerFiles(path: string): TokenizerFiles {
  throw new AttuneError(
    'FILE_NOT_FOUND',
    `expected the content of a tokenizer.json, got the path ${path}: there is no file system here`,
    'Fetch the file and give its content as `json`.',
  )
}
