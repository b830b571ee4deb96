import { AttuneError } from '@attune/core'
import type { TokenizerFiles } from './tokenizer-files.js'

/**
 * Replaces the reader of tokenizer files in browsers, where there is no file system.
 * @throws AttuneError `FILE_NOT_FOUND`
 */
export function readTokenizerFiles(path: string): TokenizerFiles {
  throw new AttuneError(
    'FILE_NOT_FOUND',
    `expected the content of a tokenizer.json, got the path ${path}: this environment has no file system`,
    'Fetch the file and pass its content as `json`.',
  )
}
