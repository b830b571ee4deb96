import { type Tensor, add, mul, sigmoid, split, sub, tanh } from '@tensorflow/tfjs-core'

/** One step of a recurrent layer, for all rows and directions at once. */
export interface RecurrentCell {
  /** Number of gates: blocks of `hidden` rows in the layer's weights. */
  readonly gates: number
  /** Names of the state tensors passed to the next step, `hidden` first; each `[directions, batch, hidden]`. */
  readonly state: readonly string[]
  /**
   * True if a gate multiplies the product of the state, so that its bias cannot be added to the inputs before the
   * first step.
   */
  readonly ownBias: boolean
  /**
   * One step. `input` and `recurrent`, the projections of token and state, are `[directions, batch, gates · hidden]`.
   */
  step(input: Tensor, recurrent: Tensor, state: readonly Tensor[]): readonly Tensor[]
}

const parts = (x: Tensor, count: number): Tensor[] => split(x, count, 2)

/** Elman network: `h ← tanh(x + h)`. Source: Elman, Finding Structure in Time, 1990. */
const rnn: RecurrentCell = {
  gates: 1,
  state: ['hidden'],
  ownBias: false,
  step: (input, recurrent) => [tanh(add(input, recurrent))],
}

/**
 * LSTM with gates in the order input, forget, new, output: `c ← σ(f)·c + σ(i)·tanh(g)`, `h ← σ(o)·tanh(c)`.
 * Source: Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al., 2000.
 */
const lstm: RecurrentCell = {
  gates: 4,
  state: ['hidden', 'cell'],
  ownBias: false,
  step(input, recurrent, [, held]) {
    const [i, f, g, o] = parts(add(input, recurrent), 4) as [Tensor, Tensor, Tensor, Tensor]
    const cell = add(mul(sigmoid(f), held!), mul(sigmoid(i), tanh(g)))
    return [mul(sigmoid(o), tanh(cell)), cell]
  },
}

/**
 * GRU with gates in the order reset, update, new: `n = tanh(x_n + σ(r)·h_n)`, `h ← n + σ(z)·(h − n)`. As in PyTorch,
 * the reset gate multiplies the projected state; in the paper it multiplies the state.
 * Source: Cho et al., Learning Phrase Representations, 2014, section 2.3.
 */
const gru: RecurrentCell = {
  gates: 3,
  state: ['hidden'],
  ownBias: true,
  step(input, recurrent, [held]) {
    const [r, z, n] = parts(input, 3) as [Tensor, Tensor, Tensor]
    const [ownR, ownZ, ownN] = parts(recurrent, 3) as [Tensor, Tensor, Tensor]
    const fresh = tanh(add(n, mul(sigmoid(add(r, ownR)), ownN)))
    return [add(fresh, mul(sigmoid(add(z, ownZ)), sub(held!, fresh)))]
  },
}

/** Cells of torch.nn by name. */
export const RECURRENT_CELLS = { rnn, lstm, gru } as const
