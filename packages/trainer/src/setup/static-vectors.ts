import { AttuneError, type Params, key } from '@attune/core'
import { type WordVectors, embeddingMatrix, readWordVectors } from '@attune/embeddings'
import { type Tensor, concat, expandDims, slice, where } from '@tensorflow/tfjs-core'
import type { Components } from './compose.js'
import type { Plan } from '../plan/plan.js'

/** Static vectors that initialize word embeddings, and their file. */
export interface NamedVectors {
  readonly path: string
  readonly vectors: WordVectors
}

/** Reads the static vectors of a plan, if it has any. @throws the errors of `readWordVectors` */
export const readVectors = async ({ vectors: path }: Plan): Promise<NamedVectors | undefined> =>
  path === undefined ? undefined : { path, vectors: await readWordVectors(path) }

function refuse(what: string, remedy: string): never {
  throw new AttuneError('VECTORS_MISMATCH', what, remedy)
}

/**
 * Copies word vectors into the embedding rows of the tokens that spell the words; other rows are unchanged.
 * @throws AttuneError `VECTORS_MISMATCH` if the vectors have another size, or no token is a word with a vector
 */
export function applyVectors(
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
      `${path}: expected vectors of the model's embedding size ${width}, got ${vectors.size}`,
      `Set \`embeddingSize: ${vectors.size}\`, or the model's own option for the embedding size.`,
    )
  const { matrix, found } = embeddingMatrix(vectors, tokenizer, key(0))
  let count = 0
  for (const one of found.values) count += one
  if (count === 0)
    refuse(
      `none of the ${tokens} tokens of the tokenizer has a vector in ${path}`,
      'Use vectors for the language and casing of the texts, and a word-level tokenizer: `tokenizer: word`.',
    )
  const replaceRows = engine.compile(
    (own: Tensor, known: Tensor, theirs: Tensor) => {
      const first = where(expandDims(known, 1), theirs, slice(own, [0, 0], [tokens, -1]))
      return rows === tokens ? first : concat([first, slice(own, [tokens, 0], [-1, -1])])
    },
    { donate: [0, 1, 2] },
  )
  const replaced = replaceRows(table, engine.put(found), engine.put(matrix))
  replaceRows.dispose()
  return { params: { ...params, [name]: replaced }, found: count, tokens }
}
