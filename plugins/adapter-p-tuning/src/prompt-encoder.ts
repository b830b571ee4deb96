import type { Params } from '@attune/core'
import { linear, recurrentLayer, recurrentShapes } from '@attune/nn'
import { type Tensor, expandDims, ones, relu, squeeze } from '@tensorflow/tfjs-core'

/** Kind and sizes of a prompt encoder. */
export interface EncoderSize {
  readonly encoder: 'mlp' | 'lstm'
  /** Number of virtual tokens. */
  readonly count: number
  /** Width of the word embeddings. */
  readonly width: number
  readonly hidden: number
  /** Number of LSTM layers. */
  readonly layers: number
}

const [EMBEDDING, LSTM, MLP] = ['embedding', 'lstm_head', 'mlp_head'].map((part) => `prompt_encoder.${part}`) as [
  string,
  string,
  string,
]

const cellAt = (layer: number) => ({ cell: 'lstm', layer, bidirectional: true }) as const

/** Sizes of the layers of the MLP: its input, hidden sizes and output. */
const sizesOf = ({ encoder, width, hidden }: EncoderSize): readonly number[] =>
  encoder === 'mlp' ? [width, hidden, hidden, width] : [2 * hidden, 2 * hidden, width]

/** Shapes of the parameters, with the names of peft. Linear layers of the MLP have even numbers, activations odd ones. */
export function encoderShapes(size: EncoderSize): Record<string, readonly number[]> {
  const { encoder, count, width, hidden, layers } = size
  const sizes = sizesOf(size)
  const dense = sizes.slice(1).flatMap((outputs, i): [string, readonly number[]][] => [
    [`${MLP}.${2 * i}.weight`, [outputs, sizes[i]!]],
    [`${MLP}.${2 * i}.bias`, [outputs]],
  ])
  const recurrent = Array.from({ length: encoder === 'lstm' ? layers : 0 }, (_, layer) =>
    recurrentShapes(LSTM, layer === 0 ? width : 2 * hidden, hidden, cellAt(layer)),
  )
  return { [`${EMBEDDING}.weight`]: [count, width], ...Object.assign({}, ...recurrent), ...Object.fromEntries(dense) }
}

/** States of the LSTM over the virtual tokens: `[count, width]` to `[count, 2 · hidden]`. */
function recurrentStates(params: Params, x: Tensor, { count, layers }: EncoderSize): Tensor {
  const mask = ones([1, count], 'int32')
  let states = expandDims(x, 0) // [1, count, width]
  for (let layer = 0; layer < layers; layer++) ({ states } = recurrentLayer(params, LSTM, states, mask, cellAt(layer)))
  return squeeze(states, [0])
}

/** Vectors of the virtual tokens, `[count, width]`. */
export function encodePrompt(params: Params, size: EncoderSize): Tensor {
  const embedded = params[`${EMBEDDING}.weight`]! // [count, width]
  const dense = sizesOf(size).length - 1
  let x = size.encoder === 'lstm' ? recurrentStates(params, embedded, size) : embedded
  for (let i = 0; i < dense; i++) {
    x = linear(params, `${MLP}.${2 * i}`, x)
    if (i < dense - 1) x = relu(x)
  }
  return x
}
