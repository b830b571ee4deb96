import { type Params, key } from '@attune/core'
import { filledWith } from '@attune/nn'
import { describeModel } from '../describe-model.js'
import { type Specimen, broken, unchecked, uncheckedFails } from './specimen.test.fixture.js'
import { forwarding, suite, tiny } from './tiny-models.test.fixture.js'

const named = 'names and shapes its parameters alike for every key, its word embeddings among them, with its prefix'
const keyed = 'makes the same parameters from the same key, others from another, and no two alike'
const grouped = 'has every parameter in exactly one layer group, and groups in depth order'
const pure = 'is pure: the same input gives the same bits and is left as it was'
const shaped = 'gives finite outputs of the stated shapes: one text, one token, the maximum length'
const padding = 'gives a text the same outputs however much padding follows and whatever stands there'
const gradients = 'has a finite gradient for every parameter'
const config = 'is the same model again when it is made from its config.json'
const numbers = 'states numbers that a head can be built on'

const LAYER = 'tiny.encoder.layer'
const twins = (params: Params): Params => ({
  ...params,
  [`${LAYER}.1.attention.self.query.weight`]: params[`${LAYER}.0.attention.self.query.weight`]!.clone(),
})
const overwrite = (params: Params): void => void (Object.values(params)[0]!.dataSync()[0] = 7)
const without = <T extends object>(record: T, name: keyof T): T =>
  Object.fromEntries(Object.entries(record).filter(([each]) => each !== name)) as T

/** Models whose parameters, layers or configuration are wrong. */
export const misshapen: readonly Specimen[] = [
  broken(
    'word embeddings that are no parameter',
    [named, grouped],
    suite((model) => ({ ...model, wordEmbeddings: 'words.weight' })),
  ),
  broken(
    'parameters by chance',
    [keyed],
    suite((model) => ({ ...model, init: () => model.init(key(Math.floor(Math.random() * 1e9))) })),
  ),
  broken(
    'the same parameters for every key',
    [keyed],
    suite((model) => ({ ...model, init: () => model.init(key(1)) })),
  ),
  broken(
    'two parameters alike',
    [keyed],
    suite((model) => ({ ...model, init: (from) => twins(model.init(from)) })),
  ),
  broken(
    'a layer that takes those of the tenth too',
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
    'layers from the top down',
    [grouped],
    suite((model) => ({ ...model, layers: [...model.layers].reverse() })),
  ),
  broken(
    'a layer without parameters',
    [grouped],
    suite((model) => ({ ...model, layers: [...model.layers, { name: 'more', prefixes: ['tiny.more.'] }] })),
  ),
  broken(
    'parameters in no layer',
    [grouped],
    suite((model) => ({ ...model, layers: model.layers.slice(0, -1) })),
  ),
  broken(
    'writes over its parameters',
    [pure],
    forwarding(
      (forward) =>
        (params, ...rest) => (overwrite(params), forward(params, ...rest)),
    ),
  ),
  broken(
    'states of another width than it says',
    [shaped],
    suite((model) => ({ ...model, hiddenSize: 9 })),
  ),
  broken(
    'fewer places than it says',
    [shaped, padding],
    suite((model) => ({ ...model, maximumLength: 30 })),
  ),
  broken(
    'has a parameter that nothing reads',
    [gradients],
    suite((model) => ({ ...model, init: (from) => ({ ...model.init(from), 'tiny.pooler.idle': filledWith([4], 0) }) })),
  ),
  broken(
    'does not write an option into its configuration',
    [config],
    suite((model) => ({ ...model, config: without(model.config, 'scale') })),
  ),
  broken(
    'does not say what it is',
    [config],
    suite((model) => ({ ...model, config: without(model.config, 'model_type') })),
  ),
  broken(
    'a head that drops everything',
    [numbers],
    suite((model) => ({ ...model, headDropout: 1 })),
  ),
  broken('any options will do', uncheckedFails(3), () =>
    describeModel(unchecked(tiny, { scale: 2 }), { options: { scale: 2 } }),
  ),
]
