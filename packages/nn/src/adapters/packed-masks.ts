import { AttuneError, type Engine, type HostArray, type HostTree, type Params } from '@attune/core'
import type { HostMasks } from './largest-scores.js'

const BITS = 32

/** Bits of a mask, 32 in each int32, the first in the lowest bit. */
function pack({ values }: HostArray): HostArray {
  const words = new Int32Array(Math.ceil(values.length / BITS))
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) words[Math.floor(i / BITS)]! |= 1 << (i % BITS)
  return { shape: [words.length], dtype: 'int32', values: words }
}

/** The inverse of {@link pack}. */
function unpack({ values }: HostArray, shape: readonly number[], size: number): HostArray {
  const bit = (i: number): number => (Number(values[Math.floor(i / BITS)]) >>> (i % BITS)) & 1
  return { shape: [...shape], dtype: 'float32', values: Float32Array.from({ length: size }, (_, i) => bit(i)) }
}

/** Masks on the device, one bit per weight: int32 `[⌈size / 32⌉]` by parameter name. */
export const packMasks = (engine: Engine, masks: HostMasks): Params =>
  engine.put(Object.fromEntries(Object.entries(masks).map(([name, mask]) => [name, pack(mask)])) as HostTree) as Params

/**
 * Masks of weights that an adapter chooses from data: those of `choice`, with which an interrupted run began, or new ones.
 * @param choice packed masks of a checkpoint, see {@link packMasks}; undefined for a new run
 * @throws AttuneError `BAD_CHECKPOINT` if they are not those of the parameters
 */
export async function masksOf(
  params: Params,
  choice: Readonly<Record<string, HostArray>> | undefined,
  choose: () => Promise<HostMasks>,
): Promise<HostMasks> {
  if (choice === undefined) return choose()
  return Object.fromEntries(
    Object.entries(choice).map(([name, packed]) => {
      const { shape, size } = params[name] ?? { shape: [], size: 0 }
      if (packed.values.length === Math.ceil(size / BITS) && size > 0)
        return [name, unpack(packed, shape, size)] as const
      throw new AttuneError(
        'BAD_CHECKPOINT',
        `the checkpoint's choice of weights does not fit ${name}: expected ${size} bits, got ${packed.values.length} · ${BITS}`,
        'Resume with the original configuration.',
      )
    }),
  )
}
