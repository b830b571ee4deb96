import type { Tokenizer } from '@attune/core'
import { type RunOptions, placesOf } from '../plan/lookup.js'
import { encodeAll } from '../step/batches.js'
import { inference } from './infer.js'
import { loadPretrained } from './load-pretrained.js'

const BATCH = 32

/** Options of {@link textFeatures}. */
export interface FeatureOptions extends Pick<RunOptions, 'searchPaths' | 'baseDirectory'> {
  /**
   * Pooling of the last hidden states, or `pooled`, the input of the classification head, which domain alignment trains. Default: that
   * of a saved sentence-transformers model, otherwise mean.
   */
  readonly pooling?: string | undefined
  /** Called with the number of texts so far. */
  readonly onProgress?: (done: number) => void
}

/** Features of texts, and the tokenizer of the model. */
export interface TextFeatures {
  /** One vector for each text, `[texts, hidden]`, not normalized. */
  readonly vectors: readonly (readonly number[])[]
  readonly tokenizer: Tokenizer
  /** Warnings from loading the model. */
  readonly warnings: readonly string[]
}

/**
 * Features of texts: the pooled hidden states of an encoder, which is a run or a model in the Hugging Face file layout. It needs
 * `@attune/objective-contrastive`. Texts longer than the model allows are truncated.
 * @throws AttuneError `NO_SUCH_HEAD` for a model that is not an encoder; the errors of {@link loadPretrained}
 */
export async function textFeatures(
  directory: string,
  texts: readonly string[],
  { pooling, onProgress = () => undefined, ...search }: FeatureOptions = {},
): Promise<TextFeatures> {
  const choice = { use: 'contrastive', normalize: false, ...(pooling === undefined ? {} : { pooling }) }
  const loaded = await loadPretrained(directory, () => choice, placesOf(search))
  const { engine, model, objective, params, tokenizer, warnings } = loaded
  const forward = inference(engine, model, objective, { batchSize: BATCH, sameParams: true })
  try {
    async function* rows() {
      for (const text of texts) yield { text }
    }
    const { items } = encodeAll(rows(), (row) => objective.encodeUnlabelled(row))
    const vectors: (readonly number[])[] = []
    for await (const { prediction } of forward.run(params, items))
      if (vectors.push(prediction['embedding'] as readonly number[]) % BATCH === 0) onProgress(vectors.length)
    return { vectors, tokenizer, warnings }
  } finally {
    forward.dispose()
    await loaded.close()
  }
}
