import { type Example, type Objective, type Params, type TextInputs, type TrainingContext, key } from '@attune/core'
import {
  chosenPlugin,
  describeObjective,
  expectClose,
  floats,
  gradientsOf,
  integers,
  referenceEngine,
  tinyClassification,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Scalar, type Tensor, add, addN, div, matMul, mul, square, sub, sum } from '@tensorflow/tfjs-core'
import { meanPool, normal, reduceLosses } from '@attune/nn'
import { multiTask } from './multi-task.js'

const task = (label: string, labels?: readonly string[]) =>
  chosenPlugin(tinyClassification, { label, ...(labels === undefined ? {} : { labels }) }) as never
const tasks = { topic: task('topic'), tone: task('tone', ['bad', 'good']) }
const rows: readonly Example[] = [
  { text: 'fine', topic: 'chairs', task: 'topic' },
  { text: 'it broke on the very first day', topic: 'tables', task: 'topic' },
  { text: 'it is a chair', topic: 'chairs', task: 'topic' },
  { text: '', topic: 'lamps', task: 'topic' },
  { text: 'the best of all', topic: 'lamps', task: 'topic' },
]
// A batch holds the rows of one task, with its views.
const alone = { topic: tasks.topic }
describeObjective(multiTask, { options: { tasks: alone }, references: ['topic'], examples: rows })
describeObjective(multiTask, {
  options: { tasks: alone, weighting: 'uncertainty', by: 'kind' },
  references: ['topic'],
  examples: rows.map(({ task: kind, ...row }) => ({ ...row, kind })),
})
describeObjective(multiTask, {
  options: { tasks: alone, layers: { topic: 1 } },
  references: ['topic'],
  examples: rows,
})
describeObjective(multiTask, {
  options: { tasks: alone, sharing: 'soft' },
  references: ['topic'],
  examples: rows,
})

const EVALUATION = { training: false } as const
const given = { model: { ...tinyModel(), hiddenSize: 2 }, tokenizer: tinyTokenizer() }

describe('the tasks of a multi-task objective', () => {
  it('learn their options from their own rows', async () => {
    async function* all() {
      for (const row of [...rows, { text: 'no', tone: 'dull', task: 'tone' }]) yield await Promise.resolve(row)
    }
    const options = multiTask.options.parse({ tasks: { topic: task('topic'), tone: task('tone') } })
    const fitted = (await multiTask.fit!(options, all)) as unknown as {
      tasks: Record<string, { options: { labels: string[] } }>
    }
    expect(Object.entries(fitted.tasks).map(([name, { options: own }]) => [name, own.labels])).toEqual([
      ['topic', ['chairs', 'lamps', 'tables']],
      ['tone', ['dull']],
    ])
  })

  it('have their own parameters, views and group', () => {
    const objective = multiTask({ tasks }, given) as Objective
    const item = objective.encode({ text: 'no', tone: 'good', task: 'tone' })
    expect(item.group).toBe('tone')
    expect(objective.reference(item)).toEqual({ 'tone.label': 'good' })
    expect(objective.views).toEqual(['topic.label', 'tone.label'])
    const logits = { shape: [1, 2], dtype: 'float32', values: Float32Array.of(2, 1) }
    expect(objective.predict(logits as never, [item])).toEqual([{ 'tone.label': 'bad' }])
  })

  it.each([
    ['a row of another task', {}, /expected one of the tasks topic, tone in field "task", got "length"/],
    ['a weight of another task', { weights: { length: 2 } }, /weights of the tasks topic, tone, got "length"/],
    ['weights that are learned', { weights: { tone: 2 }, weighting: 'uncertainty' }, /no `weights`/],
    ['no tasks', { tasks: {} }, /at least one task/],
    ['a layer of another task', { layers: { length: 2 } }, /layers of the tasks topic, tone, got "length"/],
    ['alternating batches with PCGrad', { gradients: 'pcgrad' }, /`batches: joint` with `gradients: pcgrad`/],
    ['alternating batches with GradNorm', { weighting: 'gradnorm' }, /`batches: joint` with `weighting: gradnorm`/],
  ])('reject %s', (_, change, problem) => {
    const encode = (): unknown =>
      (multiTask({ tasks, ...change } as never, given) as Objective).encode({ text: 'x', task: 'length' })
    expect(encode).toThrow(
      expect.objectContaining({ code: 'TASK_MISMATCH', problem: expect.stringMatching(problem) as unknown }),
    )
  })
})

describe('joint batches', () => {
  const objective = multiTask({ tasks, batches: 'joint' }, given) as Objective
  const items = [
    { text: 'no', tone: 'good', task: 'tone' },
    { text: 'a chair', topic: 'b', task: 'topic' },
    { text: 'it is', tone: 'bad', task: 'tone' },
  ].map((row) => objective.encode(row))

  it('hold the arrays of each task and the positions of its rows in training, and are never split', () => {
    const { inputs, positions, ...rest } = objective.collate(items, () => 0) as Record<string, unknown> as Record<
      string,
      Record<string, unknown>
    >
    expect(Object.keys(inputs!)).toEqual(['topic', 'tone'])
    expect([positions!['topic'], positions!['tone']]).toEqual([integers([1]), integers([0, 2])])
    expect(rest['task.tone.']).toEqual({ labels: integers([1, 0]) })
    expect(objective.comparesExamples).toBe(true)
  })

  it('are never split either if a task compares the examples of a batch', () => {
    const comparing = Object.assign(
      (...of: readonly unknown[]) => ({
        ...(tinyClassification as (...all: unknown[]) => Objective)(...of),
        comparesExamples: true,
      }),
      tinyClassification,
    )
    const pairs = chosenPlugin(Object.defineProperty(comparing, 'name', { value: 'comparing' }) as never) as never
    expect((multiTask({ tasks }, given) as Objective).comparesExamples).toBeUndefined()
    expect((multiTask({ tasks: { ...tasks, pairs } }, given) as Objective).comparesExamples).toBe(true)
  })

  it('reject a batch without a task, and alternating batches reject rows of several', () => {
    const collate = (batches: 'alternating' | 'joint', some: typeof items) => (): unknown =>
      (multiTask({ tasks, batches }, given) as Objective).collate(some, () => 0)
    expect(collate('joint', [items[0]!])).toThrow(/got none of "topic"/)
    expect(collate('alternating', items)).toThrow(/got "tone" and "topic"/)
  })
})

describe('the layers of the tasks', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const model = tinyModel()
  const whole = { model, tokenizer: tinyTokenizer() }
  const two = { topic: task('topic', ['a', 'b']), tone: task('tone', ['bad', 'good']) }

  /** The objective with parameters, and a batch of two rows of the task `topic`. */
  function ready(options: object) {
    const objective = multiTask({ tasks: two, ...options }, whole) as Objective
    const items = ['a', 'b'].map((topic) => objective.encode({ text: `the ${topic}`, topic, task: 'topic' }))
    const batch = engine.put(objective.collate(items))
    const params = { ...model.init(key(1)), ...objective.init(key(2)) }
    const inputs = batch.inputs as unknown as TextInputs
    const forward: TrainingContext['forward'] = (given, { params: own = params, mode = EVALUATION } = {}) =>
      model.forward(own, given as TextInputs, mode)
    /** The mean training loss. */
    const lossAt = (p: Params): Scalar => {
      const context = { params: p, trainable: p, mode: EVALUATION, forward } as unknown as TrainingContext
      const { sum, weight } = reduceLosses(objective.trainingLoss!(context, batch), batch)
      return div(sum, weight)
    }
    const headAt = (p: Params) => objective.head(p, model.forward(p, inputs, EVALUATION), EVALUATION, batch) as Tensor
    return { objective, batch, params, inputs, lossAt, headAt }
  }

  it('are those below the named one for a task with a lower layer: the others get no gradient', async () => {
    const { params, lossAt, headAt, inputs } = ready({ layers: { topic: 1 } })
    const grads = (await engine.read(gradientsOf(lossAt, params))) as Record<string, { values: Float32Array }>
    const moved = (part: string) =>
      Object.entries(grads).some(([name, { values }]) => name.includes(part) && values.some((each) => each !== 0))
    expect(['embeddings', 'layer.0.', 'layer.1.', 'pooler', 'task.topic', 'task.tone'].map(moved)).toEqual([
      true,
      true,
      false,
      false,
      true,
      false,
    ])
    const { hiddenStates } = model.forward(params, inputs, { ...EVALUATION, keep: ['hiddenStates'] })
    const pooled = meanPool(hiddenStates!['1']!, inputs.attentionMask)
    const [weight, bias] = ['weight', 'bias'].map((each) => params[`task.topic.classifier.${each}`]!) as [
      Tensor,
      Tensor,
    ]
    const expected = add(matMul(pooled, weight, false, true), bias)
    expectClose(await engine.read(headAt(params)), await engine.read(expected), 1e-5)
  })

  it('reject a layer that the model does not have', () => {
    const { params, headAt } = ready({ layers: { topic: 3 } })
    expect(() => headAt(params)).toThrow(/expected a layer from 0 to 2 for the task "topic", got 3/)
  })

  it('are, with soft sharing, the shared ones plus differences, whose squares are penalized', async () => {
    const { params, lossAt, headAt, objective } = ready({ sharing: 'soft', distance: 0.5 })
    const prefix = 'task.topic.difference.'
    const names = Object.keys(params).filter((name) => name.startsWith(prefix))
    const shared = names.map((name) => name.slice(prefix.length))
    expect(shared).toEqual(Object.keys(model.init(key(1))).filter((name) => !name.includes('embeddings')))
    expect(objective.trainingLoss).toBeDefined()
    const differences = Object.fromEntries(names.map((name) => [name, normal(key(3), params[name]!.shape, 0.1)]))
    const sums = Object.fromEntries(
      shared.map((name) => [name, add(params[name]!, differences[prefix + name]!)] as const),
    )
    const [own, copied] = [headAt({ ...params, ...differences }), headAt({ ...params, ...sums })]
    expectClose(await engine.read(own), await engine.read(copied), 1e-5)
    const squares = addN(Object.values(differences).map((each) => sum(square(each))))
    const excess = sub(lossAt({ ...params, ...differences }), lossAt({ ...params, ...sums }))
    expectClose(await engine.read(excess), await engine.read(mul(0.5, squares)), 1e-4)
  })
})

describe('the weights of the tasks', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  const head = () => ({
    'task.topic.classifier.weight': floats([1, 0.5, -1, 2], [2, 2]),
    'task.topic.classifier.bias': floats([0, 0.1], [2]),
    'task.topic.log_variance': floats([0.7], []),
    'task.tone.classifier.weight': floats([3, 1, -2, 0], [2, 2]),
    'task.tone.classifier.bias': floats([0, 0], [2]),
    'task.tone.log_variance': floats([-0.4], []),
  })
  const two = { topic: task('topic', ['a', 'b']), tone: task('tone', ['bad', 'good']) }

  /** The mean training loss of a batch of the task `topic`, as a function of the parameters. */
  function lossOf(options: object) {
    const objective = multiTask({ tasks: two, ...options }, given) as Objective
    const items = ['a', 'b', 'b'].map((topic) => objective.encode({ text: 'x', topic, task: 'topic' }))
    const batch = engine.put(objective.collate(items))
    const pooled = engine.put({ x: floats([0.5, 1, -0.3, 0.8, 2, 0.1], [3, 2]) })['x'] as Tensor
    return (params: Params): Scalar => {
      const outputs = { pooled }
      const context = { params, mode: { training: false }, forward: () => outputs } as unknown as TrainingContext
      const losses =
        objective.trainingLoss?.(context, batch) ??
        objective.loss(objective.head(params, outputs as never, { training: false }, batch), batch)
      const { sum, weight } = reduceLosses(losses, batch)
      return div(sum, weight)
    }
  }

  it('multiply the losses, or follow equation 10 of Kendall et al. with its gradients', async () => {
    const params = engine.put(head()) as Params
    const valueOf = async (options: object): Promise<number> => (await lossOf(options)(params).data())[0]!
    const plain = await valueOf({})
    expect(await valueOf({ weights: { topic: 2.5 } })).toBeCloseTo(2.5 * plain, 5)
    expect(await valueOf({ weights: { tone: 9 } })).toBeCloseTo(plain, 6)
    expect(await valueOf({ weighting: 'uncertainty' })).toBeCloseTo(plain * Math.exp(-0.7) + 0.35, 5)
    const grads = gradientsOf(lossOf({ weighting: 'uncertainty' }), params)
    expect((await grads['task.topic.log_variance']!.data())[0]).toBeCloseTo(0.5 - plain * Math.exp(-0.7), 5)
    expect((await grads['task.tone.log_variance']!.data())[0]).toBe(0)
  })
})
