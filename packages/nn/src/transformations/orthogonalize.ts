import { type Tensor, add, div, matMul, maximum, mul, transpose } from '@tensorflow/tfjs-core'
import { norm } from './vectors.js'

/** Coefficients of the quintic iteration, chosen for a steep slope at zero; singular values end in about [0.7, 1.2]. */
const [A, B, C] = [3.4445, -4.775, 2.0315]

/**
 * Orthogonalization of a matrix by the quintic Newton–Schulz iteration: replaces the singular values of `x`, `[rows, columns]`, by values
 * near 1, without a decomposition:
 *
 *     X ← x / max(‖x‖, 1e-7);   X ← a·X + (b·S + c·S²)·X,  S = X·Xᵀ
 *
 * A tall matrix is transposed for it, so that `S` is the smaller product. Computed in float32; torch.optim.Muon uses bfloat16.
 * Source: Jordan et al., Muon, 2024; Bernstein and Newhouse, Old Optimizer, New Norm, 2024.
 */
export function orthogonalize(x: Tensor, iterations: number): Tensor {
  const [rows, columns] = x.shape as [number, number]
  let result = rows > columns ? transpose(x) : x
  result = div(result, maximum(norm(result), 1e-7))
  for (let i = 0; i < iterations; i++) {
    const square = matMul(result as never, result as never, false, true) as Tensor
    const polynomial = add(mul(B, square), mul(C, matMul(square as never, square as never)))
    result = add(mul(A, result), matMul(polynomial as never, result as never))
  }
  return rows > columns ? transpose(result) : result
}
