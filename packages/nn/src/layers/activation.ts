import { AttuneError } from '@attune/core'
import {
  type Tensor,
  add,
  customGrad,
  div,
  erf,
  exp,
  mul,
  relu,
  sigmoid,
  square,
  sub,
  tanh,
} from '@tensorflow/tfjs-core'

const ROOT_HALF = Math.SQRT1_2
const DENSITY = 1 / Math.sqrt(2 * Math.PI)

/**
 * Gaussian error linear unit (GELU), exact: `x · Φ(x)`, `Φ` the normal distribution function. Its gradient is `Φ(x) +
 * x · φ(x)`. Source: Hendrycks and Gimpel, 2016, section 2.
 */
export const gelu = (x: Tensor): Tensor =>
  customGrad((input, save) => {
    const value = input as Tensor
    const reduced = mul(value, ROOT_HALF) // its square is x²/2
    const phi = mul(0.5, add(1, erf(reduced)))
    ;(save as (tensors: Tensor[]) => void)([value, reduced, phi])
    return {
      value: mul(value, phi),
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const [v, r, p] = saved as [Tensor, Tensor, Tensor]
        // Division instead of a product with exp(−x²/2): if the exponential overflows, the quotient is 0, as required.
        return mul(g, add(p, mul(DENSITY, div(v, exp(square(r))))))
      },
    }
  })(x)

/**
 * Tanh approximation of {@link gelu}, with which GPT-2 was trained: `0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))`. Its
 * gradient is `0.5·(1 + t) + 0.5·x·(1 − t²)·√(2/π)·(1 + 3·0.044715·x²)`, `t` the tanh.
 */
export const geluTanh = (x: Tensor): Tensor =>
  customGrad((input, save) => {
    const value = input as Tensor
    const scale = Math.sqrt(2 / Math.PI)
    const t = tanh(mul(scale, mul(value, add(1, mul(0.044715, square(value))))))
    ;(save as (tensors: Tensor[]) => void)([value, t])
    return {
      value: mul(mul(0.5, value), add(1, t)),
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const [v, u] = saved as [Tensor, Tensor]
        const slope = mul(scale, add(1, mul(3 * 0.044715, square(v))))
        return mul(g, mul(0.5, add(add(1, u), mul(v, mul(sub(1, square(u)), slope)))))
      },
    }
  })(x)

const silu = (x: Tensor): Tensor => mul(x, sigmoid(x))

/** Activations by their names in `hidden_act` of `config.json`; several have more than one name. */
const ACTIVATIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  gelu,
  gelu_python: gelu,
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_accurate: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  gelu_python_tanh: geluTanh,
  quick_gelu: (x) => mul(x, sigmoid(mul(x, 1.702))),
  relu,
  relu2: (x) => square(relu(x)),
  sigmoid,
  tanh,
  silu,
  swish: silu,
  linear: (x) => x,
}

/** Names that {@link activation} accepts. */
export const activationNames = Object.keys(ACTIVATIONS) as [string, ...string[]]

/**
 * Returns the activation of a Hugging Face name.
 * @throws AttuneError `UNKNOWN_ACTIVATION` for an unknown name
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { activation } from '@attune/nn'
 * import { tensor1d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const gelu = activation('gelu')
 * console.log(Array.from(gelu(tensor1d([-1, 0, 1])).dataSync(), (value) => value.toFixed(3))) // [ '-0.159', '0.000', '0.841' ]
 * ```
 */
export function activation(name: string): (x: Tensor) => Tensor {
  const found = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined
  if (found !== undefined) return found
  throw new AttuneError(
    'UNKNOWN_ACTIVATION',
    `unknown activation "${name}"`,
    `Use one of ${activationNames.join(', ')}.`,
  )
}
