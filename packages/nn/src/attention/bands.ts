import type { AttentionPattern } from './attention-bias.js'

/** Some rows of queries, one after another, and the keys among which are all that they see. */
export interface Band {
  readonly row: number
  readonly rows: number
  readonly key: number
  readonly keys: number
}

/** Fewer rows make products that are not worth their start. */
const ROWS = 128
/** More bands save little: with eight, 44 of the 50 % that are hidden behind the diagonal are left out. */
const MOST = 8

/**
 * The rows of a square of `length` queries and keys in bands that leave out keys which `sight` hides from all of their queries: where a
 * token sees only what stands before it, a fourth of the square with two bands, and three eighths with four. One band, the whole
 * square, where all is seen or there are fewer than 256 tokens.
 */
export function bandsOf(length: number, { causal = false, window }: AttentionPattern): readonly Band[] {
  const isWhole = !causal && window === undefined
  const count = isWhole ? 1 : Math.max(1, Math.min(MOST, Math.floor(length / ROWS)))
  const most = Math.ceil(length / count)
  return Array.from({ length: Math.ceil(length / most) }, (_, i) => {
    const [row, end] = [i * most, Math.min(length, (i + 1) * most)]
    const key = window === undefined ? 0 : Math.max(0, row - window + 1)
    const last = causal ? end : window === undefined ? length : Math.min(length, end + window - 1)
    return { row, rows: end - row, key, keys: last - key }
  })
}
