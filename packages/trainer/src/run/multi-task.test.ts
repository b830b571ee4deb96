import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import {
  type Example,
  METRIC,
  type Metric,
  OBJECTIVE,
  type Objective,
  type RunEvent,
  SOURCE,
  type Source,
  definePlugin,
} from '@attune/core'
import { type Observable, Subject, lastValueFrom, tap, toArray } from 'rxjs'
import { z } from 'zod'
import { evaluateRun } from '../inference/evaluate.js'
import { openPredictor } from '../inference/open-predictor.js'
import { multiTask } from './multi-task.test.fixture.js'
import { compareTasks } from './compare-tasks.js'
import { resume, run } from './run.js'
import { toyConfig, toyExample, toyObjective, toyPlugins } from './toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-tasks-'))
afterAll(() => rmSync(temporary, { recursive: true }))
let folders = 0
const folder = (): string => join(temporary, String(folders++))
const all = (events: Observable<RunEvent>): Promise<RunEvent[]> => lastValueFrom(events.pipe(toArray()))
const scoresIn = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'evaluation.completed' ? [event.scores] : []))

/** Alternates between a letter task and a length task; rows have only the fields of their own task. */
const taskExample = (i: number): Example => {
  const { text } = toyExample(i)
  const side = i % 3 === 0 ? 'left' : 'right'
  if (i % 2 === 0) return { text, label: i % 4 === 0 ? 'a' : 'not', task: 'letters', side }
  return { text, size: String(text).length > 7 ? 'long' : 'short', task: 'size', side }
}

const taskSource = definePlugin({
  kind: SOURCE,
  name: 'task-source',
  summary: 'Rows of two tasks',
  options: z.strictObject({
    count: z.int(),
    from: z.int().default(0),
    without: z.string().optional(),
    only: z.string().optional(),
  }),
  create: ({ count, from, without, only }): Source => ({
    location: `tasks(${count})`,
    async *open(reject, fields = []) {
      for (let i = from; i < from + count; i++) {
        await Promise.resolve()
        const { [without ?? '']: _, ...example } = taskExample(i)
        if (only !== undefined && example['task'] !== only) continue
        const absent = fields.find((name) => !(name in example))
        if (absent === undefined) yield example
        else reject?.({ line: i, reason: `no ${absent}`, raw: '' })
      }
    },
  }),
})

/** {@link toyObjective} with fitted labels and its own label field. */
const learnedLabels = definePlugin({
  kind: OBJECTIVE,
  name: 'learned-labels',
  summary: 'Binary classification with fitted labels',
  options: z.strictObject({
    label: z.string().meta({ field: 'label' }),
    labels: z.array(z.string()).optional(),
  }),
  needs: toyObjective.needs!,
  async fit(o, examples) {
    const seen = new Set<string>()
    for await (const example of examples()) seen.add(String(example[o.label]))
    return { ...o, labels: [...seen].sort() }
  },
  create({ label, labels = [] }, given): Objective {
    const toy = toyObjective({}, given as never) as Objective
    const name = (label: unknown): unknown => labels[label === 'a' ? 0 : 1]
    return {
      ...toy,
      config: { labels },
      encode: (example) =>
        toy.encode({ ...example, label: labels.indexOf(String(example[label])) === 0 ? 'a' : 'not' }),
      predict: (head, items) => toy.predict(head, items).map((views) => ({ label: name(views['label']) })),
      reference: (item) => ({ label: name(toy.reference(item)['label']) }),
    }
  },
})

const right = definePlugin({
  kind: METRIC,
  name: 'right',
  summary: 'Accuracy',
  options: z.strictObject({}),
  create: (): Metric<string, string, [number, number]> => ({
    name: 'right',
    compares: 'label',
    direction: 'maximize',
    range: [0, 1],
    init: () => [0, 0],
    add: ([n, k], p, r) => [n + p.length, k + p.filter((x, i) => x === r[i]).length],
    merge: (a, b) => [a[0] + b[0], a[1] + b[1]],
    result: ([n, k]) => ({ value: k / n, parts: { count: { n } } }),
  }),
})

/** Demographic parity difference: the difference between the groups' rates of predicting a label. */
const parity = definePlugin({
  kind: METRIC,
  name: 'parity',
  summary: 'Difference in prediction rates between groups',
  options: z.strictObject({ by: z.string(), label: z.string() }),
  create: ({ by, label }): Metric<string, string, Record<string, [number, number]>> => ({
    name: 'parity',
    compares: 'label',
    direction: 'minimize',
    range: [0, 1],
    fields: [by],
    init: () => ({}),
    add: (state, predictions, _, examples) =>
      predictions.reduce((now, prediction, i) => {
        const group = String(examples![i]![by])
        const [n, k] = now[group] ?? [0, 0]
        return { ...now, [group]: [n + 1, k + (prediction === label ? 1 : 0)] as [number, number] }
      }, state),
    merge: (a, b) =>
      Object.entries(b).reduce((now, [group, [n, k]]) => {
        const [m, j] = now[group] ?? [0, 0]
        return { ...now, [group]: [m + n, j + k] as [number, number] }
      }, a),
    result: (state) => {
      const rates = Object.values(state).map(([n, k]) => k / n)
      const counts = Object.fromEntries(Object.entries(state).map(([group, [n]]) => [group, n]))
      return { value: Math.max(...rates) - Math.min(...rates), parts: { count: counts } }
    },
  }),
})

const searchPaths = {
  folders: ['.'],
  registered: [...toyPlugins, multiTask, taskSource, learnedLabels, right, parity],
}

/** Configures micro-batches of one example, so that each micro-batch holds a single task. */
const config = (directory?: string, without?: string) => ({
  ...toyConfig(directory),
  data: {
    train: { use: taskSource, count: 32 },
    validation: { use: taskSource, count: 20, from: 1000, ...(without === undefined ? {} : { without }) },
  },
  objective: {
    use: multiTask,
    tasks: { letters: { use: learnedLabels, label: 'label' }, size: { use: learnedLabels, label: 'size' } },
  },
  metric: [
    { use: right, of: 'letters' },
    { use: right, of: 'size' },
    { use: parity, of: 'size', by: 'side', label: 'long' },
  ],
  training: { epochs: 4, batchSize: 8, microBatchSize: 1, learningRate: 0.05, shuffleBuffer: 16 },
})

describe('an objective with nested objectives in its options', () => {
  it('fits each task on its own rows, with its own head and metrics', async () => {
    const directory = folder()
    const scores = scoresIn(await all(run(config(directory), { searchPaths }))).at(-1)!
    expect(scores['letters.right']!.parts).toEqual({ count: { n: 10 } })
    expect(scores['size.right']!.parts).toEqual({ count: { n: 10 } })
    expect(scores['size.right']!.value).toBeGreaterThan(0.5)
    // Ten rows of each task: the loss is the mean of those of the tasks.
    const { value, parts } = scores['loss']!
    expect(Object.keys(parts!).toSorted()).toEqual(['letters', 'size'])
    expect((parts!['letters']!['loss']! + parts!['size']!['loss']!) / 2).toBeCloseTo(value, 6)
    const learned = JSON.parse(readFileSync(join(directory, 'learned.json'), 'utf8'))
    expect(learned.options.objective.tasks).toEqual({
      letters: { use: 'learned-labels', label: 'label', labels: ['a', 'not'] },
      size: { use: 'learned-labels', label: 'size', labels: ['long', 'short'] },
    })
    expect(JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')).objective.tasks.size).toEqual({
      use: 'learned-labels',
      label: 'size',
    })
    const again = await evaluateRun(directory, { searchPaths, split: 'validation' })
    expect(again.scores).toEqual(scores)
    const { tasks, overall, correlations } = again.tasks!
    expect(tasks.map(({ task, score, examples }) => [task, score, examples])).toEqual([
      ['letters', 'letters.right', 10],
      ['size', 'size.right', 10],
    ])
    const values = tasks.map(({ value }) => value)
    expect(values).toEqual([scores['letters.right']!.value, scores['size.right']!.value])
    expect(overall).toEqual({ name: 'mean', value: (values[0]! + values[1]!) / 2 })
    expect(correlations!.changes).toBe(3) // four epochs
    const predictor = await openPredictor(directory, { searchPaths })
    const predictions = await predictor.predict([taskExample(1), taskExample(0)])
    expect(predictions.map((views) => Object.keys(views))).toEqual([
      ['size.label', 'truncated'],
      ['letters.label', 'truncated'],
    ])
    await predictor.close()
  })

  it('is compared with single-task models on as many examples', async () => {
    const [both, alone, other] = [folder(), folder(), folder()]
    const single = (directory: string, count: number) => {
      const plain = config(directory)
      const data = {
        train: { ...plain.data.train, only: 'size' },
        validation: { ...plain.data.validation, only: 'size', count },
      }
      const objective = { use: learnedLabels, label: 'size' }
      return { ...plain, data, objective, metric: [{ use: right }] }
    }
    await all(run(config(both), { searchPaths }))
    await all(run(single(alone, 20) as never, { searchPaths }))
    await all(run(single(other, 12) as never, { searchPaths }))
    const options = { searchPaths, split: 'validation' }
    const { scores } = await evaluateRun(alone, options)
    const found = await evaluateRun(both, { ...options, singles: { size: alone } })
    const [letters, size] = found.tasks!.tasks
    expect(letters!.single).toBeUndefined()
    expect(size!.single).toBe(scores['right']!.value)
    expect(size!.difference).toBeCloseTo((size!.value - size!.single!) / size!.single!, 12)
    expect(found.tasks!.overall!.name).toBe('mean')
    for (const [singles, problem] of [
      [{ size: other }, /on the 10 examples of "size", got 6/],
      [{ sizes: alone }, /one of the tasks letters, size, .* got one for "sizes"/],
    ] as const)
      await expect(evaluateRun(both, { ...options, singles })).rejects.toMatchObject({
        code: 'BAD_ARGUMENT',
        problem: expect.stringMatching(problem),
      })
  })

  it('resumes bit for bit with the fitted options of its tasks', async () => {
    const [whole, parted] = [folder(), folder()]
    await all(run(config(whole), { searchPaths }))
    const commands = new Subject<{ type: 'stop'; because: string }>()
    const stop = tap((event: RunEvent) => {
      if (event.type === 'step.completed' && event.step === 7) commands.next({ type: 'stop', because: 'test' })
    })
    await lastValueFrom(run(config(parted), { searchPaths, commands }).pipe(stop))
    await all(resume(parted, { searchPaths }))
    const weights = (directory: string): string =>
      readFileSync(join(directory, 'model/model.safetensors')).toString('hex')
    expect(weights(parted)).toBe(weights(whole))
  })

  it('rejects wrong options of a task with their path', async () => {
    const wrong = { ...config(), objective: { use: multiTask, tasks: { size: { use: learnedLabels, lable: 'size' } } } }
    await expect(all(run(wrong as never, { searchPaths }))).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      problem: expect.stringContaining('objective.tasks.size'),
    })
  })
})

describe('compareTasks', () => {
  it('compares the tasks over a few steps, and groups a task with itself', async () => {
    const plain = config()
    const { use, tasks } = plain.objective
    const { letters } = tasks
    // Rows of the letter task under two names: the tasks are the same.
    const twins = { use, by: 'side', tasks: { left: letters, right: letters } }
    const validation = { ...plain.data.validation, only: 'letters' }
    const data = { train: { use: taskSource, count: 64, only: 'letters' }, validation }
    const seen: number[] = []
    const metric = [{ use: right, of: 'left' }]
    const found = await compareTasks({ ...plain, data, metric, objective: twins } as never, {
      ...{ searchPaths, steps: 8 },
      progress: (step) => seen.push(step),
    })
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(found.tasks).toEqual(['left', 'right'])
    expect(found.groups).toEqual([['left', 'right']])
    // Half of the letters of the validation split are "a": the majority label is right for half of the rows of `left`, more or less.
    const rows = Array.from({ length: 20 }, (_, i) => taskExample(1000 + i)).filter(
      ({ task, side }) => task === 'letters' && side === 'left',
    )
    const share = rows.filter(({ label }) => label === 'a').length / rows.length
    const [skill, none] = found.skills
    expect([share, 1 - share]).toContainEqual(skill!.constant)
    expect(skill!.skill).toBeCloseTo((skill!.trained - skill!.constant) / (1 - skill!.constant), 12)
    expect(none).toBeNull()
    expect(found.dependences.map((row, i) => row[i])).toEqual([1, 1])
    for (const i of [0, 1]) {
      expect(found.cosines[i]![i]).toBeCloseTo(1, 4)
      expect(found.overlaps[i]![i]).toBe(1)
      expect(found.affinities[i]![1 - i]).toBeGreaterThan(0)
      expect(found.losses[i]!.last).toBeLessThan(found.losses[i]!.first)
    }
  })

  it('rejects an objective with one task', async () =>
    expect(compareTasks({ ...toyConfig(), directory: undefined } as never, { searchPaths })).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
    }))
})

describe('a metric with example fields', () => {
  it('receives the fields of the examples of its own task only', async () => {
    const scores = scoresIn(await all(run(config(), { searchPaths }))).at(-1)!
    const expected = Array.from({ length: 20 }, (_, i) => taskExample(1000 + i)).filter(({ task }) => task === 'size')
    const left = expected.filter(({ side }) => side === 'left').length
    expect(scores['size.parity']!.parts).toEqual({ count: { left, right: expected.length - left } })
  })

  it('rejects rows without such a field, and throws if the source does not check them', async () => {
    const events = await all(run(config(undefined, 'nothing'), { searchPaths }))
    expect(events.filter(({ type }) => type === 'rows.rejected')).toEqual([])
    await expect(all(run(config(undefined, 'side'), { searchPaths }))).rejects.toMatchObject({ code: 'EMPTY_DATASET' })
    const unchecked = definePlugin({
      kind: SOURCE,
      name: 'unchecked',
      summary: 'Unchecked rows',
      options: z.strictObject({}),
      create: (): Source => ({
        location: 'unchecked',
        async *open() {
          yield await Promise.resolve({ text: 'ab', size: 'short', task: 'size' })
        },
      }),
    })
    const plain = config()
    const data = { ...plain.data, validation: { use: unchecked } }
    await expect(all(run({ ...plain, data }, { searchPaths }))).rejects.toMatchObject({
      code: 'MISSING_FIELD',
      problem: expect.stringContaining('"side"'),
    })
  })
})
