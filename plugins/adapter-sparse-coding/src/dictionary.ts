import { scan } from '@attune/nn'
import {
  type Tensor,
  abs,
  add,
  div,
  divNoNan,
  eye,
  greater,
  matMul,
  max,
  maximum,
  mul,
  ones,
  onesLike,
  relu,
  reshape,
  sign,
  sqrt,
  square,
  sub,
  sum,
  where,
  zeros,
} from '@tensorflow/tfjs-core'

/** Rows divided by their Euclidean norms; rows of zeros stay zero. */
export const unitRows = (x: Tensor): Tensor => divNoNan(x, sqrt(sum(square(x), 1, true)))

/**
 * Sparse codes `[rows, atoms]` of `x` `[rows, features]` by FISTA with adaptive restart:
 *
 *     minimize ½ ‖x − α·D‖² + penalty · ‖α‖₁
 *
 * for a dictionary `D` `[atoms, features]`. Steps are of length `1 / L`, where `L`, the largest sum of a row of `|D·Dᵀ|`, is an upper bound of
 * the largest eigenvalue. The momentum of a row begins again where it points against the step. As `sparse_encode` of scikit-learn with
 * `algorithm="lasso_cd"` and `alpha=penalty`.
 * Source: Beck and Teboulle, A Fast Iterative Shrinkage-Thresholding Algorithm, 2009, section 4; O'Donoghue and Candès, Adaptive Restart for
 * Accelerated Gradient Schemes, 2015, section 3.2 (gradient scheme).
 */
export function sparseCodes(x: Tensor, dictionary: Tensor, penalty: number, iterations = 100): Tensor {
  const gram = matMul(dictionary, dictionary, false, true) // [atoms, atoms]
  const bound = maximum(max(sum(abs(gram), 1)), 1e-12)
  const target = div(matMul(x, dictionary, false, true), bound) // [rows, atoms]
  const start = mul(target, 0)
  const { carry } = scan(
    {
      carry: [start, start, ones([x.shape[0]!, 1])],
      inputs: [zeros([iterations])],
      constants: [div(gram, bound), target, div(penalty, bound)],
    },
    ([codes, ahead, time], _, [scaled, aim, threshold]) => {
      const moved = add(sub(ahead!, matMul(ahead!, scaled!)), aim!)
      const next = mul(sign(moved), relu(sub(abs(moved), threshold!)))
      const step = sub(next, codes!)
      const isAgainst = greater(sum(mul(sub(ahead!, next), step), 1, true), 0)
      const t = where(isAgainst, onesLike(time!), time!)
      const after = mul(0.5, add(1, sqrt(add(1, mul(4, square(t))))))
      return { carry: [next, add(next, mul(div(sub(t, 1), after), step)), after], outputs: [] }
    },
  )
  return carry[0]!
}

/**
 * One pass of block coordinate descent over the atoms of a dictionary, which minimizes `½ tr(D·Dᵀ·A) − tr(D·Bᵀ)`. Atoms have norms of at
 * most 1; an atom that no code uses is unchanged.
 * Source: Mairal et al., Online Dictionary Learning for Sparse Coding, 2009, algorithm 2.
 * @param dictionary `[atoms, features]`
 * @param codes `A`, the sum of `αᵀα`, `[atoms, atoms]`
 * @param products `B`, the sum of `αᵀx`, `[atoms, features]`
 */
export function updateDictionary(dictionary: Tensor, codes: Tensor, products: Tensor): Tensor {
  const atoms = dictionary.shape[0]!
  const { carry } = scan(
    { carry: [dictionary], inputs: [codes, products, eye(atoms)] },
    ([atomsNow], [ownCodes, ownProducts, isOwn]) => {
      const own = reshape(matMul(reshape(isOwn!, [1, atoms]), atomsNow!), [-1])
      const explained = reshape(matMul(reshape(ownCodes!, [1, atoms]), atomsNow!), [-1])
      const moved = add(own, divNoNan(sub(ownProducts!, explained), sum(mul(ownCodes!, isOwn!))))
      const next = div(moved, maximum(sqrt(sum(square(moved))), 1))
      return { carry: [add(atomsNow!, mul(reshape(isOwn!, [atoms, 1]), sub(next, own)))], outputs: [] }
    },
  )
  return carry[0]!
}
