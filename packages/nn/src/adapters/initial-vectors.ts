import { type Engine, type HostArray, type Key, type Params, deriveKey, normals, stream } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { takeRows } from '../layers/embedding.js'
import { PROMPT } from './saved-prompt.js'

/** Random vectors of virtual tokens, normal with the given standard deviation, as the parameter {@link PROMPT}. */
export function initialVectors(engine: Engine, key: Key, shape: readonly [number, number], deviation: number): Params {
  const next = normals(stream(deriveKey(key, PROMPT)))
  const values = Float32Array.from({ length: shape[0] * shape[1] }, () => deviation * next())
  return engine.put({ [PROMPT]: { shape, dtype: 'float32', values } }) as Params
}

/**
 * Initial parameters of a network that computes virtual tokens, as in PyTorch and peft: embeddings standard normal, weights and biases
 * uniform within ±1/√inputs, those of recurrent layers within ±1/√hidden.
 */
export function initialEncoder(engine: Engine, key: Key, shapes: Readonly<Record<string, readonly number[]>>): Params {
  const entries = Object.entries(shapes).map(([name, shape]): [string, HostArray] => {
    const uniform = stream(deriveKey(key, name))
    const normal = normals(stream(deriveKey(key, name)))
    const recurrent = /_l\d+(_reverse)?$/.test(name)
    const inputs = recurrent ? shape[0]! / 4 : (shapes[name.replace(/\.bias$/, '.weight')]?.[1] ?? 1)
    const isEmbedding = name.endsWith('embedding.weight')
    const next = isEmbedding ? normal : () => (2 * uniform() - 1) / Math.sqrt(inputs)
    const size = shape.reduce((product, n) => product * n, 1)
    return [name, { shape, dtype: 'float32', values: Float32Array.from({ length: size }, next) }]
  })
  return engine.put(Object.fromEntries(entries)) as Params
}

/**
 * Vectors of virtual tokens from the word embeddings of a text, as the parameter {@link PROMPT}: those of its tokens, repeated or
 * truncated to `count`, as in peft.
 * @param table word embeddings `[vocabulary, width]`
 * @param ids token ids of the text, at least one
 */
export function vectorsOfText(engine: Engine, table: Tensor, ids: ArrayLike<number>, count: number): Params {
  const values = Int32Array.from({ length: count }, (_, i) => ids[i % ids.length]!)
  const at = engine.put({ at: { shape: [count], dtype: 'int32', values } })
  const select = engine.compile((rows: Params, indices: Params) => ({
    [PROMPT]: takeRows(rows['rows']!, indices['at']!),
  }))
  const made = select({ rows: table }, at as Params) as Params
  select.dispose()
  engine.release(at)
  return made
}
