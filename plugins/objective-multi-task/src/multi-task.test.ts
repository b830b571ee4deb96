import type { Example, Objective, Params, TrainingContext } from '@attune/core'
import {
  chosenPlugin,
  describeObjective,
  floats,
  gradientsOf,
  referenceEngine,
  tinyClassification,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Scalar, type Tensor, mean } from '@tensorflow/tfjs-core'
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
  ])('reject %s', (_, change, problem) => {
    const encode = (): unknown =>
      (multiTask({ tasks, ...change } as never, given) as Objective).encode({ text: 'x', task: 'length' })
    expect(encode).toThrow(
      expect.objectContaining({ code: 'TASK_MISMATCH', problem: expect.stringMatching(problem) as unknown }),
    )
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
      const losses = objective.trainingLoss?.(context, batch) ?? {
        losses: objective.loss(objective.head(params, outputs as never, { training: false }, batch), batch).losses,
      }
      return mean((losses as { losses: Tensor }).losses)
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
