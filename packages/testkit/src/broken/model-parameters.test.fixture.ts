import { type Params, key } from '@attune/core'
import { filledWith } from '@attune/nn'
import { describeModel } from '../describe-model.js'
import { type Specimen, broken, unchecked, uncheckedFails } from './specimen.test.fixture.js'
import { withForward, suite, tiny } from './tiny-models.test.fixture.js'

const named = 'has the same parameter names and shapes for every key, including its word embeddings, under its prefix'
const keyed = 'initializes the same parameters from the same key, others from another key, and no two alike'
const grouped = 'assigns every parameter to exactly one layer group, with groups in depth order'
const pure = 'is pure: returns the same bits for the same input and does not modify it'
const shaped = 'returns finite outputs of the declared shapes: one text, one token, the maximum length'
const padding = 'returns the same outputs for any amount and content of padding'
const gradients = 'has a finite gradient for every parameter'
const config = 'is restored from its config.json'
const numbers = 'declares a valid head dropout, initializer range and hidden size'

const LAYER = 'tiny.encoder.layer'
const twins = (params: Params): Params => ({
  ...params,
  [`${LAYER}.1.attention.self.query.weight`]: params[`${LAYER}.0.attention.self.query.weight`]!.clone(),
})
const overwrite = (params: Params): void => void (Object.values(params)[0]!.dataSync()[0] = 7)
const without = <T extends object>(record: T, name: keyof T): T =>
  Object.fromEntries(Object.entries(record).filter(([each]) => each !== name)) as T

/** Model specimens with invalid parameters, layers or configuration. */
export const misshapen: readonly Specimen[] = [
  broken(
    'names word embeddings that are not a parameter',
    [named, grouped],
    suite((model) => ({ ...model, wordEmbeddings: 'words.weight' })),
  ),
  broken(
    'initializes from Math.random',
    [keyed],
    suite((model) => ({ ...model, init: () => model.init(key(Math.floor(Math.random() * 1e9))) })),
  ),
  broken(
    'initializes the same for every key',
    [keyed],
    suite((model) => ({ ...model, init: () => model.init(key(1)) })),
  ),
  broken(
    'initializes two parameters alike',
    [keyed],
    suite((model) => ({ ...model, init: (from) => twins(model.init(from)) })),
  ),
  broken(
    'has a layer prefix without a final dot',
    [grouped],
    suite((model) => ({
      ...model,
      layers: model.layers.map(({ name, prefixes }) => ({
        name,
        prefixes: prefixes.map((prefix) => prefix.replace(/(\d)\.$/, '$1')),
      })),
    })),
  ),
  broken(
    'lists its layers from the top down',
    [grouped],
    suite((model) => ({ ...model, layers: [...model.layers].reverse() })),
  ),
  broken(
    'has a layer without parameters',
    [grouped],
    suite((model) => ({ ...model, layers: [...model.layers, { name: 'more', prefixes: ['tiny.more.'] }] })),
  ),
  broken(
    'has parameters in no layer',
    [grouped],
    suite((model) => ({ ...model, layers: model.layers.slice(0, -1) })),
  ),
  broken(
    'modifies its parameters',
    [pure],
    withForward(
      (forward) =>
        (params, ...rest) => (overwrite(params), forward(params, ...rest)),
    ),
  ),
  broken(
    'declares another hidden size',
    [shaped],
    suite((model) => ({ ...model, hiddenSize: 9 })),
  ),
  broken(
    'declares too large a maximum length',
    [shaped, padding],
    suite((model) => ({ ...model, maximumLength: 30 })),
  ),
  broken(
    'has an unused parameter',
    [gradients],
    suite((model) => ({ ...model, init: (from) => ({ ...model.init(from), 'tiny.pooler.idle': filledWith([4], 0) }) })),
  ),
  broken(
    'omits an option in its configuration',
    [config],
    suite((model) => ({ ...model, config: without(model.config, 'scale') })),
  ),
  broken(
    'omits its model type',
    [config],
    suite((model) => ({ ...model, config: without(model.config, 'model_type') })),
  ),
  broken(
    'has a head dropout of 1',
    [numbers],
    suite((model) => ({ ...model, headDropout: 1 })),
  ),
  broken('accepts any options', uncheckedFails(3), () =>
    describeModel(unchecked(tiny, { scale: 2 }), { options: { scale: 2 } }),
  ),
]
