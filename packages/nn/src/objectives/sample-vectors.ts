import type { DataPass, Tree } from '@attune/core'
import { type Tensor, add, concat, fill, gather, tensor1d, topk, zeros } from '@tensorflow/tfjs-core'
import { noise } from '../layers/noise.js'

/** Slots of the sample: the random rank of each vector, −1 if the slot is empty, and the number of batches as a seed. */
interface Sample extends Record<string, Tree> {
  readonly ranks: Tensor
  readonly vectors: Tensor
  readonly seed: Tensor
}

/**
 * A uniform sample of the vectors of all training texts, in one pass and constant memory: those with the largest random ranks are kept.
 * @param count maximum number of vectors; with fewer texts all of them
 * @param vectorsOf vectors of a batch, `[batch, width]`
 */
export async function sampleVectors(
  pass: DataPass,
  { count, width, seed }: { readonly count: number; readonly width: number; readonly seed: number },
  vectorsOf: (at: Parameters<Parameters<DataPass['fold']>[1]>[1]) => Tensor,
): Promise<Float32Array[]> {
  const sample = await pass.fold<Sample>(
    () => ({ ranks: fill([count], -1), vectors: zeros([count, width]), seed: tensor1d([seed, 0], 'int32') }),
    ({ ranks, vectors, seed: last }, at) => {
      const found = vectorsOf(at) // [batch, width]
      const own = noise({ seed: last, stream: 0 }, [found.shape[0]!], 'uniform')
      const best = topk(concat([ranks, own], 0), count)
      return {
        ranks: best.values,
        vectors: gather(concat([vectors, found], 0), best.indices as never),
        seed: add(last, tensor1d([0, 1], 'int32')),
      }
    },
  )
  const { ranks, vectors } = await pass.read({ ranks: sample.ranks, vectors: sample.vectors })
  pass.release(sample)
  return Array.from(ranks.values, Number).flatMap((rank, i) =>
    rank < 0 ? [] : [Float32Array.from(vectors.values.subarray(i * width, (i + 1) * width), Number)],
  )
}
