import { setImmediate } from 'node:timers/promises'
import {
  type Adapted,
  ADAPTER,
  type Adapter,
  type Model,
  type Params,
  definePlugin,
  deriveKey,
  key,
  mapParams,
} from '@attune/core'
import { filledWith, normal } from '@attune/nn'
import { type Tensor, add, keep, matMul, mul, scalar, tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { describeAdapter } from '../describe-adapter.js'
import { savedAdapters } from './saved-adapter.test.fixture.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

const isQuery = (name: string): boolean => name.endsWith('query.weight')
const select = (params: Params, wanted: (name: string) => boolean): Params =>
  Object.fromEntries(Object.entries(params).filter(([name]) => wanted(name)))

/** Adds to each query matrix what `product` makes of what stands beside it. */
const merged = (frozen: Params, product: (name: string) => Tensor): Params =>
  Object.fromEntries(Object.entries(frozen).map(([name, p]) => [name, isQuery(name) ? add(p, product(name)) : p]))

/** Adds to each query matrix a product of two thin ones, of which the second is zero at first. */
export const thin = definePlugin({
  kind: ADAPTER,
  name: 'thin',
  summary: 'Products of thin matrices beside the queries train',
  options: z.strictObject({ rank: z.int().min(1).default(2).describe('Width of the thin matrices') }),
  create: ({ rank }): Adapter => ({
    adapt(model, params) {
      const merge = (trainable: Params, frozen: Params): Params =>
        merged(frozen, (name) => matMul(trainable[`${name}.up`]!, trainable[`${name}.down`]!))
      const isFrozen = (name: string): boolean => Object.hasOwn(params, name)
      return {
        model: { ...model, forward: (all, ...rest) => model.forward(merge(all, select(all, isFrozen)), ...rest) },
        trainable: Object.fromEntries(
          Object.entries(select(params, isQuery)).flatMap(([name, { shape }]) => [
            [`${name}.down`, normal(deriveKey(key(1), name), [rank, shape[1]!], 0.1)],
            [`${name}.up`, filledWith([shape[0]!, rank], 0)],
          ]),
        ),
        frozen: params,
        merge,
      }
    },
  }),
})

const suite = (change: (adapted: Adapted, model: Model, params: Params) => Adapted) => (): void =>
  describeAdapter(
    altered<Adapter>(thin, ({ adapt }) => ({
      adapt: async (model: Model, params: Params) => change(await adapt(model, params), model, params),
    })),
  )

/** On an adapter that takes a while. */
const suiteAfter = (change: (adapted: Adapted) => Adapted) => (): void =>
  describeAdapter(
    altered<Adapter>(thin, ({ adapt }) => ({
      adapt: async (model: Model, params: Params) => {
        await setImmediate()
        return change(await adapt(model, params))
      },
    })),
  )

/** 1 for every second value, else 0. */
const halves = (params: Params): Params =>
  mapParams(
    ({ size, shape }) =>
      tensor(
        Float32Array.from({ length: size }, (_, i) => i % 2),
        shape,
      ),
    params,
  )

const disjoint = 'trains something, and nothing that is frozen'
const atFirst = 'computes at first what the original does'
const gradient = 'gives every trainable parameter a finite gradient'
const reads = 'reads the frozen parameters that it is given'
const alike = 'adapts the same parameters alike'
const groups = 'has every parameter in exactly one layer group'
const untrained = 'merges untrained parameters into the original ones'
const trained = 'computes merged what it computes adapted'
const masks = 'masks trainable parameters only, with 0 and 1 in their shapes'
const memory = 'makes no tensor but its parameters'

const renamed = (params: Params, name: (old: string) => string): Params =>
  Object.fromEntries(Object.entries(params).map(([old, p]) => [name(old), p]))

/** Under names that stand in no layer group. */
const outside = ({ model, trainable, frozen, merge }: Adapted): Adapted => {
  const back = (all: Params): Params => renamed(all, (name) => name.replace(/^thin:/, ''))
  return {
    model: { ...model, forward: (all, ...rest) => model.forward(back(all), ...rest) },
    trainable: renamed(trainable, (name) => `thin:${name}`),
    frozen,
    merge: (t, f) => merge(back(t), f),
  }
}

/** Works with the frozen parameters it saw when it was made. */
const captured = ({ model, merge, ...adapted }: Adapted, _: Model, params: Params): Adapted => ({
  ...adapted,
  model: { ...model, forward: (all, ...rest) => model.forward({ ...all, ...params }, ...rest) },
  merge: (trainable) => merge(trainable, params),
})

/** Some of what trains begins with another value. */
const starting = (part: string, value: () => number) =>
  suite((adapted) => {
    const other = (p: Tensor): Tensor => {
      p.dispose()
      return filledWith(p.shape, value())
    }
    const entries = Object.entries(adapted.trainable).map(([name, p]) => [name, name.endsWith(part) ? other(p) : p])
    return { ...adapted, trainable: Object.fromEntries(entries) as Params }
  })

const untouched: Adapter['adapt'] = (model, params) => ({
  model,
  trainable: {},
  frozen: params,
  merge: (_, frozen) => frozen,
})

/** Adapters. */
export const adapters: readonly Specimen[] = [
  sound('thin matrices', () => describeAdapter(thin, { options: { rank: 3 } })),
  broken(
    'trains what it says is frozen',
    [disjoint, reads, trained],
    suite((adapted, _, params) => ({ ...adapted, trainable: { ...adapted.trainable, ...select(params, isQuery) } })),
  ),
  broken('trains nothing', [disjoint, gradient, trained], () =>
    describeAdapter(altered<Adapter>(thin, () => ({ adapt: untouched }))),
  ),
  broken(
    'starts elsewhere',
    [atFirst, untrained],
    starting('.up', () => 0.5),
  ),
  broken(
    'starts from numbers of its own',
    [alike],
    starting('.down', () => Math.random() + 0.1),
  ),
  broken(
    'has a parameter that nothing reads',
    [gradient],
    suite((adapted) => ({ ...adapted, trainable: { ...adapted.trainable, 'tiny.pooler.idle': filledWith([1], 1) } })),
  ),
  broken('keeps to the frozen parameters of the beginning', [reads], suite(captured)),
  broken('names its parameters outside the layers', [groups], suite(outside)),
  broken(
    'forgets what it learned when it merges',
    [trained],
    suite((adapted) => ({ ...adapted, merge: (_, frozen) => frozen })),
  ),
  broken(
    'merges half of it',
    [trained],
    suite((adapted) => ({
      ...adapted,
      merge: (trainable, frozen) =>
        adapted.merge(
          Object.fromEntries(
            Object.entries(trainable).map(([name, p]) => [name, name.endsWith('.up') ? mul(p, 0.5) : p]),
          ),
          frozen,
        ),
    })),
  ),
  broken(
    'merges without the pooler',
    [reads, untrained, trained],
    suite((adapted) => ({
      ...adapted,
      merge: (trainable, frozen) => select(adapted.merge(trainable, frozen), (name) => !name.includes('pooler')),
    })),
  ),
  broken(
    'keeps a tensor for itself',
    [memory],
    suite((adapted) => (keep(scalar(0)), adapted)),
  ),
  sound(
    'thin matrices, made in a while and masked by half',
    suiteAfter((adapted) => ({ ...adapted, masks: halves(adapted.trainable) })),
  ),
  broken(
    'masks what does not train',
    [masks],
    suite((adapted) => ({ ...adapted, masks: { 'tiny.pooler.dense.bias': filledWith([8], 1) } })),
  ),
  broken(
    'masks in another shape',
    [masks],
    suite((adapted) => ({ ...adapted, masks: mapParams((_: Tensor) => filledWith([1], 1), adapted.trainable) })),
  ),
  broken(
    'masks by halves of a step',
    [masks],
    suite((adapted) => ({ ...adapted, masks: mapParams(({ shape }) => filledWith(shape, 0.5), adapted.trainable) })),
  ),
  ...savedAdapters,
  broken('merges exactly although it says not', ['cannot be merged exactly: it is said to'], () =>
    describeAdapter(altered(thin, (sane) => sane, { exceptions: { merge: 'it is said to' } })),
  ),
  broken('any options will do', uncheckedFails(4), () => describeAdapter(unchecked(thin))),
]
