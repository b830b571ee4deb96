import { AttuneError } from '@attune/core'
import { requireWhole } from './require-whole.js'

/**
 * The length to pad a batch to: `longest` rounded up to a `multiple`, at most `maximum`. Rounding makes few different
 * shapes occur, of which each may have to be compiled. An empty batch is padded to one `multiple`.
 * @throws AttuneError `SEQUENCE_TOO_LONG` if `longest` is greater than `maximum`; `BAD_ARGUMENT` unless `multiple` and
 *   `maximum` are whole numbers from 1.
 */
export function paddedLength(longest: number, multiple: number, maximum: number): number {
  requireWhole('paddedLength', 'multiple', multiple, 1)
  requireWhole('paddedLength', 'maximum', maximum, 1)
  if (longest > maximum)
    throw new AttuneError(
      'SEQUENCE_TOO_LONG',
      `a sequence must have at most ${maximum} tokens, got ${longest}`,
      'Encode the text with a `maximumLength` that is no more than the model takes.',
    )
  return Math.min(Math.max(1, Math.ceil(longest / multiple)) * multiple, maximum)
}
