import {
  ADAPTER,
  type AdapterInput,
  type Adapted,
  type Adapter,
  AttuneError,
  ENGINE,
  type Engine,
  type HostArray,
  type Key,
  type LayerHook,
  type Mode,
  type Model,
  type Params,
  RANDOMNESS,
  definePlugin,
  deriveKey,
  stream,
} from '@attune/core'
import { dropout, isOwn, isTokenTable, toPeft, withHook } from '@attune/nn'
import { add, matMul, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { type Factors, downOf, factorShapes, peftConfig, readSaved, upOf } from './saved-lora.js'
import { targetLayers } from './targets.js'

const options = z.strictObject({
  rank: z.int().min(1).max(4096).default(8).describe('Rank of the update matrices'),
  alpha: z
    .number()
    .positive()
    .max(100_000)
    .default(16)
    .describe('Scale of the update, which is multiplied by alpha / rank'),
  dropout: z.number().min(0).lt(1).default(0).describe('Dropout probability on the input of the update'),
  targets: z
    .union([z.enum(['attention', 'all-linear']), z.array(z.string().min(1)).min(1)])
    .default('attention')
    .describe(
      'Linear layers to adapt: those of attention, all of them, or those whose names end in one of these, as in `[query, value]`',
    ),
})

type Options = z.output<typeof options>
type Injected = { readonly engine: Engine; readonly randomness: Key }

/** New factors: `A` uniform within ±1/√in, the bound of peft's kaiming_uniform(√5), and `B` zero. */
function initialFactors(factors: Factors, model: Model, params: Params, key: Key) {
  const shapes = factorShapes(factors, model, params)
  const entries = factors.layers.flatMap((layer): [string, HostArray][] => {
    const [down, up] = [shapes[downOf(layer)]!, shapes[upOf(layer)]!]
    const next = stream(deriveKey(key, 'lora', layer))
    const bound = 1 / Math.sqrt(down[1])
    const values = Float32Array.from({ length: down[0] * down[1] }, () => bound * (2 * next() - 1))
    return [
      [downOf(layer), { shape: down, dtype: 'float32', values }],
      [upOf(layer), { shape: up, dtype: 'float32', values: new Float32Array(up[0] * up[1]) }],
    ]
  })
  return Object.fromEntries(entries)
}

/** The mode with a random stream of the layer's own, derived from its name. */
const modeFor = (layer: string, mode: Mode): Mode =>
  mode.training ? { ...mode, key: { ...mode.key, stream: deriveKey([0, 0], 'lora', layer)[0] | 0 } } : mode

/** Adds the low-rank update to the output of each adapted layer; `computed` collects the names of these layers. */
const lowRankUpdate =
  ({ alpha, rank }: Factors, rate: number, mode: Mode, computed: Set<string>): LayerHook =>
  ({ kind, name, params }, x, compute) => {
    const [down, up] = [params[downOf(name)], params[upOf(name)]]
    if (kind !== 'linear' || down === undefined || up === undefined) return compute(x)
    computed.add(name)
    const narrow = matMul(dropout(x, rate, modeFor(name, mode)), down, false, true) // [rows, rank]
    return add(compute(x), matMul(mul(narrow, alpha / rank), up, false, true)) // [rows, out]
  }

/** @throws AttuneError `UNKNOWN_TARGET` if the model did not compute one of the layers as a linear layer. */
function requireComputed(layers: readonly string[], computed: ReadonlySet<string>): void {
  const missing = layers.filter((layer) => !computed.has(layer))
  if (missing.length === 0) return
  throw new AttuneError(
    'UNKNOWN_TARGET',
    `adapter lora: the model does not compute ${missing.slice(0, 3).join(', ')} as a linear layer`,
    'Remove it from `targets`, and list the layers to adapt.',
  )
}

/** The model with the low-rank updates added to its layers. */
function adaptedModel(model: Model, factors: Factors, rate: number): Model {
  let checked = false
  return {
    ...model,
    forward(params, inputs, mode) {
      const computed = new Set<string>()
      const compute = () => model.forward(withHook(params, lowRankUpdate(factors, rate, mode, computed)), inputs, mode)
      if (mode.training && !checked) {
        // Outputs are computed lazily: read all of them once, to see every layer that the model computes.
        Object.values(compute())
        requireComputed(factors.layers, computed)
        checked = true
      }
      return compute()
    },
  }
}

/** Plain weights with the update merged in: `W + alpha / rank · B·A`. */
const merged = (model: Model, { layers, alpha, rank }: Factors, all: Params): Params => {
  const factors = new Set(layers.flatMap((layer) => [downOf(layer), upOf(layer)]))
  const plain = Object.entries(all).filter(([name]) => !factors.has(name))
  const learned = layers.map((layer) => {
    const [weight, down, up] = [all[`${layer}.weight`]!, all[downOf(layer)]!, all[upOf(layer)]!]
    const product = model.inputFirst === true ? matMul(down, up, true, true) : matMul(up, down)
    return [`${layer}.weight`, add(weight, mul(product, alpha / rank))] as const
  })
  return Object.fromEntries([...plain, ...learned])
}

/** New factors for the target layers, or those of a saved adapter with the heads that it trained. */
function initialTensors(
  o: Options,
  model: Model,
  params: Params,
  { engine, randomness }: Injected,
  saved: AdapterInput['saved'],
): { readonly factors: Factors; readonly tensors: Params } {
  const standard = options.parse({})
  if (saved !== undefined) {
    const layers = o.targets === standard.targets ? undefined : targetLayers(model, params, o.targets)
    return readSaved(saved, model, params, { ...o, layers }, standard)
  }
  const factors = { ...o, layers: targetLayers(model, params, o.targets) }
  return { factors, tensors: engine.put(initialFactors(factors, model, params, randomness)) as Params }
}

function adapt(o: Options, model: Model, params: Params, given: Injected, saved: AdapterInput['saved']) {
  const { factors, tensors } = initialTensors(o, model, params, given, saved)
  const trains = (name: string): boolean =>
    Object.hasOwn(tensors, name) || (!isOwn(model, name) && !isTokenTable(model, params, name))
  const order = Object.keys(params)
  const heads = order.filter(trains)
  const chosen = (names: readonly string[]): Params => Object.fromEntries(names.map((name) => [name, params[name]!]))
  return {
    model: adaptedModel(model, factors, o.dropout),
    trainable: { ...chosen(heads), ...tensors },
    frozen: chosen(order.filter((name) => !trains(name))),
    merge(trainable, frozen) {
      const plain = merged(model, factors, { ...frozen, ...trainable })
      return Object.fromEntries(order.map((name) => [name, plain[name]!]))
    },
    config: peftConfig(factors, { dropout: o.dropout, heads, inputFirst: model.inputFirst === true }),
    tensors: toPeft,
  } satisfies Adapted
}

/**
 * Low-rank adaptation (LoRA): the weights of the model are frozen, and low-rank updates of some of its linear layers train.
 *
 *     y = x·Wᵀ + b + alpha / rank · (dropout(x)·Aᵀ)·Bᵀ
 *
 * `A` is random and `B` zero at first, so training starts from the unchanged model. Gradients of the frozen weights are never
 * computed. A head of the objective, and parameters that only such a head uses, train in full, as with peft's
 * `modules_to_save`; a head with a row for each token of the vocabulary is frozen. A saved adapter of peft or Attune determines the
 * adapted layers, the rank and alpha; dropout is taken from the option.
 */
export const lora = definePlugin({
  kind: ADAPTER,
  name: 'lora',
  summary: 'Low-rank adaptation (LoRA): low-rank updates of linear layers; the base weights stay frozen',
  source: 'Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021, section 4.1',
  options,
  needs: { engine: ENGINE, randomness: RANDOMNESS },
  create: (o, given): Adapter => ({ adapt: (model, params, { saved } = {}) => adapt(o, model, params, given, saved) }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter lora': typeof lora
  }
}

export default lora
