import {
  type AnyPlugin,
  type DataPass,
  type HostArray,
  type Hyper,
  type LossCall,
  type LossFunction,
  type Params,
  type Regularizer,
  type TextInputs,
  type Tree,
  key,
  normals,
  stream,
} from '@attune/core'
import { crossEntropy, embedding, linear, withHook } from '@attune/nn'
import { type Scalar, type Tensor, div, mean, scalar, square, sum, tanh } from '@tensorflow/tfjs-core'
import { describeOptions } from './describe-options.js'
import { itPromises } from './exceptions.js'
import { expectClose } from './expect-close.js'
import { gradientsOf } from './gradients-of.js'
import { floats, integers, textInputs } from './host-array.js'
import { referenceEngine } from './reference-engine.js'
import { afterAll, beforeAll, describe, expect, it } from './runner.js'
import { tinyModel } from './tiny-model.js'

/**
 * Parameters, and the term that another library, or arithmetic, adds to the mean loss. With `batch`, the whole regularized mean loss of a
 * classifier, and optionally its gradients: `words.weight` `[vocabulary, width]` are the word embeddings, whose mean over a text, through
 * tanh, is mapped to logits by `classifier.weight` `[classes, width]`; the loss is the cross-entropy, summed over the texts.
 */
export interface RegularizerGolden {
  readonly source: string
  readonly cases: readonly {
    readonly options: Readonly<Record<string, unknown>>
    readonly parameters: Readonly<
      Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
    >
    readonly expected: number
    readonly batch?: { readonly ids: readonly (readonly number[])[]; readonly labels: readonly number[] }
    readonly gradients?: Readonly<Record<string, readonly number[]>>
  }[]
}

const DIFFERENCE = 1e-3
const ROWS = [
  [7, 3, 9],
  [5, 8],
]
/** Inputs of the model, and the labels of the texts. */
type Inputs = Record<string, Tree> & { readonly labels?: Tensor }
const SEED = integers([1, 2], [2])

/** A zero loss of three rows: only the regularization term remains. */
const noLoss: LossFunction = () => ({ sum: scalar(0), weight: scalar(3) })

/** Loss of the tiny model: the squares of its pooled output, one row per text. */
const modelLoss: LossFunction = ({ trainable, frozen, batch, mode, hook }: LossCall) => {
  const params = withHook({ ...frozen, ...trainable }, hook)
  const { pooled } = tinyModel().forward(params, batch.inputs as unknown as TextInputs, mode)
  return { sum: sum(square(pooled)), weight: scalar(ROWS.length), head: pooled }
}

/** The classifier of {@link RegularizerGolden}. */
const classifierLoss: LossFunction = ({ trainable, batch, hook }: LossCall) => {
  const params = withHook(trainable, hook)
  const { inputIds } = batch.inputs as unknown as TextInputs
  const head = linear(params, 'classifier', tanh(mean(embedding(params, 'words', inputIds), 1)))
  const losses = crossEntropy(head, batch['labels'] as Tensor)
  return { sum: sum(losses), weight: scalar(losses.size), head }
}

/** Data pass without batches, for regularizers that prepare something. */
const noPass = (read: DataPass['read'], release: DataPass['release'], trainable: Params): DataPass => ({
  fold: (start) => Promise.resolve(start(trainable)),
  read,
  release,
})

/**
 * Contract of a regularizer, tested on the loss of a small model: returns a finite sum and the weight of the wrapped loss; is
 * deterministic; does not modify parameters; its gradient matches finite differences, including dropout; frees all other tensors;
 * and, for a penalty, the term matches another library.
 */
export function describeRegularizer(
  plugin: AnyPlugin,
  {
    options = {},
    golden,
  }: { readonly options?: Readonly<Record<string, unknown>>; readonly golden?: RegularizerGolden } = {},
): void {
  describe(`regularizer ${plugin.name}`, () => {
    const engine = referenceEngine()
    const make = (given: Readonly<Record<string, unknown>>): Regularizer => plugin(given) as Regularizer
    const number = (value: number): HostArray => floats([value], [])
    const hyperArrays = { learningRate: number(0.1), step: number(1), steps: number(9), seed: SEED, scheduled: {} }
    /** Compiles the regularized mean loss, its weight and its gradient. */
    const compiled = (given: Readonly<Record<string, unknown>>, base: LossFunction, prepared: Tree | undefined) => {
      const loss = make(given).wrap(base)
      const callOf = (trainable: Params, { labels, ...inputs }: Inputs, hyper: Hyper): LossCall => ({
        trainable,
        frozen: {},
        batch: { inputs, ...(labels && { labels }) } as never,
        mode: { training: true, key: { seed: hyper.seed, stream: 0 } },
        hyper,
        ...(prepared === undefined ? {} : { constants: prepared }),
      })
      const meanLoss = (trainable: Params, inputs: Inputs, hyper: Hyper): Scalar => {
        const { sum: total, weight } = loss(callOf(trainable, inputs, hyper))
        return div(total, weight)
      }
      return {
        mean: engine.compile(meanLoss),
        weight: engine.compile((p: Params, i: Inputs, h: Hyper) => loss(callOf(p, i, h)).weight),
        gradients: engine.compile((p: Params, i: Inputs, h: Hyper) => gradientsOf((q) => meanLoss(q, i, h), p)),
      }
    }
    const surroundings = () => ({
      inputs: engine.put(textInputs(ROWS)) as unknown as Inputs,
      hyper: engine.put(hyperArrays) as Hyper,
    })
    const prepare = (given: Readonly<Record<string, unknown>>, params: Params): Promise<Tree | undefined> =>
      make(given).prepare?.(noPass(engine.read, engine.release, params), params) ?? Promise.resolve(undefined)
    const valueOf = async (result: Tensor): Promise<number> => {
      expect(result.shape).toEqual([])
      const { values } = (await engine.read(result)) as HostArray
      engine.release(result)
      return values[0]!
    }
    beforeAll(() => engine.start())
    afterAll(() => engine.close())
    describeOptions(plugin, options)

    it('returns a finite loss of the same weight, the same for the same call, and frees all other tensors', async () => {
      const params = tinyModel().init(key(1))
      const prepared = await prepare(options, params)
      const { mean, weight } = compiled(options, modelLoss, prepared)
      const { inputs, hyper } = surroundings()
      const host = await engine.read(params)
      const before = engine.live()
      const once = await valueOf(mean(params, inputs, hyper))
      expect(Number.isFinite(once)).toBe(true)
      expect(await valueOf(mean(params, inputs, hyper))).toBe(once)
      expect(await valueOf(weight(params, inputs, hyper))).toBe(ROWS.length)
      expect(engine.live()).toBe(before)
      expectClose(await engine.read(params), host, 0)
    })

    itPromises(
      plugin,
      'gradient',
      { kept: 'matches the gradient by finite differences', excused: 'does not match finite differences' },
      async (reason) => {
        const params = tinyModel().init(key(1))
        const { mean, gradients } = compiled(options, modelLoss, await prepare(options, params))
        const { inputs, hyper } = surroundings()
        const found = (await engine.read(gradients(params, inputs, hyper))) as Record<string, HostArray>
        const host = (await engine.read(params)) as Record<string, HostArray>
        const next = normals(stream(key(3)))
        const direction = Object.fromEntries(
          Object.entries(host).map(([name, { values }]) => [name, [...values].map(next)]),
        )
        const at = async (by: number): Promise<number> => {
          const moved = Object.entries(host).map(([name, array]): [string, HostArray] => [
            name,
            { ...array, values: Float32Array.from(array.values, (x, i) => x + by * direction[name]![i]!) },
          ])
          return valueOf(mean(engine.put(Object.fromEntries(moved)) as Params, inputs, hyper))
        }
        const slope = Object.entries(direction).reduce(
          (all, [name, d]) => all + d.reduce((total, x, i) => total + x * found[name]!.values[i]!, 0),
          0,
        )
        const measured = ((await at(DIFFERENCE)) - (await at(-DIFFERENCE))) / (2 * DIFFERENCE)
        const apart = Math.abs(measured - slope)
        if (reason === undefined) expect(apart).toBeLessThan(0.02 * Math.abs(slope) + 1e-2)
        else expect(apart).toBeGreaterThan(0)
      },
    )

    for (const [i, { options: given, parameters, expected, batch, gradients: slopes }] of (
      golden?.cases ?? []
    ).entries())
      it(`agrees with ${golden!.source}, case ${i + 1}: ${JSON.stringify(given)}`, async () => {
        const arrays = Object.entries(parameters).map(([name, { values, shape }]) => [name, floats(values, shape)])
        const params = engine.put(Object.fromEntries(arrays) as Record<string, HostArray>) as Params
        const { inputs: texts, hyper } = surroundings()
        const base = batch === undefined ? noLoss : classifierLoss
        const inputs =
          batch === undefined
            ? texts
            : (engine.put({
                ...textInputs(batch.ids),
                labels: integers(batch.labels, [batch.labels.length]),
              }) as unknown as Inputs)
        const { mean, gradients } = compiled(given, base, await prepare(given, params))
        const value = await valueOf(mean(params, inputs, hyper))
        expect(Math.abs(value - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)))
        const found = (await engine.read(gradients(params, inputs, hyper))) as Record<string, HostArray>
        for (const [name, values] of Object.entries(slopes ?? {}))
          values.forEach((slope, at) => expect(Math.abs(found[name]!.values[at]! - slope)).toBeLessThan(1e-5))
      })
  })
}
