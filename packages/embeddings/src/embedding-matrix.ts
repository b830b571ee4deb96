import { AttuneError, type HostArray, type Key, type Tokenizer, deriveKey, normals, stream } from '@attune/core'
import type { WordVectors } from './word-vectors.js'

/** Vectors laid out for a model. */
export interface EmbeddingMatrix {
  /** float32 `[vocabularySize, size]`: the rows of a model's word embeddings by token. */
  readonly matrix: HostArray
  /** bool `[vocabularySize]`: whether a token's row is the vector of a word, not drawn. */
  readonly found: HostArray
  /** The tokens whose rows were drawn, in the order of their ids. */
  readonly missing: readonly string[]
}

/** What byte-level and SentencePiece tokenizers write where a word begins. */
const BEGINNING = /^[Ġ▁]/

function rowFor({ rows }: WordVectors, token: string): number | undefined {
  return rows.get(token) ?? rows.get(token.replace(BEGINNING, ''))
}

/** The standard deviation of all numbers, taken around 0. */
function spread({ values }: WordVectors): number {
  let squares = 0
  for (const value of values) squares += value * value
  return Math.sqrt(squares / Math.max(1, values.length))
}

/** Ids without a token that any vocabulary may have, besides as many as it has tokens. */
const SPARE_IDS = 100_000

/** The tokens by id. Refuses a vocabulary that is nearly all gaps, as one of one token with the id 4,000,000. */
function tokensOf(tokenizer: Pick<Tokenizer, 'vocabularySize' | 'token'>): (string | undefined)[] {
  const { vocabularySize } = tokenizer
  const tokens = Array.from({ length: vocabularySize }, (_, id) => tokenizer.token(id))
  const count = tokens.reduce((sum, each) => (each === undefined ? sum : sum + 1), 0)
  if (vocabularySize <= 2 * count + SPARE_IDS) return tokens
  throw new AttuneError(
    'BAD_TOKENIZER',
    `expected a vocabulary whose ids have tokens, got ${count} tokens with ids up to ${vocabularySize - 1}`,
    'Fetch the tokenizer again, or number its tokens from 0.',
  )
}

/**
 * The word embeddings of a model that reads a tokenizer's tokens: to each token the vector of the word that it spells, without a
 * mark of its beginning. Rows of tokens without one, and of ids without a token, are normal with the spread of the vectors;
 * that of padding is zero.
 * @param key what is drawn depends on it alone
 * @throws AttuneError `BAD_TOKENIZER` if most ids have no token
 */
export function embeddingMatrix(
  vectors: WordVectors,
  tokenizer: Pick<Tokenizer, 'vocabularySize' | 'token' | 'special'>,
  key: Key,
): EmbeddingMatrix {
  const { vocabularySize, special } = tokenizer
  const { size } = vectors
  const tokens = tokensOf(tokenizer)
  const next = normals(stream(deriveKey(key, 'embedding-matrix')))
  const deviation = spread(vectors)
  const values = new Float32Array(vocabularySize * size)
  const found = new Uint8Array(vocabularySize)
  const missing: string[] = []
  for (let id = 0; id < vocabularySize; id++) {
    if (id === special.pad) continue
    const token = tokens[id]
    const row = token === undefined ? undefined : rowFor(vectors, token)
    if (row !== undefined) {
      values.set(vectors.values.subarray(row * size, (row + 1) * size), id * size)
      found[id] = 1
    } else {
      for (let i = 0; i < size; i++) values[id * size + i] = deviation * next()
      if (token !== undefined) missing.push(token)
    }
  }
  return {
    matrix: { shape: [vocabularySize, size], dtype: 'float32', values },
    found: { shape: [vocabularySize], dtype: 'bool', values: found },
    missing,
  }
}
