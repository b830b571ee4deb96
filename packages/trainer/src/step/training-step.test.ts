import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  type Batch,
  type HostArray,
  MODEL,
  type OnDevice,
  OBJECTIVE,
  type Params,
  TOKENIZER,
  createScope,
  get,
  key,
  provide,
} from '@attune/core'
import { accumulateMomentum, chain, clipByGlobalNorm, linear, scaleByLearningRate } from '@attune/nn'
import { expectClose, floats } from '@attune/testkit'
import { type Tensor, onesLike, square, sub, sum } from '@tensorflow/tfjs-core'
import { NO_CONSTANTS } from './loss-function.js'
import { toyEngine, toyExample, toyModel, toyObjective, toyTokenizer } from '../run/toy.test.fixture.js'
import {
  type StepInputs,
  accumulateStep,
  applyStep,
  inferenceStep,
  lossAndGradients,
  emptyAccumulation,
  trainingStep,
} from './training-step.js'

const engine = toyEngine()
const scope = createScope()
provide(scope, toyTokenizer)
provide(scope, toyModel, { vocabSize: get(scope, TOKENIZER).vocabularySize })
provide(scope, toyObjective)
const [model, objective] = [get(scope, MODEL), get(scope, OBJECTIVE)]
const items = Array.from({ length: 6 }, (_, i) => objective.encode(toyExample(i)))
const seed = (value: number): Tensor =>
  engine.put({ shape: [2], dtype: 'int32', values: Int32Array.of(value, 9) } as HostArray)
const number = (value: number): Tensor =>
  engine.put({ shape: [], dtype: 'float32', values: Float32Array.of(value) } as HostArray)
const put = (batch: Batch) => engine.put(batch) as OnDevice<Batch>
const hyperOf = (s: Tensor): StepInputs => ({
  learningRate: number(0.1),
  step: number(1),
  steps: number(1),
  seed: s,
  scheduled: {},
})
const begin = (): Params => engine.compile(() => ({ ...model.init(key(1)), ...objective.init(key(2)) }))() as Params

const gradients = async (params: Params, batchItems = items, seedValue = 1) => {
  const batch = put(objective.collate(batchItems) as Batch)
  const result = engine.compile((p: Params, s: Tensor) =>
    lossAndGradients({ model, objective }, { trainable: p, frozen: {}, batch, hyper: hyperOf(s) }),
  )(params, seed(seedValue))
  return (await engine.read(result)) as unknown as { loss: HostArray; grads: Record<string, HostArray> }
}

describe('lossAndGradients', () => {
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it('matches central differences, with dropout from the same seed', async () => {
    const params = begin()
    const { grads } = await gradients(params)
    const host = (await engine.read(params)) as Record<string, HostArray>
    const step = 1e-2
    for (const [name, array] of Object.entries(host))
      for (const at of [0, Math.floor(array.values.length / 2), array.values.length - 1]) {
        const moved = async (by: number): Promise<number> => {
          const values = (array.values as Float32Array).slice()
          values[at]! += by
          return (await gradients({ ...params, [name]: engine.put({ ...array, values }) })).loss.values[0]!
        }
        const numeric = ((await moved(step)) - (await moved(-step))) / (2 * step)
        expect([name, at, grads[name]!.values[at]]).toEqual([name, at, expect.closeTo(numeric, 3)])
      }
  })

  it('computes the mean over examples, so that doubling a batch changes nothing', async () => {
    const params = begin()
    const infer = engine.compile((p: Params, twice: boolean) =>
      inferenceStep({ model, objective })(p, put(objective.collate(twice ? [...items, ...items] : items) as Batch)),
    )
    const once = (await engine.read(infer(params, false))) as unknown as Record<'lossSum' | 'lossWeight', HostArray>
    const doubled = (await engine.read(infer(params, true))) as unknown as typeof once
    expect([once.lossWeight.values[0], doubled.lossWeight.values[0]]).toEqual([6, 12])
    expect(doubled.lossSum.values[0]).toBeCloseTo(2 * once.lossSum.values[0]!, 4)
  })

  it('returns a zero gradient for an unused parameter', async () => {
    const params = { ...begin(), unused: number(3) }
    expect([...(await gradients(params)).grads['unused']!.values]).toEqual([0])
  })

  it('samples different dropout for another seed', async () => {
    const params = begin()
    expect((await gradients(params, items, 1)).loss).toEqual((await gradients(params, items, 1)).loss)
    expect((await gradients(params, items, 1)).loss).not.toEqual((await gradients(params, items, 2)).loss)
  })
})

describe('trainingStep', () => {
  it('is pure: returns the same bits for the same arguments, which stay unchanged', async () => {
    const optimizer = chain(accumulateMomentum(0.9, false), scaleByLearningRate())
    const trainable = begin()
    const state = { trainable, optimizer: engine.compile(() => optimizer.init(trainable))() }
    const before = await engine.read(state)
    const step = engine.compile(trainingStep({ model, objective, optimizer }))
    const inputs = hyperOf(seed(4))
    const batch = put(objective.collate(items) as Batch)
    const [once, twice] = [step(state, {}, batch, inputs), step(state, {}, batch, inputs)]
    expect(await engine.read(twice)).toEqual(await engine.read(once))
    expect(await engine.read(state)).toEqual(before)
  })
})

describe('accumulateStep and applyStep', () => {
  const without = toyModel({ vocabSize: get(scope, TOKENIZER).vocabularySize, dropout: 0 })
  const exact = { model: without, objective: toyObjective({}, { tokenizer: get(scope, TOKENIZER), model: without }) }
  const optimizer = chain(accumulateMomentum(0.9, false), scaleByLearningRate())
  const alike = items.map((item, i) => ({ ...item, length: 3, ids: [1, 2, 3].map((id) => (id * i + id) % 5) }))

  async function divided(...sizes: readonly number[]) {
    const trainable = begin()
    const state = { trainable, optimizer: optimizer.init(trainable) }
    const add = engine.compile(accumulateStep(exact))
    let [sums, at] = [engine.compile(emptyAccumulation)(trainable), 0]
    for (const size of sizes) {
      const part = put(exact.objective.collate(alike.slice(at, (at += size))) as Batch)
      sums = add(sums, trainable, {}, part, hyperOf(seed(1)))
    }
    const result = engine.compile(applyStep({ optimizer }))(state, sums, hyperOf(seed(1)))
    return flat(await engine.read(result))
  }

  const flat = (tree: unknown): number[] =>
    typeof tree === 'object' && tree !== null && 'values' in tree
      ? Array.from(tree.values as Float32Array)
      : Object.values(tree as object).flatMap(flat)

  it('match the step on the whole batch, for any split into micro-batches', async () => {
    const trainable = begin()
    const step = engine.compile(trainingStep({ ...exact, optimizer }))
    const inputs = hyperOf(seed(1))
    const batch = put(exact.objective.collate(alike) as Batch)
    const whole = flat(await engine.read(step({ trainable, optimizer: optimizer.init(trainable) }, {}, batch, inputs)))
    for (const sizes of [[6], [3, 3], [1, 2, 3], [5, 1], [1, 1, 1, 1, 1, 1]]) {
      const parts = await divided(...sizes)
      expect(parts.length).toBe(whole.length)
      const apart = parts.map((value, i) => Math.abs(value - whole[i]!))
      expect([sizes, Math.max(...apart) < 1e-6]).toEqual([sizes, true])
    }
  })
})

interface MaskedClipping {
  readonly source: string
  readonly maximum: number
  readonly learningRate: number
  readonly momentum: number
  readonly shape: readonly [rows: number, columns: number]
  readonly batch: number
  readonly masks: Readonly<Record<'weight' | 'bias', readonly number[]>>
  readonly inputs: readonly (readonly number[])[]
  readonly targets: readonly (readonly number[])[]
  readonly start: Readonly<Record<'weight' | 'bias', readonly number[]>>
  readonly norms: readonly number[]
  readonly end: Readonly<Record<'weight' | 'bias', readonly number[]>>
}

describe('gradient clipping with masks', () => {
  const golden = JSON.parse(readFileSync('golden/torch-masked-clipping.json', 'utf8')) as MaskedClipping
  const [rows, columns] = golden.shape
  const { batch, masks } = golden
  const regression = {
    ...objective,
    trainingLoss({ params }: { readonly params: Params }, { inputs, targets }: Record<string, Tensor>) {
      const losses = sum(
        square(sub(linear({ 'l.weight': params['weight']!, 'l.bias': params['bias']! }, 'l', inputs!), targets!)),
        1,
      )
      return { losses, weights: onesLike(losses) }
    },
  } as unknown as typeof objective
  const optimizer = chain(
    clipByGlobalNorm(golden.maximum),
    accumulateMomentum(golden.momentum, false),
    scaleByLearningRate(),
  )
  const tensors = ({ weight, bias }: MaskedClipping['start']): Params =>
    engine.put({ weight: floats(weight, [rows, columns]), bias: floats(bias, [rows]) }) as Params

  it.each(['step', 'micro-batches'])(`counts only the elements that train, as ${golden.source}: %s`, async (how) => {
    const weight = masks.weight.flatMap((mask) => new Array<number>(columns).fill(mask))
    const constants = { ...NO_CONSTANTS, masks: tensors({ weight, bias: masks.bias }) }
    const whole = engine.compile(trainingStep({ model, objective: regression, optimizer }))
    const accumulate = engine.compile(accumulateStep({ model, objective: regression }))
    const apply = engine.compile(applyStep({ optimizer }))
    const start = tensors(golden.start)
    let state = { trainable: start, optimizer: optimizer.init(start) }
    for (const [i, norm] of golden.norms.entries()) {
      const given = engine.put({
        inputs: floats(golden.inputs[i]!, [batch, columns]),
        targets: floats(golden.targets[i]!, [batch, rows]),
      }) as never
      const inputs = { ...hyperOf(seed(1)), learningRate: number(golden.learningRate) }
      const sums = () => accumulate(emptyAccumulation(start), state.trainable, {}, given, inputs, constants)
      const result =
        how === 'step' ? whole(state, {}, given, inputs, constants) : apply(state, sums(), inputs, constants)
      expect(((await engine.read(result.gradientNorm)) as HostArray).values[0]).toBeCloseTo(norm, 4)
      state = result.state as typeof state
    }
    expectClose(await engine.read(state.trainable), await engine.read(tensors(golden.end)), 1e-5)
  })
})
