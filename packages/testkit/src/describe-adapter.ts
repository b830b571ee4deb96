import {
  type Adapted,
  type Adapter,
  type AnyPlugin,
  type Model,
  type Params,
  type SavedAdapter,
  type TextInputs,
  isTensor,
  key,
  leaves,
  mapParams,
  normals,
  stream,
} from '@attune/core'
import { type Scalar, type Tensor, add, sum, tensor } from '@tensorflow/tfjs-core'
import { adapterPass } from './adapter-pass.js'
import { describeOptions } from './describe-options.js'
import { type AdapterSubject, describeMasks, describeSaved, describeWrapped } from './describe-adapter-members.js'
import { itPromises } from './exceptions.js'
import { expectClose } from './expect-close.js'
import { gradientsOf } from './gradients-of.js'
import { textInputs } from './host-array.js'
import { referenceEngine } from './reference-engine.js'
import { afterAll, beforeAll, describe, expect, it } from './runner.js'
import { tinyModel } from './tiny-model.js'
import { tinyTokenizer } from './tiny-tokenizer.js'

const ROWS = [
  [7, 3, 9, 4, 12],
  [5, 8],
  [11, 2, 6, 17, 3, 19, 1],
] as const

/** Adds reproducible normal noise to parameters, to simulate training. */
const perturbed = (params: Params, by: number): Params => {
  const next = normals(stream(key(8)))
  return mapParams(
    (p) =>
      add(
        p,
        tensor(
          Float32Array.from({ length: p.size }, () => by * next()),
          p.shape,
        ),
      ),
    params,
  )
}

/** Types of the members that save an adapter. */
const savedMembers = ({ tensors, config }: Adapted): readonly string[] => [typeof tensors, typeof config]

const shapesOf = (params: Params): Record<string, string> => mapParams((p) => `${p.dtype} [${p.shape.join()}]`, params)

/** The plugin with fewer exceptions. */
function withoutExceptions(plugin: AnyPlugin, without: readonly string[]): AnyPlugin {
  if (without.length === 0) return plugin
  const exceptions = Object.fromEntries(
    Object.entries(plugin.exceptions ?? {}).filter(([name]) => !without.includes(name)),
  )
  const { name, kind, summary, options, needs = {} } = plugin
  return Object.defineProperties((...input: unknown[]): unknown => plugin(...input), {
    ...Object.getOwnPropertyDescriptors({ kind, summary, options, needs, exceptions }),
    name: { value: name },
  }) as AnyPlugin
}

/**
 * Contract of an adapter, tested on `model` (default: {@link tinyModel}). Trainable and frozen parameters are disjoint and mergedOutputs
 * parametrize a model that computes the function of the base model. Merging returns the base model's parameters, and after
 * training the same function in the base model's form. The result depends only on the model, the parameters and the options. An
 * adapter that changes the function from the start states `exceptions: { initialFunction: reason }` in its manifest; one that cannot be
 * merged exactly, or not at all, `merge`; without a merge, it must be able to be saved. An adapter that chooses parameters by
 * statistics receives a pass over three rows.
 * @param fixture `without`: exceptions of the manifest that do not apply with these options
 */
export function describeAdapter(
  given: AnyPlugin,
  {
    options = {},
    model = tinyModel(),
    without = [],
  }: {
    readonly options?: Readonly<Record<string, unknown>>
    readonly model?: Model
    readonly without?: readonly ('initialFunction' | 'merge')[]
  } = {},
): void {
  const plugin = withoutExceptions(given, without)
  describe(`adapter ${plugin.name}`, () => {
    const engine = referenceEngine()
    const [initial, inexact] = [plugin.exceptions?.['initialFunction'], plugin.exceptions?.['merge']]
    const make = (): Adapter => plugin(options, { engine, randomness: key(3), tokenizer: tinyTokenizer() }) as Adapter
    let params: Params
    let adapted: Adapted
    const adapt = (of: Params, saved?: SavedAdapter) =>
      make().adapt(model, of, { pass: adapterPass(engine, model, of, ROWS), ...(saved === undefined ? {} : { saved }) })
    const outputs = (of: Model, p: Params) =>
      engine.read(
        engine.compile((q: Params, inputs: TextInputs) => of.forward(q, inputs, { training: false }))(
          p,
          engine.put(textInputs(ROWS)),
        ),
      )
    const subject: AdapterSubject = {
      engine,
      model,
      adapt: (saved) => adapt(params, saved),
      outputs,
      adapted: () => adapted,
      perturbed,
      condensed: plugin.exceptions?.['saved'],
    }
    beforeAll(async () => {
      await engine.start()
      params = model.init(key(1))
      adapted = await adapt(params)
    })
    afterAll(() => engine.close())
    describeOptions(plugin, options)

    it('has trainable parameters, none of which is frozen', () => {
      const trained = Object.keys(adapted.trainable)
      expect(trained.length).toBeGreaterThan(0)
      expect(trained.filter((name) => Object.hasOwn(adapted.frozen, name))).toEqual([])
    })

    itPromises(
      plugin,
      'initialFunction',
      {
        kept: 'initially computes the same function as the base model',
        excused: 'initially differs from the base model',
      },
      async () => {
        const before = await outputs(model, params)
        const after = await outputs(adapted.model, { ...adapted.frozen, ...adapted.trainable })
        if (initial === undefined) return expectClose(after, before, 1e-6)
        expect(after).not.toEqual(before)
      },
    )

    it('is deterministic: adapts the same parameters in the same way', async () => {
      const again = await adapt(params)
      expect(await engine.read(again.trainable)).toEqual(await engine.read(adapted.trainable))
      expect(Object.keys(again.frozen)).toEqual(Object.keys(adapted.frozen))
    })

    it('reads the frozen parameters passed to forward and merge', async () => {
      const floating = Object.entries(adapted.frozen).filter(([, { dtype }]) => dtype === 'float32')
      if (floating.length === 0) return expect(adapted.frozen).toEqual({})
      const frozen = { ...adapted.frozen, ...perturbed(Object.fromEntries(floating), 0.05) }
      const before = await outputs(adapted.model, { ...adapted.frozen, ...adapted.trainable })
      const after = await outputs(adapted.model, { ...frozen, ...adapted.trainable })
      expect(after).not.toEqual(before)
      if (adapted.merge === undefined) return
      const merged = engine.compile(adapted.merge)(adapted.trainable, frozen)
      if (inexact === undefined) expectClose(await outputs(model, merged), after, 1e-4)
    })

    it('has a finite, non-zero gradient for every trainable parameter', async () => {
      const gradients = engine.compile((trainable: Params, frozen: Params, inputs: TextInputs) =>
        gradientsOf((t) => {
          const { lastHiddenState, pooled } = adapted.model.forward({ ...frozen, ...t }, inputs, { training: false })
          return add(sum(add(lastHiddenState, 1).square()), sum(add(pooled, 1).square())) as Scalar
        }, trainable),
      )
      const found = await engine.read(
        gradients(perturbed(adapted.trainable, 0.1), adapted.frozen, engine.put(textInputs(ROWS))),
      )
      const idle = Object.entries(found as Record<string, { values: Float32Array }>).filter(
        ([, { values }]) => !values.every(Number.isFinite) || values.every((g) => g === 0),
      )
      expect(idle.map(([name]) => name)).toEqual([])
    })

    it('assigns every parameter to exactly one layer group', () => {
      for (const name of Object.keys({ ...adapted.frozen, ...adapted.trainable })) {
        const groups = adapted.model.layers.filter(({ prefixes }) => prefixes.some((prefix) => name.startsWith(prefix)))
        expect([name, groups.map((group) => group.name)]).toEqual([name, [expect.any(String)]])
      }
    })

    it('merges untrained parameters to the parameters of the base model, or can be saved beside it', async () => {
      if (adapted.merge === undefined) return expect(savedMembers(adapted)).toEqual(['function', 'object'])
      const merged = engine.compile(adapted.merge)(adapted.trainable, adapted.frozen)
      expect(shapesOf(merged)).toEqual(shapesOf(params))
      if (initial === undefined) expectClose(await engine.read(merged), await engine.read(params), 1e-6)
    })

    itPromises(
      plugin,
      'merge',
      { kept: 'computes the same function merged as adapted', excused: 'cannot be merged exactly' },
      async () => {
        if (adapted.merge === undefined) return expect(inexact).toEqual(expect.any(String))
        const trained = perturbed(adapted.trainable, 0.05)
        const before = await engine.read({ trained, frozen: adapted.frozen })
        const merged = engine.compile(adapted.merge)(trained, adapted.frozen)
        expect(shapesOf(merged)).toEqual(shapesOf(params))
        const adaptedOutputs = await outputs(adapted.model, { ...adapted.frozen, ...trained })
        expect(adaptedOutputs).not.toEqual(await outputs(model, params))
        const mergedOutputs = await outputs(model, merged)
        if (inexact === undefined) expectClose(mergedOutputs, adaptedOutputs, 1e-4)
        else expect(mergedOutputs).not.toEqual(adaptedOutputs)
        expect(await engine.read({ trained, frozen: adapted.frozen })).toEqual(before)
      },
    )

    describeMasks(subject)
    describeWrapped(subject)
    describeSaved(subject)

    it('allocates no tensors other than its parameters, masks and choice', async () => {
      const before = engine.live()
      const original = model.init(key(2))
      const { trainable, frozen, masks = {}, choice = {} } = await adapt(original)
      const own = { original, trainable, frozen, masks, choice }
      const all = new Set<Tensor>(leaves(own, isTensor).map(([, leaf]) => leaf))
      expect(engine.live()).toBe(before + all.size)
      engine.release(own)
      expect(engine.live()).toBe(before)
    })
  })
}
