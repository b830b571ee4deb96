import {
  type AnyPlugin,
  type Encoded,
  type Example,
  type HostArray,
  type ReducedLoss,
  type Mode,
  type Model,
  type Objective,
  type Params,
  type TextInputs,
  isHostArray,
  key,
  leaves,
  mapParams,
  normals,
  shuffled,
  stream,
} from '@attune/core'
import { type Scalar, type Tensor, add, div, mul, sub, sum, tensor } from '@tensorflow/tfjs-core'
import { type TrainingFixture, describeMicroBatches } from './describe-micro-batches.js'
import { describeOptions } from './describe-options.js'
import { describeScheduledObjective } from './describe-scheduled-objective.js'
import { gradientsOf } from './gradients-of.js'
import { referenceEngine } from './reference-engine.js'
import type { DeviceBatch, Ready, Subject } from './objective-subject.js'
import { rejects } from './rejects.js'
import { afterAll, beforeAll, describe, expect, it } from './runner.js'
import { exampleOfRow, textLengths } from './text-lengths.js'
import { tinyModel } from './tiny-model.js'
import { tinyTokenizer } from './tiny-tokenizer.js'
import { withoutPlugins } from './without-plugins.js'

/** Inputs of an objective's suite. */
export interface ObjectiveFixture extends TrainingFixture {
  readonly options?: Readonly<Record<string, unknown>>
  /** Components that the plugin needs; default: a {@link tinyModel} and a {@link tinyTokenizer}. */
  readonly given?: Readonly<Record<string, unknown>> & { readonly model: Model }
  /** At least six labelled examples of different lengths, up to about thirty words. */
  readonly examples: readonly Example[]
  /** Fields that hold the references (default: `label`). */
  readonly references?: readonly string[]
  /** Maximum number of texts of an example that the model encodes in separate rows (default: one). */
  readonly textsPerExample?: number
}

const INFERENCE: Mode = { training: false }

async function* iterate(examples: readonly Example[]): AsyncIterable<Example> {
  for (const example of examples) yield await Promise.resolve(example)
}

const without = (example: Example, fields: readonly string[]): Example =>
  Object.fromEntries(Object.entries(example).filter(([name]) => !fields.includes(name)))

/** At most eight elements, evenly spaced. */
const eight = <T>(all: readonly T[]): readonly T[] => all.filter((_, i) => i % Math.ceil(all.length / 8) === 0)

/** The loss as a function of the trained parameters, the other parameters, and a batch. */
const lossFunction =
  (objective: Objective, model: Model) =>
  (trained: Params, others: Params, batch: DeviceBatch): ReducedLoss => {
    const params = { ...others, ...trained }
    const outputs = model.forward(params, batch.inputs as unknown as TextInputs, INFERENCE)
    const { losses, weights } = objective.loss(objective.head(params, outputs, INFERENCE, batch), batch)
    return { sum: sum(mul(losses, weights)), weight: sum(weights) }
  }

function describeExamples({ plugin, examples, references, textsPerExample, fit, prepare }: Subject): void {
  if (plugin.fit !== undefined)
    it('fits the same options to the same examples in any order, and keeps fitted options', async () => {
      const learned = await fit(examples)
      expect(await fit(shuffled(examples, stream(key(1))))).toEqual(learned)
      const bare = withoutPlugins(learned)
      expect(JSON.parse(JSON.stringify(bare))).toEqual(bare)
      const again = await plugin.fit!(plugin.options.parse(learned), () => iterate(examples.slice(0, 1)))
      expect(again).toEqual(learned)
    })

  it('encodes examples within its maximum length, with or without a reference', async () => {
    const { objective, items } = await prepare()
    const bare = examples.map((example) => objective.encodeUnlabelled(without(example, references)))
    expect(bare.map(({ length }) => length)).toEqual(items.map(({ length }) => length))
    expect(items.filter(({ length }) => !(length > 0 && length <= objective.maximumLength))).toEqual([])
  })

  it('rejects an example without a required field with a code', async () => {
    const { objective } = await prepare()
    for (const field of references)
      expect([field, rejects(() => objective.encode(without(examples[0]!, [field])))]).toEqual([field, true])
    expect(rejects(() => objective.encode({}))).toBe(true)
    expect(rejects(() => objective.encodeUnlabelled({}))).toBe(true)
  })

  it('collates to arrays with the batch, or its packed rows, as first dimension, padded to one length', async () => {
    const { objective, items } = await prepare()
    for (const count of [1, 2, items.length]) {
      const some = items.slice(0, count)
      const batch = objective.collate(some)
      const { attentionMask, segmentIds } = batch.inputs as Record<string, HostArray>
      const [rows, width] = attentionMask!.shape as [number, number]
      expect(rows).toBeLessThanOrEqual(textsPerExample * count)
      const first = textsPerExample > 1 ? [rows, count] : [rows]
      for (const [path, { shape, values }] of leaves(batch, isHostArray)) {
        expect([path, shape[0], first.includes(shape[0]!)]).toEqual([path, shape[0], true])
        expect([path, values.length]).toEqual([path, shape.reduce((product, n) => product * n, 1)])
      }
      expect(width).toBeLessThanOrEqual(objective.maximumLength)
      const lengths = some.map(({ length }) => length)
      const each = textLengths(attentionMask!, segmentIds)
      const tokens =
        textsPerExample === 1
          ? each
          : some.map((_, i) => Math.max(...each.filter((_count, row) => exampleOfRow(batch, count, row) === i)))
      expect(segmentIds === undefined ? tokens : tokens.sort()).toEqual(
        segmentIds === undefined ? lengths : lengths.sort(),
      )
    }
  })
}

function describeLoss({ engine, model, prepare }: Subject): void {
  it('has an additive loss: the parts of a split batch sum to the whole', async () => {
    const { objective, trained, items, lossOf } = await prepare()
    const whole = await lossOf(trained, items)
    expect(whole.weight).toBeGreaterThan(0)
    for (const size of [1, 2, items.length - 1]) {
      let [sum, weight] = [0, 0]
      for (let at = 0; at < items.length; at += size) {
        const part = await lossOf(trained, items.slice(at, at + size))
        ;[sum, weight] = [sum + part.sum, weight + part.weight]
      }
      expect(weight).toBeCloseTo(whole.weight, 4)
      if (objective.comparesExamples !== true)
        expect(Math.abs(sum - whole.sum)).toBeLessThan(1e-4 * Math.max(1, Math.abs(whole.sum)))
    }
  })

  it('matches the gradient of its loss with respect to the head by finite differences', async () => {
    const { objective, trained, body, items, lossOf } = await prepare()
    const loss = lossFunction(objective, model)
    const gradients = engine.compile((h: Params, b: Params, batch: DeviceBatch) =>
      gradientsOf((p) => loss(p, b, batch).sum as Scalar, h),
    )
    const found = (await engine.read(gradients(trained, body, engine.put(objective.collate(items))))) as Record<
      string,
      HostArray
    >
    for (const name of eight(Object.keys(trained)))
      for (let trial = 0; trial < 3; trial++) {
        const next = normals(stream(key(20 + trial)))
        const direction = Float32Array.from(found[name]!.values, next)
        const at = async (by: number): Promise<number> => {
          const step = engine.compile((p: Tensor) => add(p, mul(by, tensor(direction, p.shape))))(trained[name]!)
          return (await lossOf({ ...trained, [name]: step }, items)).sum
        }
        const [ahead, behind] = [await at(0.01), await at(-0.01)]
        const slope = direction.reduce((sum, d, i) => sum + d * found[name]!.values[i]!, 0)
        // The loss has seven significant digits, so its difference quotient is accurate to about 1e-5 of the loss.
        expect(Math.abs((ahead - behind) / 0.02 - slope)).toBeLessThan(
          0.015 * Math.abs(slope) + 2e-5 * Math.abs(ahead) + 1e-3,
        )
      }
  })

  it('has a loss that decreases under gradient descent of the head', async () => {
    const { objective, trained, body, items, lossOf } = await prepare()
    const loss = lossFunction(objective, model)
    const step = engine.compile((h: Params, b: Params, batch: DeviceBatch) => {
      const mean = (p: Params): Scalar => {
        const parts = loss(p, b, batch)
        return div(parts.sum, parts.weight)
      }
      return mapParams((p, g) => sub(p, mul(0.1, g)), h, gradientsOf(mean, h))
    })
    let now = trained
    for (let i = 0; i < 5; i++) now = step(now, body, engine.put(objective.collate(items)))
    expect((await lossOf(now, items)).sum).toBeLessThan((await lossOf(trained, items)).sum)
  })
}

function describeViews({ engine, model, prepare }: Subject): void {
  it('initializes the same head from the same key, with names distinct from the model’s', async () => {
    const { objective, head, body } = await prepare()
    expect(await engine.read(objective.init(key(4)))).toEqual(await engine.read(head))
    expect(Object.keys(head).filter((name) => name in body || name.startsWith(model.prefix))).toEqual([])
  })

  it('returns one prediction per item, the same in any batch, with the declared views', async () => {
    const { objective, head, body, items } = await prepare()
    const infer = engine.compile((h: Params, b: Params, batch: DeviceBatch) =>
      objective.head(
        { ...b, ...h },
        model.forward(b, batch.inputs as unknown as TextInputs, INFERENCE),
        INFERENCE,
        batch,
      ),
    )
    const predict = async (some: readonly Encoded[]) =>
      objective.predict(await engine.read(infer(head, body, engine.put(objective.collate(some)))), some)
    const predictions = await predict(items)
    const references = items.map((item) => objective.reference(item))
    expect(predictions).toHaveLength(items.length)
    expect(objective.views.length).toBeGreaterThan(0)
    for (const views of [...predictions, ...references])
      for (const view of objective.views) expect([view, views[view] === undefined]).toEqual([view, false])
    const turned = [...(await predict([...items].reverse()))].reverse()
    expect(withRounding(turned)).toEqual(withRounding(predictions))
  })

  it('adds JSON-serializable fields to config.json', async () => {
    const { config } = (await prepare()).objective
    expect(JSON.parse(JSON.stringify(config))).toEqual(config)
    expect(config['architectures']).toEqual([expect.any(String)])
  })
}

/** Rounds numbers to four decimals, the agreement of float32 across batches. */
const withRounding = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, v: unknown) => (typeof v === 'number' ? Math.round(v * 1e4) : v)))

/**
 * Contract of an objective: fits the same options to examples in any order; rejects examples without a required field with a code;
 * pads batches to one length; its loss is a sum and a weight that are additive over any division into batches, and its training loss and
 * gradients are the same for any partition into micro-batches, unless it compares examples; the head's gradient matches finite
 * differences and lowers the loss; every prediction and reference has the declared views; and two values of an option that can be
 * scheduled need one program.
 */
export function describeObjective(
  plugin: AnyPlugin,
  { options = {}, given, examples, references = ['label'], textsPerExample = 1, ...training }: ObjectiveFixture,
): void {
  describe(`objective ${plugin.name}`, () => {
    const engine = referenceEngine()
    const needed = given ?? { model: tinyModel(), tokenizer: tinyTokenizer() }
    const { model } = needed
    const fit = async (from: readonly Example[]): Promise<Record<string, unknown>> => {
      const parsed = plugin.options.parse(options)
      return plugin.fit === undefined ? parsed : await plugin.fit(parsed, () => iterate(from))
    }
    const prepare = async (): Promise<Ready> => {
      const objective = plugin(await fit(examples), needed) as Objective
      const loss = engine.compile(lossFunction(objective, model))
      const body = model.init(key(3))
      const head = objective.init(key(4))
      return {
        objective,
        body,
        head,
        trained: Object.keys(head).length > 0 ? head : body,
        items: examples.map((example) => objective.encode(example)),
        lossOf: async (trained, items) => {
          const parts = await engine.read(loss(trained, body, engine.put(objective.collate(items))))
          return { sum: parts.sum.values[0]!, weight: parts.weight.values[0]! }
        },
      }
    }
    const subject: Subject = { plugin, engine, examples, references, textsPerExample, model, fit, prepare }
    beforeAll(() => engine.start())
    afterAll(() => engine.close())
    describeOptions(plugin, options)
    describeExamples(subject)
    describeLoss(subject)
    describeMicroBatches({ ...subject, ...training })
    describeViews(subject)
    describeScheduledObjective({ ...subject, options, dependencies: needed })
  })
}
