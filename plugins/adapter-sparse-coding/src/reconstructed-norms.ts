import { AttuneError, type HostArray } from '@attune/core'
import { markLargest } from '@attune/nn'

/**
 * Norms of the input features `[in]` of a layer as the most used atoms reconstruct them, `√Σ_jl A_jl · D_ji · D_li` over these atoms. The use
 * of an atom is `A_jj`, the sum of its squared codes.
 * @throws AttuneError `BAD_OPTIONS` if no atom is used
 */
export function reconstructedNorms(
  { dictionary, codes }: { readonly dictionary: HostArray; readonly codes: HostArray },
  usedFraction: number,
  layer: string,
): Float64Array {
  const [atoms, size] = dictionary.shape as readonly [number, number]
  const uses = Float64Array.from({ length: atoms }, (_, j) => codes.values[j * atoms + j]!)
  if (uses.every((each) => each === 0))
    throw new AttuneError(
      'BAD_OPTIONS',
      `adapter sparse-coding: expected a code that is not 0 for some input of ${layer}, got zeros only`,
      'Lower the option `penalty`.',
    )
  const marks = markLargest(uses, usedFraction, `adapter sparse-coding: ${layer}`)
  const used = [...marks.keys()].filter((j) => marks[j] === 1)
  const squares = new Float64Array(size)
  for (const j of used)
    for (const l of used)
      for (let i = 0; i < size; i++)
        squares[i]! +=
          codes.values[j * atoms + l]! * dictionary.values[j * size + i]! * dictionary.values[l * size + i]!
  return squares.map((square) => Math.sqrt(Math.max(square, 0)))
}
