import { expect, it } from '@jest/globals'
import {
  type Adapted,
  type Adapter,
  type Engine,
  type HostArray,
  type Model,
  type OnHost,
  type Params,
  type SavedAdapter,
  isAttuneError,
} from '@attune/core'

/** What these parts of an adapter's suite need. */
export interface AdapterSubject {
  readonly engine: Engine
  readonly model: Model
  readonly made: () => Adapter
  readonly params: () => Params
  readonly adapted: () => Adapted
  readonly moved: (params: Params, by: number) => Params
  readonly outputs: (of: Model, params: Params) => Promise<unknown>
}

const read = async (engine: Engine, params: Params): Promise<Record<string, HostArray>> =>
  (await engine.read(params)) as OnHost<Params> as Record<string, HostArray>

/** Masks are for trainable parameters, of their shapes, and hold 0 and 1. */
export function describeMasks({ engine, adapted }: AdapterSubject): void {
  it('masks trainable parameters only, with 0 and 1 in their shapes', async () => {
    const { trainable, masks = {} } = adapted()
    for (const [name, { shape, dtype, values }] of Object.entries(await read(engine, masks))) {
      expect([name, dtype, shape]).toEqual([name, 'float32', trainable[name]?.shape])
      expect([name, [...values].filter((value) => value !== 0 && value !== 1)]).toEqual([name, []])
      expect([name, [...values].includes(1)]).toEqual([name, true])
    }
  })
}

/** The error of a saved adapter that must not be taken. */
async function refusal({ made, model, params }: AdapterSubject, saved: SavedAdapter): Promise<unknown> {
  try {
    await made().adapt(model, params(), { saved })
  } catch (error) {
    return isAttuneError(error) ? 'AttuneError' : error
  }
  return 'nothing was thrown'
}

/** What an adapter saves it starts from; what is not of its making it refuses. */
export function describeSaved(subject: AdapterSubject): void {
  const { engine, model, made, params, adapted, moved, outputs } = subject
  /** The adapter as after some training, on the host; undefined if it has no files. */
  const trained = async () => {
    const { config, tensors, trainable } = adapted()
    expect(tensors === undefined).toBe(config === undefined)
    if (config === undefined || tensors === undefined) return undefined
    const own = moved(trainable, 0.05)
    return { own, config: JSON.parse(JSON.stringify(config)) as typeof config, host: await read(engine, tensors(own)) }
  }

  it('starts from what it saved: the same parameters, function and configuration', async () => {
    const saved = await trained()
    if (saved === undefined) return
    const { own, config, host } = saved
    expect(config['peft_type']).toMatch(/^[A-Z0-9_]+$/)
    expect(Object.keys(host).filter((name) => !name.startsWith('base_model.model.'))).toEqual([])
    const again = await made().adapt(model, params(), { saved: { config, tensors: engine.put(host) as Params } })
    const byName = (from: Record<string, HostArray>) => Object.fromEntries(Object.entries(from).sort())
    expect(byName(await read(engine, again.trainable))).toEqual(byName(await read(engine, own)))
    expect(again.config).toEqual(config)
    const { frozen } = adapted()
    expect(await outputs(again.model, { ...again.frozen, ...again.trainable })).toEqual(
      await outputs(adapted().model, { ...frozen, ...own }),
    )
    expect(await read(engine, engine.compile(again.merge)(again.trainable, again.frozen) as Params)).toEqual(
      await read(engine, engine.compile(adapted().merge)(own, frozen) as Params),
    )
  })

  it('refuses a saved adapter of another method, and tensors that are missing, unknown or of another shape', async () => {
    const saved = await trained()
    if (saved === undefined) return
    const { config, host } = saved
    const refusedWith = (tensors: Record<string, HostArray>, settings = config) =>
      refusal(subject, { config: settings, tensors: engine.put(tensors) as Params })
    const found: Record<string, unknown> = {
      method: await refusedWith(host, { ...config, peft_type: 'NO_SUCH_METHOD' }),
      unknown: await refusedWith({ ...host, 'base_model.model.no.such.layer': Object.values(host)[0]! }),
      empty: await refusedWith({}),
    }
    for (const [name, array] of Object.entries(host)) {
      const { [name]: left, ...rest } = host
      found[`without ${name}`] = await refusedWith(rest)
      const flat = { ...left!, shape: [array.values.length, 1, 1] }
      found[`${name} of another shape`] = await refusedWith({ ...host, [name]: flat })
    }
    expect(Object.entries(found).filter(([, error]) => error !== 'AttuneError')).toEqual([])
  })
}
