import { AttuneError, type Key, type Params } from '@attune/core'
import { type Tensor, add, concat, matMul, mean, reshape, slice, sub } from '@tensorflow/tfjs-core'
import { normal } from './initialise.js'
import { parameter } from './parameter.js'

/** Factor of the covariance of the old rows, as in the Hugging Face transformers library (Python). */
const COVARIANCE_FACTOR = 1e-9

/**
 * New rows around the mean of the old ones: `mean + √(factor / rows) · z · (old − mean)` with `z` standard normal,
 * `[added, rows]`. This sum of the old rows' deviations is multivariate normal with their scaled covariance. It needs
 * no Cholesky factor and is therefore defined for a singular covariance, too.
 */
function sampleAround(old: Tensor, added: number, key: Key): Tensor {
  const rows = old.shape[0]!
  const flat = reshape(old, [rows, -1])
  const middle = mean(flat, 0, true) // [1, width]
  const draws = normal(key, [added, rows], Math.sqrt(COVARIANCE_FACTOR / rows))
  return reshape(add(middle, matMul(draws, sub(flat, middle))), [added, ...old.shape.slice(1)])
}

/**
 * Resizes a tensor with one row per token: word embeddings `[vocabulary, width]`, or the bias `[vocabulary]` of a
 * head that predicts tokens. Old rows keep their bits. New rows follow them, sampled from the normal distribution
 * with the mean of the old rows and 10⁻⁹ of their covariance, so that a new token starts with about the average
 * probability (Hewitt, Initializing New Word Embeddings for Pretrained Language Models, 2021). A head with tied
 * embeddings gets the new rows, too.
 *
 * Near neighbour: `resize_token_embeddings` of transformers, which uses the mean alone if the covariance has no
 * Cholesky factor, and samples a bias with 10⁻⁹ of its deviation.
 * @param rows number of rows of the result, at least 1
 * @throws AttuneError `MISSING_PARAMETER` if no tensor has that name; `BAD_ARGUMENT` if `rows` is not a positive
 * integer
 */
export function resizeEmbeddings(params: Params, name: string, rows: number, key: Key): Params {
  if (!Number.isSafeInteger(rows) || rows < 1)
    throw new AttuneError(
      'BAD_ARGUMENT',
      `expected a number of rows that is an integer of at least 1, got ${rows}`,
      'Pass the size of the vocabulary, including added tokens.',
    )
  const old = parameter(params, name)
  const added = rows - old.shape[0]!
  if (added === 0) return params
  const begin = old.shape.map(() => 0)
  const resized =
    added < 0 ? slice(old, begin, [rows, ...old.shape.slice(1)]) : concat([old, sampleAround(old, added, key)], 0)
  return { ...params, [name]: resized }
}
