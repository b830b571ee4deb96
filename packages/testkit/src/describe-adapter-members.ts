import {
  type Adapted,
  type Engine,
  type HostArray,
  type Hyper,
  type Model,
  type OnHost,
  type Params,
  type SavedAdapter,
  type Tree,
  isAttuneError,
  isTensor,
  leaves,
} from '@attune/core'
import { chain, scaleByLearningRate } from '@attune/nn'
import { scalar, tensor1d } from '@tensorflow/tfjs-core'
import { expect, it } from './runner.js'

/** Adapter under test, shared by the parts of the suite. */
export interface AdapterSubject {
  readonly engine: Engine
  readonly model: Model
  readonly adapt: (saved?: SavedAdapter) => Adapted | Promise<Adapted>
  readonly adapted: () => Adapted
  readonly perturbed: (params: Params, by: number) => Params
  readonly outputs: (of: Model, params: Params) => Promise<unknown>
  /** The reason of the exception `saved`, if the plugin states it. */
  readonly condensed: string | undefined
}

const read = async (engine: Engine, params: Params): Promise<Record<string, HostArray>> =>
  (await engine.read(params)) as OnHost<Params> as Record<string, HostArray>

/** Tests the masks: of trainable parameters, in their shapes, with values 0 and 1. */
export function describeMasks({ engine, adapted }: AdapterSubject): void {
  it('returns masks of trainable parameters only, of their shapes, with values 0 and 1', async () => {
    const { trainable, masks = {} } = adapted()
    for (const [name, { shape, dtype, values }] of Object.entries(await read(engine, masks))) {
      expect([name, dtype, shape]).toEqual([name, 'float32', trainable[name]?.shape])
      expect([name, [...values].filter((value) => value !== 0 && value !== 1)]).toEqual([name, []])
      expect([name, [...values].includes(1)]).toEqual([name, true])
    }
  })
}

/** Tests a wrapped optimizer over two steps: the names and shapes of its updates and of its state stay. */
export function describeWrapped({ engine, adapted, perturbed }: AdapterSubject): void {
  it('wraps an optimizer so that its updates and its state keep their names and shapes', async () => {
    const { trainable, wrapOptimizer } = adapted()
    if (wrapOptimizer === undefined) return
    const optimizer = wrapOptimizer(chain(scaleByLearningRate()))
    const shapes = (tree: Tree) => leaves(tree, isTensor).map(([path, { shape }]) => [path, shape] as const)
    const byName = (tree: Tree) => Object.fromEntries(shapes(tree))
    const update = engine.compile((params: Params, state: Tree, grads: Params, hyper: Hyper) =>
      optimizer.update(grads, state, params, hyper),
    )
    let state: Tree = optimizer.init(trainable)
    const first = byName(state)
    for (const step of [1, 2]) {
      const numbers = { learningRate: scalar(0.1), step: scalar(step), steps: scalar(2) }
      const hyper = { ...numbers, seed: tensor1d([1, 2], 'int32'), scheduled: {} }
      const next = update(perturbed(trainable, 0.1), state, perturbed(trainable, 0.2), hyper)
      expect(byName(next.updates)).toEqual(byName(trainable))
      expect(byName(next.state)).toEqual(first)
      state = next.state
    }
    const flat = Object.fromEntries(leaves(state, isTensor)) as Params
    for (const { values } of Object.values(await read(engine, flat)))
      expect([...values].filter((value) => !Number.isFinite(value))).toEqual([])
  })
}

/** Returns the error with which a saved adapter is rejected. */
async function rejection({ adapt }: AdapterSubject, saved: SavedAdapter): Promise<unknown> {
  try {
    await adapt(saved)
  } catch (error) {
    return isAttuneError(error) ? 'AttuneError' : error
  }
  return 'nothing was thrown'
}

/** Tests saving and loading: an adapter is restored from its saved state and rejects invalid ones. */
export function describeSaved(subject: AdapterSubject): void {
  const { engine, adapt, adapted, perturbed, outputs, condensed } = subject
  /** The adapter on the host as if after training; `undefined` if it cannot be saved. */
  const trained = async () => {
    const { config, tensors, trainable } = adapted()
    expect(tensors === undefined).toBe(config === undefined)
    if (config === undefined || tensors === undefined) return undefined
    const own = perturbed(trainable, 0.05)
    return { own, config: JSON.parse(JSON.stringify(config)) as typeof config, host: await read(engine, tensors(own)) }
  }

  it('restores the same parameters, function and configuration from a saved adapter', async () => {
    const saved = await trained()
    if (saved === undefined) return
    const { own, config, host } = saved
    expect(config['peft_type']).toMatch(/^[A-Z0-9_]+$/)
    expect(Object.keys(host).filter((name) => !/^(base_model\.|prompt_embeddings$)/.test(name))).toEqual([])
    const again = await adapt({ config, tensors: engine.put(host) as Params })
    const byName = <T>(from: Readonly<Record<string, T>>) => Object.fromEntries(Object.entries(from).sort())
    const restored = byName(await read(engine, again.trainable))
    if (condensed === undefined) expect(restored).toEqual(byName(await read(engine, own)))
    expect(again.config).toEqual(config)
    const { frozen } = adapted()
    expect(await outputs(again.model, { ...again.frozen, ...again.trainable })).toEqual(
      await outputs(adapted().model, { ...frozen, ...own }),
    )
    if (again.merge === undefined || adapted().merge === undefined) return expect(again.merge).toBe(adapted().merge)
    expect(await read(engine, engine.compile(again.merge)(again.trainable, again.frozen) as Params)).toEqual(
      await read(engine, engine.compile(adapted().merge!)(own, frozen) as Params),
    )
  })

  it('rejects a saved adapter of another method, and missing, unknown or misshapen tensors', async () => {
    const saved = await trained()
    if (saved === undefined) return
    const { config, host } = saved
    const rejectionOf = (tensors: Record<string, HostArray>, settings = config) =>
      rejection(subject, { config: settings, tensors: engine.put(tensors) as Params })
    const found: Record<string, unknown> = {
      method: await rejectionOf(host, { ...config, peft_type: 'NO_SUCH_METHOD' }),
      unknown: await rejectionOf({ ...host, 'base_model.model.no.such.layer': Object.values(host)[0]! }),
      empty: await rejectionOf({}),
    }
    for (const [name, array] of Object.entries(host)) {
      const { [name]: left, ...rest } = host
      found[`without ${name}`] = await rejectionOf(rest)
      const flat = { ...left!, shape: [array.values.length, 1, 1] }
      found[`${name} of another shape`] = await rejectionOf({ ...host, [name]: flat })
    }
    expect(Object.entries(found).filter(([, error]) => error !== 'AttuneError')).toEqual([])
  })
}
