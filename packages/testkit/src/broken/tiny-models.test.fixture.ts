import {
  type AnyPlugin,
  type EncoderOutputs,
  MODEL,
  type Mode,
  type Model,
  type TextInputs,
  definePlugin,
  mapParams,
} from '@attune/core'
import { mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { describeModel } from '../describe-model.js'
import type { ModelGolden } from '../describe-model-golden.js'
import { floats, textInputs } from '../host-array.js'
import { tinyModel } from '../tiny-model.js'
import { altered } from './specimen.test.fixture.js'
import { tinyPair } from './tiny-pair.test.fixture.js'
import { tinyDecoder } from '../tiny-decoder.js'

type Forward = Model['forward']

const scaled = (model: Model, scale: number): Model => ({
  ...model,
  config: { ...model.config, scale },
  forward(...given) {
    const { lastHiddenState, ...rest } = model.forward(...given)
    return { ...rest, lastHiddenState: mul(lastHiddenState, scale) }
  },
})

const options = z.strictObject({ scale: z.number().positive().default(1).describe('Factor of the hidden states') })
const create =
  (make: () => Model) =>
  ({ scale }: z.output<typeof options>) =>
    scaled(make(), scale)
/** The tiny encoder as a plugin. */
export const tiny = definePlugin({
  kind: MODEL,
  name: 'tiny',
  summary: 'The tiny encoder',
  options,
  create: create(tinyModel),
})
/** A tiny decoder as a plugin. */
export const decoder = definePlugin({
  kind: MODEL,
  name: 'decoder',
  summary: 'A tiny decoder',
  options,
  create: create(tinyDecoder),
})
/** A tiny encoder–decoder as a plugin. */
export const pair = definePlugin({
  kind: MODEL,
  name: 'pair',
  summary: 'A tiny encoder–decoder',
  options,
  exceptions: { attentions: 'it has no attention', packing: 'it reads one text a row' },
  create: create(tinyPair),
})

/** Golden outputs: every word embedding is 1, every position embedding 2, and the attention values are zero. */
export const golden: ModelGolden = {
  source: 'arithmetic',
  weights: {
    'decoder.words.weight': floats(new Float32Array(512).fill(1), [128, 4]),
    'decoder.positions.weight': floats(new Float32Array(48).fill(2), [12, 4]),
    'decoder.layer.0.value.weight': floats(new Float32Array(16), [4, 4]),
  },
  cases: [
    {
      options: { scale: 2 },
      inputs: mapParams(({ shape, values }) => ({ shape, values: [...values] }), textInputs([[5, 6]])),
      outputs: { lastHiddenState: { shape: [1, 2, 4], values: new Array<number>(8).fill(6) } },
    },
  ],
}

/** Suite on a model changed by `change`. */
export const suite =
  (change: (model: Model) => Model, of: AnyPlugin = tiny) =>
  (): void =>
    describeModel(altered<Model>(of, change), { options: { scale: 2 }, goldens: of === decoder ? [golden] : [] })
/** Suite on a model with another forward pass. */
export const withForward = (change: (forward: Forward) => Forward, of: AnyPlugin = tiny) =>
  suite((model) => ({ ...model, forward: change(model.forward) }), of)
/** Suite on a model that reads other inputs than it gets. */
export const withInputs = (change: (inputs: TextInputs) => TextInputs, of: AnyPlugin = tiny) =>
  withForward((forward) => (params, inputs, mode) => forward(params, change(inputs), mode), of)
/** Suite on a model that runs in another mode. */
export const inMode = (change: (mode: Mode) => Mode) =>
  withForward((forward) => (params, inputs, mode) => forward(params, inputs, change(mode)))
/** Suite on a model with other outputs. */
export const withOutputs = (change: (outputs: EncoderOutputs, mode: Mode) => EncoderOutputs, of: AnyPlugin = tiny) =>
  withForward((forward) => (params, inputs, mode) => change(forward(params, inputs, mode), mode), of)
