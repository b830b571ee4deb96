import {
  type Adapted,
  ADAPTER,
  type Adapter,
  type AdapterInput,
  type Model,
  type Params,
  definePlugin,
  key,
  mapParams,
} from '@attune/core'
import { malformedAdapter, filledWith, fromPeft, normal, requireShapes, toPeft, withHook } from '@attune/nn'
import { type Tensor, add, matMul, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { describeAdapter } from '../describe-adapter.js'
import { type Specimen, altered, broken, valid } from './specimen.test.fixture.js'

const LAYER = 'tiny.pooler.dense'
const [DOWN, UP] = [`${LAYER}.down`, `${LAYER}.up`]
const SHAPES = { [DOWN]: [2, 8], [UP]: [8, 2] }

const adaptedFrom = (model: Model, params: Params, trainable: Params): Adapted => ({
  model: {
    ...model,
    forward: (all, ...rest) =>
      model.forward(
        withHook(all, ({ name, weight, params: own }, x, compute) =>
          name === LAYER ? compute(x, add(weight!, matMul(own[UP]!, own[DOWN]!))) : compute(x),
        ),
        ...rest,
      ),
  },
  trainable,
  frozen: params,
  merge: (own, frozen) => ({
    ...frozen,
    [`${LAYER}.weight`]: add(frozen[`${LAYER}.weight`] as Tensor, matMul(own[UP]!, own[DOWN]!)),
  }),
  config: { peft_type: 'FILED', target_modules: [LAYER] },
  tensors: toPeft,
})

/** Low-rank update of the pooler that can be saved. */
const filed = definePlugin({
  kind: ADAPTER,
  name: 'filed',
  summary: 'A low-rank update that can be saved',
  options: z.strictObject({}),
  create: (): Adapter => ({
    adapt(model, params, { saved } = {}) {
      if (saved === undefined)
        return adaptedFrom(model, params, { [DOWN]: normal(key(1), [2, 8], 0.3), [UP]: filledWith([8, 2], 0) })
      if (saved.config['peft_type'] !== 'FILED') throw malformedAdapter('is of another method')
      const own = fromPeft(saved.tensors, model, (name) => Object.hasOwn(SHAPES, name))
      requireShapes(own, SHAPES)
      return adaptedFrom(model, params, own)
    },
  }),
})

const starts = 'restores the same parameters, function and configuration from a saved adapter'
const rejects = 'rejects a saved adapter of another method, and missing, unknown or misshapen tensors'

const suite = (change: (adapt: Adapter['adapt']) => Adapter['adapt']) => (): void =>
  describeAdapter(altered<Adapter>(filed, ({ adapt }) => ({ adapt: change(adapt) })))
const changed = (change: (adapted: Adapted) => Adapted) =>
  suite((adapt) => async (model, params, input) => change(await adapt(model, params, input)))

/** Specimens of adapters that can be saved. */
export const savedAdapters: readonly Specimen[] = [
  valid('a low-rank update that can be saved', () => describeAdapter(filed)),
  valid('an update that is saved beside its base', () =>
    describeAdapter(
      altered<Adapter>(
        filed,
        ({ adapt }) => ({
          adapt: async (model: Model, params: Params, input?: AdapterInput) => {
            const { merge: _, ...adapted } = await adapt(model, params, input)
            return adapted
          },
        }),
        { exceptions: { merge: 'the base has no such update' } },
      ),
    ),
  ),
  broken(
    'saves tensors without a configuration',
    [starts, rejects],
    changed(({ config: _, ...adapted }) => adapted),
  ),
  broken(
    'saves tensors under other names',
    [starts],
    changed((adapted) => ({
      ...adapted,
      tensors: (own) => Object.fromEntries(Object.entries(own).map(([name, p]) => [`base_model.${name}`, p])),
    })),
  ),
  broken(
    'saves half of the update',
    [starts],
    changed((adapted) => ({ ...adapted, tensors: (own) => toPeft(mapParams((p) => mul(p, 0.5), own)) })),
  ),
  broken(
    'ignores the saved adapter',
    [starts, rejects],
    suite((adapt) => (model, params) => adapt(model, params)),
  ),
  broken(
    'falls back to initial parameters',
    [rejects],
    suite((adapt) => (model, params, input) => {
      try {
        return adapt(model, params, input)
      } catch {
        return adapt(model, params)
      }
    }),
  ),
  broken(
    'has another configuration after loading',
    [starts],
    suite((adapt) => async (model, params, input) => ({
      ...(await adapt(model, params, input)),
      config: { peft_type: 'FILED', target_modules: [LAYER], loaded: input?.saved !== undefined },
    })),
  ),
]
