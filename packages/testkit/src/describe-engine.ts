import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type AnyPlugin, type Engine, type HostArray, type Tree } from '@attune/core'
import {
  type Scalar,
  type Tensor,
  add,
  cast,
  engine as engineOf,
  matMul,
  mul,
  ones,
  reshape,
  square,
  sub,
  sum,
  tanh,
} from '@tensorflow/tfjs-core'
import { describeOptions } from './describe-options.js'
import { enginePrograms } from './engine-programs.js'
import { expectClose } from './expect-close.js'
import { floats, integers } from './host-array.js'
import { referenceEngine } from './reference-engine.js'
import { afterAll, beforeAll, describe, expect, it } from './runner.js'

/** Settings of an engine's suite. */
export interface EngineSuite {
  readonly options?: Readonly<Record<string, unknown>>
  /** Largest difference from TF.js' JavaScript backend, relative for values above 1; default 2e-5. */
  readonly tolerance?: number
  /** Number of steps after which the engine's memory pool stops growing; default 100. */
  readonly settlesAfter?: number
}

const STEPS = 40

const MORE_STEPS = 400
const WIDTH = 128

/** Resident memory of the process after garbage collection. */
function residentBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().rss
}

/** State of {@link momentumStep}. */
type Momentum = Record<'weight' | 'speed', Tensor>

const SPEED = floats(new Float32Array(WIDTH ** 2), [WIDTH, WIDTH])

/** A gradient descent step that neither converges nor diverges. */
function momentumStep({ weight, speed }: Momentum, x: Tensor): Momentum {
  const [gradient] = engineOf().gradients(
    () => sum(square(tanh(mul(mul(weight, weight), x)))) as Scalar,
    [weight],
  ).grads
  const next = add(mul(speed, 0.9), gradient!)
  return { weight: sub(weight, mul(next, 1e-5)), speed: next }
}

const describeNumbers = (engine: Engine, tolerance: number): void => {
  const reference = referenceEngine()
  describe('matches the TF.js CPU backend:', () => {
    beforeAll(() => reference.start())
    for (const { name, inputs, run } of enginePrograms)
      it(name, async () => {
        const on = async (each: Engine): Promise<Readonly<Record<string, HostArray>>> => {
          const given = each.put(inputs) as Readonly<Record<string, Tensor>>
          const compiled = each.compile(run)
          const result = compiled(given) as Readonly<Record<string, Tensor>>
          const values = (await each.read(result)) as Readonly<Record<string, HostArray>>
          each.release(result)
          each.release(given)
          compiled.dispose()
          return values
        }
        const expected = await on(reference)
        const found = await on(engine)
        expectClose(found, expected, tolerance)
        const types = (values: typeof expected): unknown =>
          Object.entries(values).map(([key, { dtype }]) => [key, dtype])
        expect(types(found)).toEqual(types(expected))
      })
  })
}

const describeMemory = (engine: Engine, settlesAfter: number): void => {
  it('round-trips trees through the device unchanged', async () => {
    const tree = {
      float: floats([-0.5, 3e38], [2, 1]),
      deep: {
        whole: integers([-1, 2 ** 31 - 1, -(2 ** 31)]),
        truth: { shape: [1, 3], dtype: 'bool', values: Uint8Array.of(1, 0, 1) },
        scalar: floats([7], []),
      },
      nothing: {},
      'a/b': integers([4]),
    } as const
    const tensors = engine.put(tree)
    expect(await engine.read(tensors)).toEqual(tree)
    engine.release(tensors)
  })

  it('copies in both directions', async () => {
    const array = floats([1, 2])
    const tensor = engine.put(array)
    array.values[0] = 99
    ;(await engine.read(tensor)).values[1] = 99
    expect([...(await engine.read(tensor)).values]).toEqual([1, 2])
    engine.release(tensor)
  })

  it(`holds as many tensors after ${STEPS} steps as after one, with correct values`, async () => {
    const step = engine.compile(
      (state: { x: Tensor; n: Tensor }, rate: Tensor) => ({
        state: { x: add(state.x, mul(rate, matMul(square(state.x), state.x))), n: add(state.n, 1) },
        norm: square(state.x),
      }),
      { donate: [0] },
    )
    const begin = engine.live()
    const rate = engine.put(floats([1e-3], []))
    let state = engine.put({ x: floats([0.1, -0.2, 0.3, 0.4], [2, 2]), n: floats([0], []) }) as { x: Tensor; n: Tensor }
    const alive: number[] = []
    for (let i = 0; i < STEPS; i++) {
      const result = step(state, rate)
      engine.release(result.norm)
      state = result.state
      alive.push(engine.live())
    }
    expect(new Set(alive).size).toBe(1)
    expect((await engine.read(state.n)).values[0]).toBe(STEPS)
    engine.release(state)
    engine.release(rate)
    expect(engine.live()).toBe(begin)
    step.dispose()
  })

  it(`uses no more memory after ${MORE_STEPS} more steps than after ${settlesAfter}`, async () => {
    const step = engine.compile(momentumStep, { donate: [0, 1] })
    const advance = (state: Momentum, from: number, to: number): Momentum => {
      for (let i = from; i < to; i++) state = step(state, engine.put(floats([Math.cos(i)], [])))
      return state
    }
    const weight = floats(Array.from({ length: WIDTH ** 2 }, Math.sin), [WIDTH, WIDTH])
    let state = advance(engine.put({ weight, speed: SPEED }), 0, settlesAfter)
    await engine.read(state)
    const growths: number[] = []
    for (let time = 0; time < 3; time++) {
      const before = residentBytes()
      state = advance(state, settlesAfter, settlesAfter + MORE_STEPS)
      await engine.read(state)
      growths.push(residentBytes() - before)
    }
    // A leak of one array per step would be 26 MB each time; garbage comes and goes, hence the median.
    const [, middle] = growths.sort((a, b) => a - b)
    expect(middle).toBeLessThan(2.5 * MORE_STEPS * WIDTH ** 2)
    step.dispose()
  })

  it('keeps a donated argument that is returned or shares memory with a result', async () => {
    const [a, b] = [engine.put(floats([1, 2])), engine.put(floats([3, 4]))]
    const run = engine.compile((x: Tensor, y: Tensor) => ({ same: x, shaped: reshape(y, [2, 1]), sum: add(x, y) }), {
      donate: [0, 1],
    })
    const result = run(a, b)
    expectClose(
      await engine.read(result),
      { same: floats([1, 2]), shaped: floats([3, 4], [2, 1]), sum: floats([4, 6]) },
      0,
    )
    engine.release(result)
  })

  it('returns separate tensors for identical results, which are donated and freed independently', async () => {
    const before = engine.live()
    const begin = engine.compile(() => ({ kept: mul(ones([2]), 3), state: mul(ones([2]), 3) }))
    const { kept, state } = begin()
    const run = engine.compile((x: Tensor) => ({ once: add(x, 1), again: add(x, 1) }), { donate: [0] })
    const { once, again } = run(state)
    engine.release(once)
    expectClose(await engine.read({ kept, again }), { kept: floats([3, 3]), again: floats([4, 4]) }, 0)
    engine.release({ kept, again })
    expect(engine.live()).toBe(before)
  })

  it('frees intermediate tensors when a function throws, and keeps its arguments', async () => {
    const x = engine.put(floats([1, 2]))
    const before = engine.live()
    const run = engine.compile(
      (given: Tensor): Tree => {
        add(square(given), cast(given, 'int32'))
        throw new Error('thrown in the middle')
      },
      { donate: [0] },
    )
    expect(() => run(x)).toThrow('thrown in the middle')
    expect(engine.live()).toBe(before)
    expect([...(await engine.read(x)).values]).toEqual([1, 2])
    engine.release(x)
  })

  it('accepts arguments of changing shapes, and results of its own functions', async () => {
    const double = engine.compile((x: Tensor) => mul(x, 2))
    for (const size of [3, 1, 5, 3, 0, 1]) {
      const x = engine.put(floats(Array.from({ length: size }, (_, i) => i)))
      const once = double(x)
      const twice = double(once)
      expect([...(await engine.read(twice)).values]).toEqual(Array.from({ length: size }, (_, i) => 4 * i))
      for (const each of [x, once, twice]) engine.release(each)
    }
    double.dispose()
  })

  it('follows changes of constant arguments, and keeps them', async () => {
    const run = engine.compile((w: Tensor, x: Tensor) => matMul(x, w), { donate: [1], constant: [0] })
    const [w, v] = [engine.put(floats([1, 2, 3, 4], [2, 2])), engine.put(floats([5, 6, 7, 8], [2, 2]))]
    const found: number[][] = []
    for (const given of [w, w, v, w]) {
      const result = run(given, engine.put(floats([1, 10], [1, 2])))
      found.push([...(await engine.read(result)).values])
      engine.release(result)
    }
    expect(found).toEqual([
      [31, 42],
      [31, 42],
      [75, 86],
      [31, 42],
    ])
    run.dispose()
    expect([...(await engine.read(w)).values]).toEqual([1, 2, 3, 4])
    for (const each of [w, v]) engine.release(each)
  })

  it('returns results that outlive their compiled function', async () => {
    const run = engine.compile((x: Tensor) => mul(x, 3))
    const result = run(engine.put(floats([2])))
    run.dispose()
    expect([...(await engine.read(result)).values]).toEqual([6])
  })
}

/**
 * Contract of an engine: matches TF.js' JavaScript backend for every operation that layers, gradients and optimizers use; transfers
 * data to the device and back unchanged; frees donated and intermediate memory, so that steps do not accumulate memory; and
 * restores its state after a failure.
 */
export function describeEngine(
  plugin: AnyPlugin,
  { options = {}, tolerance = 2e-5, settlesAfter = 100 }: EngineSuite = {},
): void {
  describe(`engine ${plugin.name}`, () => {
    const engine = plugin(options) as Engine
    beforeAll(() => engine.start())
    afterAll(() => engine.close())
    describeOptions(plugin, options)

    it('has a device name', () => expect(engine.device).toMatch(/\S/))
    describeMemory(engine, settlesAfter)
    describeNumbers(engine, tolerance)
  })
}
