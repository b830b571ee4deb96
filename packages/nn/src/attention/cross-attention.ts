import type { Cache } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { LayerContext } from '../stacks/layer-stack.js'

/**
 * Keys or values that a decoder's layer makes of what its encoder gave: made at the first step, and from then on found in
 * the cache, since they stay as they are while a text is written. Without a cache they are made each time.
 * @param name what they are called in the layer, `key` or `value`; in the cache `<layer>.encoder.<name>`
 */
export function madeOnce(c: LayerContext, cache: Cache | undefined, name: string, make: () => Tensor): Tensor {
  const known = cache?.[`${c.index}.encoder.${name}`]
  const all = known ?? make()
  c.remember?.(`encoder.${name}`, all)
  return all
}
