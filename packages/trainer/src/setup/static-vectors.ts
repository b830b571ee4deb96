import { AttuneError, type Params, key } from '@attune/core'
import { type WordVectors, embeddingMatrix, readWordVectors } from '@attune/embeddings'
import { type Tensor, concat, expandDims, slice, where } from '@tensorflow/tfjs-core'
import type { Components } from './compose.js'
import type { Plan } from '../plan/plan.js'

/** Word vectors that word embeddings start from, and their file. */
export interface NamedVectors {
  readonly path: string
  readonly vectors: WordVectors
}

/** Reads the word vectors that a plan names, if it names some. @throws what `readWordVectors` throws */
export const readVectors = async ({ vectors: path }: Plan): Promise<NamedVectors | undefined> =>
  path === undefined ? undefined : { path, vectors: await readWordVectors(path) }

function refuse(what: string, remedy: string): never {
  throw new AttuneError('VECTORS_MISMATCH', what, remedy)
}

/**
 * The parameters with the vectors of words in the rows of the tokens that spell them; all other rows stay as they are.
 * @throws AttuneError `VECTORS_MISMATCH` if the vectors are of another width, or no token is a word that has one
 */
export function placeVectors(
  { engine, model, tokenizer }: Pick<Components, 'engine' | 'model' | 'tokenizer'>,
  params: Params,
  { path, vectors }: NamedVectors,
): { readonly params: Params; readonly found: number; readonly tokens: number } {
  const name = model.wordEmbeddings
  const table = params[name] as Tensor
  const [rows, width] = table.shape as [number, number]
  const tokens = tokenizer.vocabularySize
  if (width !== vectors.size)
    refuse(
      `the vectors in ${path} have ${vectors.size} numbers, and the model's word embeddings ${width}`,
      `Write \`embeddingSize: ${vectors.size}\` beside \`embeddings\`, or as the model calls that width.`,
    )
  const { matrix, found } = embeddingMatrix(vectors, tokenizer, key(0))
  let count = 0
  for (const one of found.values) count += one
  if (count === 0)
    refuse(
      `none of the tokenizer's ${tokens} tokens is a word of ${path}`,
      'Use vectors of the language and the spelling of the texts, and a tokenizer whose tokens are words: `tokenizer: word`.',
    )
  const place = engine.compile(
    (own: Tensor, known: Tensor, theirs: Tensor) => {
      const first = where(expandDims(known, 1), theirs, slice(own, [0, 0], [tokens, -1]))
      return rows === tokens ? first : concat([first, slice(own, [tokens, 0], [-1, -1])])
    },
    { donate: [0, 1, 2] },
  )
  const placed = place(table, engine.put(found), engine.put(matrix))
  place.dispose()
  return { params: { ...params, [name]: placed }, found: count, tokens }
}
