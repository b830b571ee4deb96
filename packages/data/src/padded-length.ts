import { AttuneError } from '@attune/core'
import { requireInteger } from './require-integer.js'

/**
 * Padded length of a batch: `longest` rounded up to a `multiple`, at most `maximum`. Rounding reduces the number of distinct
 * shapes, each of which may need a compilation. An empty batch is padded to one `multiple`.
 * @throws AttuneError `SEQUENCE_TOO_LONG` if `longest` is greater than `maximum`; `BAD_ARGUMENT` unless `multiple` and
 *   `maximum` are integers ≥ 1.
 */
export function paddedLength(longest: number, multiple: number, maximum: number): number {
  requireInteger('paddedLength', 'multiple', multiple, 1)
  requireInteger('paddedLength', 'maximum', maximum, 1)
  if (longest > maximum)
    throw new AttuneError(
      'SEQUENCE_TOO_LONG',
      `expected a sequence of at most ${maximum} tokens, got ${longest}`,
      "Encode the text with a `maximumLength` of at most the model's maximum length.",
    )
  return Math.min(Math.max(1, Math.ceil(longest / multiple)) * multiple, maximum)
}
