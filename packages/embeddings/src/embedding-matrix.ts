import { AttuneError, type HostArray, type Key, type Tokenizer, deriveKey, normals, stream } from '@attune/core'
import type { WordVectors } from './word-vectors.js'

/** Word embeddings of a model, initialized from word vectors. */
export interface EmbeddingMatrix {
  /** float32 `[vocabularySize, size]`: the embedding of each token. */
  readonly matrix: HostArray
  /** bool `[vocabularySize]`: true if the row of a token is a word vector, not randomly initialized. */
  readonly found: HostArray
  /** The tokens with randomly initialized rows, in the order of their ids. */
  readonly missing: readonly string[]
}

/** Word-start markers of byte-level and SentencePiece tokenizers. */
const WORD_START = /^[Ġ▁]/

function rowFor({ rows }: WordVectors, token: string): number | undefined {
  return rows.get(token) ?? rows.get(token.replace(WORD_START, ''))
}

/** Root mean square of all values. */
function rootMeanSquare({ values }: WordVectors): number {
  let squares = 0
  for (const value of values) squares += value * value
  return Math.sqrt(squares / Math.max(1, values.length))
}

/** Number of ids without a token that is always allowed, in addition to the number of tokens. */
const UNUSED_IDS = 100_000

/** Returns the tokens by id. Rejects a sparse vocabulary, such as a single token with id 4,000,000. */
function tokensOf(tokenizer: Pick<Tokenizer, 'vocabularySize' | 'token'>): (string | undefined)[] {
  const { vocabularySize } = tokenizer
  const tokens = Array.from({ length: vocabularySize }, (_, id) => tokenizer.token(id))
  const count = tokens.reduce((sum, each) => (each === undefined ? sum : sum + 1), 0)
  if (vocabularySize <= 2 * count + UNUSED_IDS) return tokens
  throw new AttuneError(
    'BAD_TOKENIZER',
    `expected a vocabulary whose ids have tokens, got ${count} tokens with ids up to ${vocabularySize - 1}`,
    'Download the tokenizer again, or number its tokens from 0.',
  )
}

/**
 * Builds the word embeddings of a model for a tokenizer: each token gets the vector of the word that it spells, ignoring a
 * word-start marker. Tokens without a vector, and ids without a token, get normal values with the root mean square of the vectors;
 * padding gets zeros.
 * @param key the random key of the initialization
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
  const deviation = rootMeanSquare(vectors)
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
