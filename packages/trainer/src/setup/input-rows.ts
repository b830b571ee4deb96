import { createHash } from 'node:crypto'
import { AttuneError, type HostArray, type HostTree, isHostArray, leaves } from '@attune/core'

/** Creates the error `NOT_CACHEABLE`. @param reason a clause that explains why */
export const notCacheable = (reason: string): AttuneError =>
  new AttuneError('NOT_CACHEABLE', `training.cacheOutputs: ${reason}`, 'Remove training.cacheOutputs.')

/** One row of the inputs of a model: a digest of its tokens without padding, and where they are. */
export interface InputRow {
  readonly key: string
  /** Position of the first token. */
  readonly start: number
  /** Position after the last token. */
  readonly end: number
}

/** Positions of the first token and after the last one, in row `i` of an attention mask; all positions without a mask. */
function spanOf(mask: HostArray | undefined, length: number, i: number): readonly [start: number, end: number] {
  if (mask === undefined) return [0, length]
  const row = mask.values.subarray(i * length, (i + 1) * length)
  const start = row.findIndex((value: number) => value !== 0)
  return start < 0 ? [0, 0] : [start, length - [...row].reverse().findIndex((value) => value !== 0)]
}

/** True for arrays with one value per token. */
const isPerToken = ({ shape }: HostArray, length: number): boolean => shape.length === 2 && shape[1] === length

/**
 * Identifies the rows of a batch by a SHA-256 digest of their inputs, `[batch, length]` and others, without padding, so that the same text
 * has the same key in every batch.
 * @throws AttuneError `NOT_CACHEABLE` if the inputs are not those of an encoder or a decoder alone
 */
export function inputRows(inputs: Readonly<Record<string, HostTree>>): readonly InputRow[] {
  const arrays = leaves(inputs, isHostArray)
  const ids = inputs['inputIds'] as HostArray | undefined
  if (ids === undefined || 'decoderInputIds' in inputs)
    throw notCacheable(`expected a batch with inputIds alone, got ${arrays.map(([name]) => name).join(', ')}`)
  const [rows, length] = ids.shape as [number, number]
  const other = arrays.find(([, { shape }]) => shape[0] !== rows)
  if (other !== undefined) throw notCacheable(`expected ${rows} rows in ${other[0]}, got ${String(other[1].shape)}`)
  const mask = inputs['attentionMask'] as HostArray | undefined
  return Array.from({ length: rows }, (_, i): InputRow => {
    const [start, end] = spanOf(mask, length, i)
    const hash = createHash('sha256')
    for (const [name, array] of arrays) {
      const size = array.values.length / rows
      const [from, to] = isPerToken(array, length) ? [start, end] : [0, size]
      const { buffer, byteOffset, byteLength } = array.values.subarray(i * size + from, i * size + to)
      hash.update(`${name} ${to - from} `).update(new Uint8Array(buffer, byteOffset, byteLength))
    }
    return { key: hash.digest('base64'), start, end }
  })
}
