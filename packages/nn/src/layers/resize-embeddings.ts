import { AttuneError, type Key, type Params } from '@attune/core'
import { type Tensor, add, concat, matMul, mean, reshape, slice, sub } from '@tensorflow/tfjs-core'
import { normal } from './initialise.js'
import { parameter } from './parameter.js'

/** What the covariance of the old rows is multiplied by, as in the Hugging Face library. */
const COVARIANCE_SHARE = 1e-9

/**
 * New rows around the mean of the old ones: `mean + √(share / rows) · z · (old − mean)` with `z` standard normal,
 * `[added, rows]`. Such a sum of the old rows' deviations has the multivariate normal distribution with their covariance,
 * and needs no factor of it, so that it is defined where the covariance is singular, too.
 */
function around(old: Tensor, added: number, key: Key): Tensor {
  const rows = old.shape[0]!
  const flat = reshape(old, [rows, -1])
  const middle = mean(flat, 0, true) // [1, width]
  const draws = normal(key, [added, rows], Math.sqrt(COVARIANCE_SHARE / rows))
  return reshape(add(middle, matMul(draws, sub(flat, middle))), [added, ...old.shape.slice(1)])
}

/**
 * Parameters with one more or fewer rows in a tensor that has a row for each token: word embeddings
 * `[vocabulary, width]`, and the bias `[vocabulary]` of a head that predicts tokens. Old rows keep their bits; new ones come
 * after them, drawn from the normal distribution with the mean of the old rows and 10⁻⁹ of their covariance, so that a new
 * token begins as likely as any other (Hewitt, Initializing New Word Embeddings for Pretrained Language Models, 2021). A head
 * that shares the tensor shares its new rows.
 *
 * Near neighbour: `resize_token_embeddings` of the Hugging Face library, which takes the mean alone for new rows where the
 * covariance has no Cholesky factor, and draws a bias with 10⁻⁹ of its deviation.
 * @param rows how many there are to be, at least 1
 * @throws AttuneError `MISSING_PARAMETER` if there is no tensor of that name; `BAD_ARGUMENT` for a number of rows that is none
 */
export function resizeEmbeddings(params: Params, name: string, rows: number, key: Key): Params {
  if (!Number.isSafeInteger(rows) || rows < 1)
    throw new AttuneError(
      'BAD_ARGUMENT',
      `a tensor must have a whole number of rows, at least 1, got ${rows}`,
      'Give the size of the vocabulary, added tokens and all.',
    )
  const old = parameter(params, name)
  const added = rows - old.shape[0]!
  if (added === 0) return params
  const begin = old.shape.map(() => 0)
  const resized =
    added < 0 ? slice(old, begin, [rows, ...old.shape.slice(1)]) : concat([old, around(old, added, key)], 0)
  return { ...params, [name]: resized }
}
