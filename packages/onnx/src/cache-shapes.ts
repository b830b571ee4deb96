import type { Model } from '@attune/core'
import { tidy } from '@tensorflow/tfjs-core'
import { cannotExport } from './cannot-export.js'

/** Heads and head size of the keys or values of each entry of a decoder's KV cache, by the entry's name (`0.key`, `0.value`, …). */
export type CacheShapes = Readonly<Record<string, readonly [heads: number, headSize: number]>>

const LENGTH = 3

/**
 * Shapes of a decoder's KV cache.
 * @throws AttuneError `CANNOT_EXPORT` if the cache does not hold keys and values
 */
export function cacheShapes({ cache, config }: Model): CacheShapes {
  const type = String(config['model_type'])
  const shapes: Record<string, readonly [number, number]> = {}
  if (cache === undefined)
    throw cannotExport(
      `models of type "${type}" have no cache`,
      'Export a decoder (gpt2, llama, gemma) that generates text.',
    )
  tidy(() => {
    for (const [name, { shape }] of Object.entries(cache(1, LENGTH))) {
      const [, heads, length, size] = shape
      if (shape.length !== 4 || length !== LENGTH || !/^\d+\.(key|value)$/.test(name))
        throw cannotExport(
          `the decoder of a model of type "${type}" has states (${name}) instead of keys and values in its cache`,
          'Export a transformer decoder (gpt2, llama, gemma) or encoder–decoder (bart, t5).',
        )
      shapes[name] = [heads!, size!]
    }
  })
  return shapes
}

/** Dimensions of keys or values of a length. */
export const cacheDimensions = ([heads, size]: CacheShapes[string], length: string): readonly (number | string)[] => [
  'batch_size',
  heads,
  length,
  size,
]
