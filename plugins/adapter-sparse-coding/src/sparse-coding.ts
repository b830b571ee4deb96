import { ADAPTER, ENGINE, definePlugin, key, normals, stream } from '@attune/core'
import { passLimits, passOptions, pruneByFeatures, pruningOptions } from '@attune/nn'
import { type Tensor, add, greater, matMul, sum, tensor2d, where, zeros } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { sparseCodes, unitRows, updateDictionary } from './dictionary.js'
import { reconstructedNorms } from './reconstructed-norms.js'

/** The dictionary `[atoms, in]` of the inputs of a layer, and the sums of `αᵀα` `[atoms, atoms]` and of `αᵀx` `[atoms, in]`. */
interface Learned extends Record<string, Tensor> {
  readonly dictionary: Tensor
  readonly codes: Tensor
  readonly products: Tensor
}

/** A dictionary of random atoms, and no codes. */
function start(atoms: number, size: number): Learned {
  const random = normals(stream(key(atoms)))
  const values = Float32Array.from({ length: atoms * size }, random)
  return {
    dictionary: tensor2d(values, [atoms, size]),
    codes: zeros([atoms, atoms]),
    products: zeros([atoms, size]),
  }
}

/** Codes a batch of inputs, and improves the dictionary. The first batch turns the random atoms towards the inputs: `D·Xᵀ·X`. */
function learn({ dictionary, codes, products }: Learned, inputs: Tensor, penalty: number): Learned {
  const x = unitRows(inputs)
  const isBegun = greater(sum(codes), 0)
  const turned = unitRows(matMul(matMul(dictionary, x, false, true), x))
  const before = where(isBegun, dictionary, turned)
  const alpha = sparseCodes(x, before, penalty)
  const [codesNow, productsNow] = [add(codes, matMul(alpha, alpha, true)), add(products, matMul(alpha, x, true))]
  return {
    dictionary: updateDictionary(before, codesNow, productsNow),
    codes: codesNow,
    products: productsNow,
  }
}

/**
 * Sparse coding: weights of linear layers are chosen that read the directions which the inputs of their layer consist of. For each layer,
 * a dictionary of its inputs is learned in one pass over the training data (online dictionary learning); codes are by FISTA.
 *
 *     α = argmin ½ ‖x − α·D‖² + penalty · ‖α‖₁,   A = Σ αᵀα,   S_ij = |W_ij| · √Σ_jl A_jl · D_ji · D_li
 *
 * `x` are the inputs of the layer at a token, without dropout, divided by their norm; the sum is over the atoms with the largest `A_jj`. So a
 * feature counts as far as the most used atoms reconstruct it. In the mode `zero-and-keep` weights that are not chosen become zero and
 * stay zero; in the mode `freeze` they keep their pretrained values bit for bit. The first batch initializes the dictionary. Near neighbour:
 * feature-importance, with the norms of the features themselves. Throws AttuneError `UNKNOWN_TARGET`, `NO_DATA_PASS`, `NON_FINITE_SCORES`, and
 * `BAD_OPTIONS` if all codes are 0.
 */
export const sparseCoding = definePlugin({
  kind: ADAPTER,
  name: 'sparse-coding',
  summary: 'Chooses the weights that train by a sparse code of their inputs (dictionary learning)',
  source:
    'Mairal et al., Online Dictionary Learning for Sparse Coding, 2009, algorithms 1 and 2; Sun et al., Wanda, 2024, equation 1 (scores)',
  options: z.strictObject({
    ...pruningOptions,
    compare: z
      .enum(['output', 'layer', 'global'])
      .default('output')
      .describe('The fraction applies to the weights of each output, of each layer, or of all chosen layers together'),
    atoms: z.int().min(1).max(4096).default(32).describe('Atoms of the dictionary of a layer'),
    usedFraction: z
      .number()
      .positive()
      .max(1)
      .default(0.5)
      .describe('Fraction of the atoms, the most used ones, that count'),
    penalty: z.number().positive().lt(1).default(0.1).describe('Factor on the L1 norm of a code, for inputs of norm 1'),
    ...passOptions,
  }),
  needs: { engine: ENGINE },
  exceptions: { initialFunction: 'zero-and-keep sets weights to zero' },
  create: ({ batches, batchSize, atoms, usedFraction, penalty, ...options }, { engine }) =>
    pruneByFeatures<Learned>('sparse-coding', {
      ...options,
      engine,
      limits: passLimits({ batches, batchSize }),
      start: (size) => start(atoms, size),
      add: (state, inputs) => learn(state, inputs, penalty),
      importance: (learned, layer) => reconstructedNorms(learned, usedFraction, layer),
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter sparse-coding': typeof sparseCoding
  }
}

export default sparseCoding
