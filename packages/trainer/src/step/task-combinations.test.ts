import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  ADAPTER,
  type Adapted,
  type Adapter,
  type Batch,
  ENGINE,
  type Engine,
  type HostArray,
  type HostTree,
  OBJECTIVE,
  type Objective,
  type OnDevice,
  type Params,
  REGULARIZER,
  type Regularizer,
  key,
} from '@attune/core'
import { normal, withoutPrefix } from '@attune/nn'
import { chosenPlugin, expectClose, floats, tinyClassification, tinyTokenizer } from '@attune/testkit'
import { add } from '@tensorflow/tfjs-core'
import { installed } from '../run/installed.test.fixture.js'
import { lossAndGradients } from './training-step.js'
import { descent, hyperOf, quietModel } from './tiny.test.fixture.js'
import { compileStep } from './compiled-step.js'
import { NO_CONSTANTS } from './loss-function.js'

type OnHost = Readonly<Record<string, HostArray>>

const [onnxruntime, multiTask, lora, ...regularizers] = await Promise.all([
  installed(ENGINE, 'onnxruntime'),
  installed(OBJECTIVE, 'multi-task'),
  installed(ADAPTER, 'lora'),
  installed(REGULARIZER, 'fgm'),
  installed(REGULARIZER, 'freelb'),
])
const engine = onnxruntime({ device: 'cpu', threads: 1 }) as Engine
const model = quietModel()
beforeAll(() => engine.start())
afterAll(() => engine.close())

const given = { model, tokenizer: tinyTokenizer() }
const TASKS = ['topic', 'tone']
const labels = ['no', 'yes']
const task = (label: string) => chosenPlugin(tinyClassification, { label, labels })
const tasks = { topic: task('topic'), tone: task('tone') }
const multi = (options: object): Objective => multiTask({ tasks, ...options }, given) as Objective
const ROWS = [
  { task: 'topic', text: 'a chair', topic: 'yes' },
  { task: 'tone', text: 'fine', tone: 'no' },
  { task: 'topic', text: 'the lamp', topic: 'no' },
  { task: 'tone', text: 'it broke', tone: 'yes' },
  { task: 'tone', text: 'no', tone: 'yes' },
]
const batchOf = (objective: Objective, rows = ROWS, random: (() => number) | undefined = () => 0) =>
  engine.put(
    objective.collate(rows.map((row) => objective.encode(row)) as never, random) as HostTree,
  ) as OnDevice<Batch>

/** Parameters under LoRA, moved from zero where they start there. */
async function adapted(objective: Objective) {
  const initial = engine.compile(() => ({ ...model.init(key(1)), ...objective.init(key(2)) }))() as Params
  const own = (await (
    lora({ rank: 2, alpha: 4, targets: ['query', 'value'] }, { engine, randomness: key(3) }) as Adapter
  ).adapt(model, initial)) as Adapted
  const isFixed = (name: string): boolean => name.includes('gradnorm') || name.includes('log_variance')
  const trainable = engine.compile((params: Params) =>
    Object.fromEntries(
      Object.entries(params).map(([name, p], i) => [
        name,
        isFixed(name) ? add(p, 0) : add(p, normal(key(50 + i), p.shape, 0.3)),
      ]),
    ),
  )(own.trainable)
  return { ...own, trainable }
}

/** Compiles the mean loss of a batch and its gradients, as a function of the trainable parameters. */
function compiled(
  objective: Objective,
  { model: of, frozen }: Pick<Adapted, 'model' | 'frozen'>,
  batch: OnDevice<Batch>,
  { memory, regularizer }: { readonly memory?: HostTree; readonly regularizer?: Regularizer } = {},
) {
  const hyper = { ...hyperOf(engine, { seed: key(9) }), ...(memory && { memory: engine.put(memory) }) }
  const components = { model: of, objective, regularizers: regularizer === undefined ? [] : [regularizer] }
  const program = engine.compile((params: Params) =>
    lossAndGradients(components, { trainable: params, frozen, batch, hyper: hyper as never }),
  )
  return async (trainable: Params) => {
    const { loss, grads } = (await engine.read(program(trainable))) as unknown as { loss: HostArray; grads: OnHost }
    return { loss: loss.values[0] as number, grads }
  }
}

/** Checks an entry of a gradient against a central difference of the loss. */
async function expectTrueGradient(at: ReturnType<typeof compiled>, trainable: Params, name: string): Promise<void> {
  const host = (await engine.read(trainable[name]!)) as HostArray
  const lossAt = async (by: number): Promise<number> => {
    const values = Float32Array.from(host.values, (value, i) => Number(value) + (i === 1 ? by : 0))
    return (await at({ ...trainable, [name]: engine.put({ ...host, values }) as never })).loss
  }
  const numeric = ((await lossAt(5e-3)) - (await lossAt(-5e-3))) / 1e-2
  expect([name, (await at(trainable)).grads[name]!.values[1]]).toEqual([name, expect.closeTo(numeric, 2)])
}

const rowsOf = (name: string) => ROWS.filter((row) => row.task === name)
/** Loss and gradients of each task alone, of a batch with its rows. */
const alone = (under: Adapted) =>
  Promise.all(
    TASKS.map((name) => compiled(multi({}), under, batchOf(multi({}), rowsOf(name), undefined))(under.trainable)),
  )

const isShared = (name: string): boolean => !name.startsWith('task.')
const inner = (a: OnHost, b: OnHost, has: (name: string) => boolean): number =>
  Object.entries(a)
    .filter(([name]) => has(name))
    .reduce(
      (sum, [name, { values }]) =>
        sum + Array.from(values, (v, i) => Number(v) * Number(b[name]!.values[i])).reduce((s, v) => s + v, 0),
      0,
    )
const combined = (of: readonly OnHost[], weight: (i: number, name: string) => number): OnHost =>
  Object.fromEntries(
    Object.entries(of[0]!).map(([name, { shape, values }]) => [
      name,
      floats(
        Array.from(values, (_, at) =>
          of.reduce((sum, each, i) => sum + weight(i, name) * Number(each[name]!.values[at]), 0),
        ),
        [...shape],
      ),
    ]),
  )

/** Memory of GradNorm: the mean losses of the tasks before training. */
const lossesBefore = (means: readonly number[]): HostTree =>
  Object.fromEntries(TASKS.map((name, i) => [name, { sum: floats([means[i]!], []), weight: floats([1], []) }]))

describe('tasks under LoRA', () => {
  const named = (grads: OnHost, start: string): string => Object.keys(grads).find((name) => name.startsWith(start))!

  it('have the sum of their gradients in a joint batch, which finite differences confirm', async () => {
    const objective = multi({ batches: 'joint' })
    const under = await adapted(objective)
    const at = compiled(objective, under, batchOf(objective))
    const each = (await alone(under)).map(({ grads }) => grads)
    const { grads } = await at(under.trainable)
    expectClose(
      grads,
      combined(each, () => 1),
      1e-5,
    )
    await expectTrueGradient(at, under.trainable, named(grads, 'tiny.encoder.layer.0.attention.self.query.lora_A'))
    await expectTrueGradient(at, under.trainable, 'task.tone.classifier.weight')
  })

  it('have the projected gradients of algorithm 1 in the low-rank factors with PCGrad', async () => {
    const objective = multi({ batches: 'joint', gradients: 'pcgrad' })
    const under = await adapted(objective)
    const each = (await alone(under)).map(({ grads }) => grads)
    const product = inner(each[0]!, each[1]!, isShared)
    expect(product).toBeLessThan(-1e-4) // the tasks conflict
    // Of two tasks: g₁ + g₂ − (g₁ · g₂ / ‖g₂‖²) g₂ − (g₁ · g₂ / ‖g₁‖²) g₁.
    const weights = each.map((own) => 1 - product / inner(own, own, isShared))
    const expected = combined(each, (i, name) => (isShared(name) ? weights[i]! : 1))
    const { grads } = await compiled(objective, under, batchOf(objective))(under.trainable)
    expectClose(grads, expected, 1e-4)
  })

  it('are weighted by their gradients in the low-rank factors of the last layer with GradNorm', async () => {
    const objective = multi({ batches: 'joint', weighting: 'gradnorm', asymmetry: 1.5 })
    const under = await adapted(objective)
    const each = await alone(under)
    const initial = [1.2, 0.4]
    const { grads } = await compiled(objective, under, batchOf(objective), { memory: lossesBefore(initial) })(
      under.trainable,
    )
    const inLast = (name: string): boolean => name.startsWith('tiny.encoder.layer.1.')
    const norms = each.map((one) => Math.sqrt(inner(one.grads, one.grads, inLast)))
    const ratios = each.map(({ loss }, i) => loss / initial[i]!)
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length
    const targets = ratios.map((ratio) => mean(norms) * (ratio / mean(ratios)) ** 1.5)
    // Equation 2 with weights of 1: the derivative of |w · norm − target| in w.
    const expected = norms.map((norm, i) => Math.sign(norm - targets[i]!) * norm)
    const found = TASKS.map((name) => grads[`task.${name}.gradnorm_weight`]!.values[0])
    expect(found).toEqual(expected.map((value) => expect.closeTo(value, 4) as unknown))
    const isWeight = (name: string): boolean => name.endsWith('gradnorm_weight')
    const without = (of: OnHost): OnHost => Object.fromEntries(Object.entries(of).filter(([name]) => !isWeight(name)))
    const sums = combined(
      each.map((one) => without(one.grads)),
      () => 1,
    )
    expectClose(without(grads), sums, 1e-5)
  })

  it('learn their own differences in full with soft sharing, whose gradients finite differences confirm', async () => {
    const objective = multi({ batches: 'joint', sharing: 'soft', distance: 0.3 })
    const under = await adapted(objective)
    const at = compiled(objective, under, batchOf(objective))
    const { grads } = await at(under.trainable)
    for (const name of [
      'task.topic.difference.tiny.encoder.layer.0.attention.self.query.weight',
      'task.tone.difference.tiny.pooler.dense.weight',
      named(grads, 'tiny.encoder.layer.1.attention.self.value.lora_B'),
    ])
      await expectTrueGradient(at, under.trainable, name)
  })

  it.each([{}, { gradients: 'pcgrad' }, { weighting: 'gradnorm' }, { sharing: 'soft' }])(
    'reach a lower loss in twelve compiled steps with %j',
    async (options) => {
      const objective = multi({ batches: 'joint', ...options })
      const under = await adapted(objective)
      const step = compileStep(engine, { model: under.model, objective, optimizer: descent() })
      const memory = engine.put(lossesBefore([1, 1]))
      let state = { trainable: under.trainable, optimizer: {} } as never
      const losses: number[] = []
      const batch = objective.collate(ROWS.map((row) => objective.encode(row)) as never, () => 0)
      for (let i = 1; i <= 12; i++) {
        const inputs = { learningRate: 0.05, step: i, steps: 12, seed: key(i) }
        const result = step.run(
          state,
          { frozen: under.frozen, constants: NO_CONSTANTS, memory } as never,
          [batch as never],
          inputs,
        )
        state = result.state as never
        losses.push((await engine.read(result.loss)).values[0] as number)
      }
      step.dispose()
      expect(losses.at(-1)).toBeLessThan(losses[0]!)
    },
  )
})

describe('adversarial regularizers', () => {
  const named = regularizers.map((plugin) => [plugin.name, plugin({ epsilon: 0.5 }) as Regularizer] as const)

  it.each(named)('%s has the loss and gradients of the task alone in a batch of one task', async (_, regularizer) => {
    const single = tinyClassification({ label: 'topic', labels }, given) as Objective
    const base = engine.compile(() => model.init(key(1)))() as Params
    const [plain, rows] = [{ model, frozen: {} }, rowsOf('topic')]
    for (const options of [{ weighting: 'uncertainty' }, { sharing: 'soft' }]) {
      const objective = multi(options)
      const own = engine.compile(() => objective.init(key(2)))() as Params
      const head = withoutPrefix(own, 'task.topic.')
      const params = {
        ...base,
        'classifier.weight': head['classifier.weight']!,
        'classifier.bias': head['classifier.bias']!,
      }
      const expected = await compiled(single, plain, batchOf(single, rows), { regularizer })(params)
      const batch = batchOf(objective, rows, undefined)
      const found = await compiled(objective, plain, batch, { regularizer })({ ...base, ...own })
      expect([options, found.loss]).toEqual([options, expect.closeTo(expected.loss, 5)])
      const same = Object.keys(expected.grads).map((name) => [
        name,
        found.grads[name] ?? found.grads[`task.topic.${name}`]!,
      ])
      expectClose(Object.fromEntries(same) as OnHost, expected.grads, 1e-5)
    }
  })

  it.each(named)('%s rejects joint batches', (name, regularizer) => {
    const objective = multi({ batches: 'joint' })
    const trainable = engine.compile(() => ({ ...model.init(key(1)), ...objective.init(key(2)) }))() as Params
    const at = compiled(objective, { model, frozen: {} }, batchOf(objective), { regularizer })
    return expect(at(trainable)).rejects.toMatchObject({
      code: 'REGULARIZER_MISMATCH',
      problem: expect.stringContaining(`${name}: expected a batch of one task, got a joint batch`),
      remedy: expect.stringContaining('`batches: alternating`'),
    })
  })
})
