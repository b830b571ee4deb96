import {
  type AnyPlugin,
  type Engine,
  type HostArray,
  type Key,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  isTensor,
  key,
  leaves,
  mapParams,
} from '@attune/core'
import { normal } from '@attune/nn'
import { optionsFromConfig } from '@attune/weights'
import { type Scalar, type Tensor, add, mul, sum } from '@tensorflow/tfjs-core'
import { describeOptions } from './describe-options.js'
import { itPromises } from './exceptions.js'
import { expectClose } from './expect-close.js'
import { gradientsOf } from './gradients-of.js'
import { floats, integers, textInputs } from './host-array.js'
import { type ModelGolden, describeModelGolden } from './describe-model-golden.js'
import {
  describeCache,
  describeEncoder,
  describeOptional,
  describePooled,
  describeAttention,
} from './describe-model-outputs.js'
import { describeHooks } from './describe-hooks.js'
import { referenceEngine } from './reference-engine.js'
import { afterAll, beforeAll, describe, expect, it } from './runner.js'

/** Model under test, shared by the parts of the suite. */
interface Subject {
  readonly plugin: AnyPlugin
  readonly engine: Engine
  readonly given: Readonly<Record<string, unknown>>
  readonly make: (changed?: Readonly<Record<string, unknown>>) => Model
  readonly init: (from: Key) => Params
  readonly read: (params: Params) => Promise<Record<string, HostArray>>
  /** Runs inference, or training if there is a seed; the result is on the host. */
  readonly run: (params: Params, rows: readonly (readonly number[])[], options?: RunOptions) => Promise<Outputs>
}

interface RunOptions {
  readonly length?: number
  readonly pad?: number
  readonly seed?: readonly [number, number]
}

type Step = { readonly seed?: Tensor }

interface Outputs {
  readonly lastHiddenState: HostArray
  readonly pooled: HostArray
}

const ROWS = [
  [7, 3, 9, 4, 12],
  [5, 8],
  [11, 2, 6, 17, 3, 19, 1],
] as const
const INFERENCE: Mode = { training: false }

const shapesOf = (params: Params): Record<string, string> => mapParams((p) => `${p.dtype} [${p.shape.join()}]`, params)

/** The first `tokens` hidden states of a row. */
function statesOf({ shape, values }: HostArray, row: number, tokens: number): HostArray {
  const [, length, hidden] = shape as [number, number, number]
  return floats(values.subarray(row * length * hidden, (row * length + tokens) * hidden))
}

/** Pooled output of a row. */
const pooledOf = ({ shape, values }: HostArray, row: number): HostArray =>
  floats(values.subarray(row * shape[1]!, (row + 1) * shape[1]!))

function describeParameters({ engine, make, init, read }: Subject): void {
  it('has the same parameter names and shapes for every key, including its word embeddings, under its prefix', () => {
    const [a, b] = [init(key(1)), init(key(2))]
    expect(shapesOf(a)).toEqual(shapesOf(b))
    expect(Object.keys(a)).toContain(make().wordEmbeddings)
    expect(make().wordEmbeddings.startsWith(make().prefix)).toBe(true)
    engine.release({ a, b })
  })

  it('initializes the same parameters from the same key, others from another key, and no two alike', async () => {
    const [once, twice, other] = [await read(init(key(1))), await read(init(key(1))), await read(init(key(2)))]
    expect(twice).toEqual(once)
    const random = Object.values(once).filter(({ values }) => new Set(values).size > values.length / 2)
    expect(random.length).toBeGreaterThan(0)
    expect(new Set(random.map(({ values }) => values.slice(-4).join())).size).toBe(random.length)
    const same = Object.keys(once).filter((name) => String(once[name]!.values) === String(other[name]!.values))
    expect(same.length).toBe(Object.keys(once).length - random.length)
  })

  it('assigns every parameter to exactly one layer group, with groups in depth order', () => {
    const { layers } = make()
    const params = init(key(1))
    const names = Object.keys(params)
    for (const name of names) {
      const groups = layers.filter(({ prefixes }) => prefixes.some((prefix) => name.startsWith(prefix)))
      expect([name, groups.map((group) => group.name)]).toEqual([name, [expect.any(String)]])
    }
    // A prefix `layer.1` would match the parameters of `layer.10` too.
    expect(layers.flatMap(({ prefixes }) => prefixes).filter((prefix) => /\d$/.test(prefix))).toEqual([])
    // Each layer stack is numbered from 0.
    const stacks = new Map<string, number[]>()
    for (const [, stack, number] of layers.flatMap(({ prefixes }) => prefixes.map((p) => /^(\D*)(\d+)/.exec(p) ?? [])))
      if (stack !== undefined) stacks.set(stack, [...(stacks.get(stack) ?? []), Number(number)])
    for (const counted of stacks.values()) expect(counted).toEqual([...counted].sort((a, b) => a - b))
    expect(layers.filter(({ prefixes }) => !prefixes.some((p) => names.some((n) => n.startsWith(p))))).toEqual([])
    expect(layers[0]!.prefixes.some((prefix) => make().wordEmbeddings.startsWith(prefix))).toBe(true)
    engine.release(params)
  })
}

function describeForward({ engine, make, init, read, run }: Subject): void {
  it('is pure: returns the same bits for the same input and does not modify it', async () => {
    const params = init(key(1))
    const before = await read(params)
    expect(await run(params, ROWS)).toEqual(await run(params, ROWS))
    expect(await read(params)).toEqual(before)
  })

  it('returns finite outputs of the declared shapes: one text, one token, the maximum length', async () => {
    const { hiddenSize, maximumLength } = make()
    const params = init(key(1))
    for (const [rows, length] of [
      [1, 1],
      [1, 5],
      [3, 1],
      [2, maximumLength],
    ] as const) {
      const texts = Array.from({ length: rows }, (_, i) => Array.from({ length }, (_, j) => 1 + ((i + 3 * j) % 19)))
      const { lastHiddenState, pooled } = await run(params, texts)
      expect(lastHiddenState.shape).toEqual([rows, length, hiddenSize])
      expect(pooled.shape).toEqual([rows, hiddenSize])
      expect([...lastHiddenState.values, ...pooled.values].filter((x) => !Number.isFinite(x))).toEqual([])
    }
  })

  it('returns the same outputs for any amount and content of padding', async () => {
    const params = init(key(1))
    const plain = await run(params, ROWS)
    for (const options of [{ length: make().maximumLength }, { length: 9, pad: 18 }]) {
      const padded = await run(params, ROWS, options)
      expectClose(padded.pooled, plain.pooled, 1e-5)
      for (const [i, { length }] of ROWS.entries())
        expectClose(statesOf(padded.lastHiddenState, i, length), statesOf(plain.lastHiddenState, i, length), 1e-5)
    }
  })

  it('returns the same outputs for a text anywhere in a batch, and alone', async () => {
    const params = init(key(1))
    const plain = await run(params, ROWS)
    const turned = await run(params, [...ROWS].reverse())
    for (const [i, row] of ROWS.entries()) {
      const alone = await run(params, [row])
      for (const [found, at] of [
        [turned, ROWS.length - 1 - i],
        [alone, 0],
      ] as const) {
        const states = (outputs: Outputs, index: number) => ({
          states: statesOf(outputs.lastHiddenState, index, row.length),
          pooled: pooledOf(outputs.pooled, index),
        })
        expectClose(states(found, at), states(plain, i), 1e-5)
      }
    }
  })

  it('frees all tensors except its outputs', async () => {
    const params = init(key(1))
    await run(params, ROWS)
    const before = engine.live()
    await run(params, ROWS)
    expect(engine.live()).toBe(before)
    engine.release(params)
    expect(engine.live()).toBe(before - leaves(params, isTensor).length)
  })
}

/** True if a parameter belongs to a frozen encoder inside the model. */
const isFrozen = ({ encoder }: Model, name: string): boolean => encoder !== undefined && name.startsWith(encoder.prefix)

function describeTraining({ plugin, engine, make, init, read, run }: Subject): void {
  const dropout = { kept: 'applies keyed dropout in training only', excused: 'has no dropout' }
  itPromises(plugin, 'dropout', dropout, async (without) => {
    const params = init(key(1))
    const plain = await run(params, ROWS)
    const trained = await run(params, ROWS, { seed: [1, 2] })
    expect(await run(params, ROWS, { seed: [1, 2] })).toEqual(trained)
    if (without !== undefined) return expect(trained).toEqual(plain)
    expect(trained).not.toEqual(plain)
    expect(await run(params, ROWS, { seed: [3, 4] })).not.toEqual(trained)
  })

  const gradients = { kept: 'has a finite gradient for every parameter', excused: 'lacks gradients' }
  itPromises(plugin, 'gradients', gradients, async (excused) => {
    const params = init(key(1))
    const found = await read(gradientsIn({ engine, make }, params, INFERENCE))
    const names = Object.keys(found).sort()
    expect(names).toEqual(Object.keys(params).sort())
    expect(names.filter((name) => !found[name]!.values.every(Number.isFinite))).toEqual([])
    const none = names.filter((name) => found[name]!.values.every((g) => g === 0))
    const frozen = names.filter((name) => isFrozen(make(), name))
    expect(none.filter((name) => frozen.includes(name))).toEqual(frozen)
    expect(none.length > frozen.length).toBe(excused !== undefined)
  })

  it('has the same gradients with gradient checkpointing', async () => {
    const params = init(key(1))
    const step = { seed: engine.put(integers([1, 2])) as Tensor, stream: 0 }
    const found = (gradientCheckpointing: boolean): ReturnType<typeof read> =>
      read(gradientsIn({ engine, make }, params, { training: true, key: step, gradientCheckpointing }))
    expectClose(await found(true), await found(false), 1e-5)
  })
}

/** Gradients of a random projection of all outputs with respect to every parameter. */
function gradientsIn({ engine, make }: Pick<Subject, 'engine' | 'make'>, params: Params, mode: Mode): Params {
  const model = make()
  const weigh = (x: Tensor): Tensor => sum(mul(x, normal(key(5), x.shape, 1)))
  const gradients = engine.compile((inputs: TextInputs) =>
    gradientsOf((p) => {
      const { lastHiddenState, pooled } = model.forward(p, inputs, mode)
      return add(weigh(lastHiddenState), weigh(pooled)) as Scalar
    }, params),
  )
  return gradients(engine.put(textInputs(ROWS)) as TextInputs)
}

function describeConfig({ plugin, engine, given, make, init, run }: Subject): void {
  it('is restored from its config.json', async () => {
    const config = JSON.parse(JSON.stringify(make().config)) as Record<string, unknown>
    expect(config['model_type']).toMatch(/\w/)
    const again = plugin(optionsFromConfig(plugin.options, config), given) as Model
    expect(again.config).toEqual(make().config)
    const params = init(key(1))
    expect(shapesOf(again.init(key(1)))).toEqual(shapesOf(params))
    const twin = engine.compile((p: Params, inputs: TextInputs) => again.forward(p, inputs, INFERENCE))
    expect(await engine.read(twin(params, engine.put(textInputs(ROWS))))).toEqual(await run(params, ROWS))
  })

  it('declares a valid head dropout, initializer range and hidden size', () => {
    const { headDropout, initializerRange, hiddenSize } = make()
    expect([typeof headDropout, Number(headDropout) >= 0 && Number(headDropout) < 1]).toEqual(['number', true])
    expect(initializerRange).toBeGreaterThan(0)
    expect(Number.isInteger(hiddenSize)).toBe(true)
  })
}

/** Inputs of a model's suite. */
export interface ModelFixture {
  readonly options?: Readonly<Record<string, unknown>>
  /** Components that the plugin needs. */
  readonly given?: Readonly<Record<string, unknown>>
  readonly goldens?: readonly ModelGolden[]
}

/**
 * Contract of a text model. `options` configure a small one with dropout, a vocabulary of 20 tokens or more and a maximum length
 * of 9 or more; `goldens` hold weights, inputs and the outputs of another library. A model without dropout states
 * `exceptions: { dropout: reason }` in its manifest; one with parameters that no output depends on, `gradients`.
 */
export function describeModel(plugin: AnyPlugin, { options = {}, given = {}, goldens = [] }: ModelFixture = {}): void {
  describe(`model ${plugin.name}`, () => {
    const engine = referenceEngine()
    const make = (changed: Readonly<Record<string, unknown>> = {}): Model =>
      plugin({ ...options, ...changed }, given) as Model
    const run: Subject['run'] = async (params, rows, { length, pad, seed } = {}) => {
      const modeOf = ({ seed: drawn }: Step): Mode =>
        drawn === undefined ? INFERENCE : { training: true, key: { seed: drawn, stream: 0 } }
      const forward = engine.compile(
        (p: Params, inputs: TextInputs, step: Step) => make().forward(p, inputs, modeOf(step)),
        { donate: [1, 2] },
      )
      const step = engine.put(seed === undefined ? {} : { seed: integers(seed) }) as Step
      const outputs = forward(params, engine.put(textInputs(rows, length, pad)), step)
      const found = await engine.read(outputs)
      engine.release(outputs)
      return found as unknown as Outputs
    }
    const read: Subject['read'] = async (params) => (await engine.read(params)) as Record<string, HostArray>
    const subject: Subject = { plugin, engine, given, make, run, read, init: (from) => make().init(from) }
    beforeAll(() => engine.start())
    afterAll(() => engine.close())
    describeOptions(plugin, options)
    describeParameters(subject)
    describeForward(subject)
    describeTraining(subject)
    describeConfig(subject)
    const suites = [describePooled, describeOptional, describeAttention, describeHooks, describeEncoder, describeCache]
    for (const part of suites) part(subject)
    for (const golden of goldens) describeModelGolden(subject, golden)
  })
}
