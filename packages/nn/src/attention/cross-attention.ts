import type { Cache } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { LayerContext } from '../stacks/layer-stack.js'

/**
 * Cross-attention keys or values of a decoder layer, projected from the encoder states. They are projected at the
 * first generation step and read from the KV cache afterwards. Without a cache they are projected on every call.
 * @param name `key` or `value`; the name in the cache is `<layer>.encoder.<name>`
 */
export function projectOnce(c: LayerContext, cache: Cache | undefined, name: string, make: () => Tensor): Tensor {
  const known = cache?.[`${c.index}.encoder.${name}`]
  const all = known ?? make()
  c.updateCache?.(`encoder.${name}`, all)
  return all
}
