import {
  type Adapted,
  type Engine,
  type HostArray,
  type Model,
  type OnHost,
  type Params,
  type SavedAdapter,
  isAttuneError,
} from '@attune/core'
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
