import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import {
  AttuneError,
  CALLBACK,
  type Command,
  type RunEvent,
  MODEL,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  TRACKER,
  definePlugin,
  isAttuneError,
  on,
} from '@attune/core'
import { decodeSafetensors, encodeSafetensors } from '@attune/weights'
import { Subject, type Observable, filter, firstValueFrom, lastValueFrom, map, merge, toArray } from 'rxjs'
import { z } from 'zod'
import { evaluateRun } from '../inference/evaluate.js'
import { openPredictor } from '../inference/open-predictor.js'
import type { Prediction } from '../inference/predictor.js'
import { resume, run } from './run.js'
import {
  toyConfig,
  toyExample,
  toyModel,
  toyObjective,
  toyPlugins,
  toySource,
  toyTokenizer,
} from './toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-run-'))
afterAll(() => rmSync(temporary, { recursive: true }))
let folders = 0
const folder = (): string => join(temporary, String(folders++))
const searchPaths = { folders: ['.'], registered: toyPlugins }
const all = (events: Observable<RunEvent>): Promise<RunEvent[]> => lastValueFrom(events.pipe(toArray()))
const only = <K extends RunEvent['type']>(events: readonly RunEvent[], type: K) =>
  events.filter((event) => event.type === type) as Extract<RunEvent, { type: K }>[]
const commanding = (commands: (events: Observable<RunEvent>) => Observable<Command>) =>
  definePlugin({
    kind: CALLBACK,
    name: 'commanding',
    summary: 'Emits commands for a test',
    options: z.strictObject({}),
    create: () => commands,
  })
const weights = (directory: string): string => readFileSync(join(directory, 'model/model.safetensors')).toString('hex')

async function refusal(events: Observable<RunEvent>): Promise<{ error: AttuneError; events: RunEvent[] }> {
  const seen: RunEvent[] = []
  try {
    await lastValueFrom(events.pipe(map((event) => void seen.push(event))))
  } catch (error) {
    if (isAttuneError(error)) return { error, events: seen }
    throw error
  }
  throw new Error('expected the run to fail')
}

/** Runs with an interruption after each of the given steps, resuming each time. */
async function interruptedRun(directory: string, steps: readonly number[]): Promise<void> {
  for (const [i, step] of [...steps, Infinity].entries()) {
    const commands = new Subject<Command>()
    const options = { searchPaths, commands }
    const events = i === 0 ? run(toyConfig(directory), options) : resume(directory, options)
    await lastValueFrom(
      events.pipe(
        map((event) => {
          if (event.type === 'step.completed' && event.step === step) commands.next({ type: 'stop', because: 'test' })
        }),
      ),
    )
  }
}

describe('fitting plugins before a run', () => {
  const heard: RunEvent[] = []
  let isOpen = false
  const listener = definePlugin({
    kind: TRACKER,
    name: 'listener',
    summary: 'Records the events it receives',
    options: z.strictObject({}),
    create: () => (events) => {
      isOpen = true
      const subscription = events.subscribe((event) => heard.push(event))
      subscription.add(() => (isOpen = false))
      return subscription
    },
  })
  let clock = 0
  beforeEach(() => void jest.spyOn(performance, 'now').mockImplementation(() => clock))
  afterEach(() => void jest.restoreAllMocks())
  const learner = (fails: boolean) => {
    const slow = definePlugin({
      kind: TOKENIZER,
      name: 'slow',
      summary: 'Fits slowly',
      options: z.strictObject({}),
      async fit(options, _examples, _tokenizer, report) {
        for (let done = 0; done < 3; done++) {
          report?.('letters seen', done, 3)
          clock += 600
          await Promise.resolve()
        }
        report?.('letters seen', 3, 3)
        if (fails) throw new AttuneError('NO_TEXT', 'no texts to fit on', 'Add texts.')
        return options
      },
      create: () => toyTokenizer(),
    })
    return slow
  }
  const configured = (fails: boolean) => {
    heard.length = 0
    return { ...toyConfig(undefined), tokenizer: learner(fails), tracker: [listener] }
  }

  it('reports its progress to trackers and subscribers before the run starts', async () => {
    const events = await all(run(configured(false)))
    expect(events[0]).toMatchObject({
      type: 'fit.progressed',
      plugin: 'tokenizer slow',
      phase: 'letters seen',
      total: 3,
    })
    expect(only(events, 'fit.progressed').map(({ done }) => done)).toEqual([1, 2, 3])
    expect(only(events, 'fit.progressed')[1]!.seconds).toBeGreaterThan(1)
    expect(heard).toEqual(events)
    expect(isOpen).toBe(false)
  })

  it('unsubscribes trackers if it fails', async () => {
    const { error, events } = await refusal(run(configured(true)))
    expect([error.code, events.length, isOpen]).toEqual(['NO_TEXT', 3, false])
  })
})

describe('run', () => {
  it('emits its events in order, lowers the loss, and saves a model', async () => {
    const directory = folder()
    const events = await all(run(toyConfig(directory)))
    expect(events[0]).toMatchObject({ type: 'run.started', steps: 24, epochs: 3, examples: 60, directory })
    expect(only(events, 'epoch.started').map(({ epoch, step }) => [epoch, step])).toEqual([
      [0, 0],
      [1, 8],
      [2, 16],
    ])
    const steps = only(events, 'step.completed')
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 24 }, (_, i) => i + 1))
    expect(steps.reduce((sum, { examples }) => sum + examples, 0)).toBe(180)
    expect(steps[0]!.learningRate).toBeCloseTo(0.02)
    expect(steps[23]!.learningRate).toBeCloseTo((0.02 / 24) * 0.5 * 0.5)
    expect(only(events, 'evaluation.completed').map(({ step }) => step)).toEqual([6, 12, 18, 24])
    const [first, last] = [only(events, 'evaluation.completed')[0]!, only(events, 'evaluation.completed').at(-1)!]
    expect(last.scores['loss']!.value).toBeLessThan(first.scores['loss']!.value)
    expect(only(events, 'texts.truncated').map(({ split }) => split)).toEqual(['validation', 'train'])
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', because: 'finished', model: join(directory, 'model') })
    expect(readdirSync(join(directory, 'model')).sort()).toEqual([
      'README.md',
      'config.json',
      'model.safetensors',
      'tokenizer.json',
    ])
    expect(readdirSync(join(directory, 'checkpoints')).sort()).toEqual(['20', '24'])
  })

  it('trains identical weights for the same seed, and different ones for another seed', async () => {
    const [a, b, c] = [folder(), folder(), folder()]
    await all(run(toyConfig(a)))
    await all(run(toyConfig(b)))
    await all(run({ ...toyConfig(c), seed: 4 }))
    expect(weights(b)).toBe(weights(a))
    expect(weights(c)).not.toBe(weights(a))
  })

  it('accumulates gradients over micro-batches, and resumes bit for bit', async () => {
    const withMicroBatches = (directory: string) => {
      const config = toyConfig(directory)
      return { ...config, training: { ...config.training, microBatchSize: 3 } }
    }
    const [whole, stopped] = [folder(), folder()]
    const events = await all(run(withMicroBatches(whole)))
    const steps = only(events, 'step.completed')
    expect(steps.length).toBe(24)
    expect(steps.reduce((sum, { examples }) => sum + examples, 0)).toBe(180)
    const commands = new Subject<Command>()
    const stop = (event: RunEvent): void => {
      if (event.type === 'step.completed' && event.step === 11) commands.next({ type: 'stop', because: 'test' })
    }
    await lastValueFrom(run(withMicroBatches(stopped), { searchPaths, commands }).pipe(map(stop)))
    await all(resume(stopped, { searchPaths }))
    expect(weights(stopped)).toBe(weights(whole))
  })

  it('rejects micro-batches if the objective compares the examples of a batch', async () => {
    const comparing = definePlugin({
      kind: OBJECTIVE,
      name: 'comparing',
      summary: 'The toy objective, as if its loss compared the examples of a batch',
      options: z.strictObject({}),
      needs: { tokenizer: TOKENIZER, model: MODEL },
      create: (_, given): Objective => ({ ...toyObjective({}, given), comparesExamples: true }),
    })
    const withMicroBatches = (microBatchSize: number) => {
      const config = toyConfig()
      return { ...config, objective: comparing, training: { ...config.training, microBatchSize } }
    }
    const { error } = await refusal(run(withMicroBatches(3)))
    expect(error).toMatchObject({
      code: 'BATCH_IN_PARTS',
      problem: expect.stringMatching(/batchSize \(8\), got 3/) as unknown,
    })
    expect(only(await all(run(withMicroBatches(8))), 'step.completed')).toHaveLength(24)
  })

  it('returns a cold observable: each subscription starts its own run', async () => {
    const directory = folder()
    const events = run(toyConfig(directory))
    await Promise.resolve()
    expect(existsSync(directory)).toBe(false)
    await all(events)
    expect((await refusal(events)).error.code).toBe('RUN_EXISTS')
  })

  it('writes nothing without a directory, and warns once', async () => {
    const warnings = only(await all(run(toyConfig())), 'run.warned')
    expect(warnings.map(({ message }) => message)).toEqual([
      'nothing is saved, because the configuration has no directory',
    ])
  })

  it('warns about unused tensors of its pretrained model, and keeps its generation settings', async () => {
    const [first, second] = [folder(), folder()]
    await all(run(toyConfig(first)))
    addTensor(first)
    writeFileSync(join(first, 'model/generation_config.json'), '{ "eos_token_id": [1, 2] }')
    const config = { ...toyConfig(second), model: { use: toyModel, from: join(first, 'model') } }
    const message = 'unused tensors of the saved model (1): adapter.down.weight'
    expect(only(await all(run(config)), 'run.warned').map((event) => event.message)).toEqual([message])
    const kept = readFileSync(join(second, 'model/generation_config.json'), 'utf8')
    expect(JSON.parse(kept)).toEqual({ eos_token_id: [1, 2] })
    const predictor = await openPredictor(first, { searchPaths })
    expect(predictor.warnings).toEqual([message])
    await predictor.close()
    expect((await evaluateRun(first, { split: 'validation', searchPaths })).warnings).toEqual([message])
    expect((await evaluateRun(second, { split: 'validation', searchPaths })).warnings).toEqual([])
  })
})

/** Adds an unknown tensor to the saved model of a run. */
function addTensor(directory: string): void {
  const file = join(directory, 'model/model.safetensors')
  const { tensors } = decodeSafetensors(readFileSync(file), file)
  const added = { shape: [2], dtype: 'float32', values: Float32Array.of(1, 2) } as const
  writeFileSync(file, encodeSafetensors({ ...tensors, 'adapter.down.weight': added }))
}

describe('a resumed run', () => {
  it('matches an uninterrupted run bit for bit, wherever it was interrupted', async () => {
    const [whole, parts, others] = [folder(), folder(), folder()]
    await all(run(toyConfig(whole)))
    await interruptedRun(parts, [1, 7, 8, 9, 13, 24])
    await interruptedRun(others, [5, 6, 12, 18, 20])
    expect(weights(parts)).toBe(weights(whole))
    expect(weights(others)).toBe(weights(whole))
  })

  it('starts from the beginning if it was killed before the first checkpoint', async () => {
    const [whole, directory] = [folder(), folder()]
    await all(run(toyConfig(whole)))
    cpSync(whole, directory, {
      recursive: true,
      filter: (path) => !path.includes('checkpoints') && !path.endsWith('/model'),
    })
    const path = join(directory, 'config.json')
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(whole, directory))
    await all(resume(directory, { searchPaths }))
    expect(weights(directory)).toBe(weights(whole))
  })

  it('only saves the model again if training had ended', async () => {
    const directory = folder()
    await all(run(toyConfig(directory)))
    const before = weights(directory)
    const events = await all(resume(directory, { searchPaths }))
    expect(only(events, 'step.completed')).toEqual([])
    expect(weights(directory)).toBe(before)
  })

  it('finishes the current step and saves a checkpoint when it is unsubscribed', async () => {
    const [whole, directory] = [folder(), folder()]
    await all(run(toyConfig(whole)))
    await firstValueFrom(
      run(toyConfig(directory)).pipe(
        on('step.completed'),
        filter(({ step }) => step === 3),
      ),
    )
    while (existsSync(join(directory, 'run.lock'))) await setImmediate()
    expect(readdirSync(join(directory, 'checkpoints'))).toEqual(['3'])
    await all(resume(directory, { searchPaths }))
    expect(weights(directory)).toBe(weights(whole))
  })

  it.each([
    [
      'a flipped byte',
      (path: string) => {
        const bytes = readFileSync(path)
        bytes[bytes.length - 5]! ^= 1
        writeFileSync(path, bytes)
      },
    ],
    ['a truncated file', (path: string) => truncateSync(path, 200)],
    ['a longer file', (path: string) => appendFileSync(path, ' ')],
  ])('rejects a checkpoint with %s, names the previous one, and resumes from that', async (_, damage) => {
    const [whole, directory] = [folder(), folder()]
    await all(run(toyConfig(whole)))
    await interruptedRun(directory, []) // a complete run, of which everything after step 20 is then lost
    damage(join(directory, 'checkpoints/24/state.safetensors'))
    const { error } = await refusal(resume(directory, { searchPaths }))
    expect(error.code).toBe('BAD_CHECKPOINT')
    expect(error.problem).toContain(join(directory, 'checkpoints/24'))
    expect(error.remedy).toContain('step 20')
    rmSync(join(directory, 'checkpoints/24'), { recursive: true })
    await all(resume(directory, { searchPaths }))
    expect(weights(directory)).toBe(weights(whole))
  })
})

describe('commands', () => {
  it('stop early, keep labelled checkpoints, and restore one for the model', async () => {
    const [directory, short] = [folder(), folder()]
    const callback = commanding((events) =>
      merge(
        events.pipe(
          on('step.completed'),
          filter(({ step }) => step === 4),
          map(() => ({ type: 'save', label: 'best', because: 'a' }) as const),
        ),
        events.pipe(
          on('step.completed'),
          filter(({ step }) => [6, 8, 10].includes(step)),
          map(() => ({ type: 'save', because: 'b' }) as const),
        ),
        events.pipe(
          on('step.completed'),
          filter(({ step }) => step === 11),
          map(() => ({ type: 'stop', because: 'enough' }) as const),
        ),
        events.pipe(
          on('training.completed'),
          map(() => ({ type: 'restore', label: 'best', because: 'it was best' }) as const),
        ),
      ),
    )
    const events = await all(run({ ...toyConfig(directory), callback }))
    expect(only(events, 'command.given').map(({ step, command }) => [step, command.type, command.because])).toEqual([
      [4, 'save', 'a'],
      [6, 'save', 'b'],
      [8, 'save', 'b'],
      [10, 'save', 'b'],
      [11, 'stop', 'enough'],
      [11, 'restore', 'it was best'],
    ])
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', step: 11, because: 'enough' })
    expect(readdirSync(join(directory, 'checkpoints')).sort()).toEqual(['10', '11', '4'])
    // The restored weights are those of a run stopped after four steps.
    const stopping = commanding((events) =>
      events.pipe(
        on('step.completed'),
        filter(({ step }) => step === 4),
        map(() => ({ type: 'stop', because: 'four' }) as const),
      ),
    )
    await all(run({ ...toyConfig(short), callback: stopping }))
    expect(weights(directory)).toBe(weights(short))
  })

  it('fail the run when a callback fails', async () => {
    const callback = commanding((events) =>
      events.pipe(
        on('step.completed'),
        map(() => {
          throw new Error('callback broke')
        }),
      ),
    )
    await expect(all(run({ ...toyConfig(folder()), callback }))).rejects.toThrow('callback broke')
  })

  it('reject restoring an unknown label', async () => {
    const callback = commanding((events) =>
      events.pipe(
        on('training.completed'),
        map(() => ({ type: 'restore', label: 'bset', because: 'x' }) as const),
      ),
    )
    expect((await refusal(run({ ...toyConfig(folder()), callback }))).error.code).toBe('NO_SUCH_CHECKPOINT')
  })
})

describe('run with invalid inputs', () => {
  it('stops at a non-finite loss, with the step and the latest checkpoint in the error', async () => {
    const directory = folder()
    const { callback, ...config } = toyConfig(directory)
    const { error, events } = await refusal(
      run({ ...config, callback, objective: { ...config.objective, loss: 'infinite' } }),
    )
    expect(error.code).toBe('NON_FINITE_LOSS')
    expect(error.problem).toContain('step 1')
    expect(error.remedy).toMatch(/0\.02.*There is no earlier checkpoint\.$/)
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'NON_FINITE_LOSS' })
    expect(existsSync(join(directory, 'checkpoints'))).toBe(false)
  })

  it('rejects an empty dataset before writing anything', async () => {
    const directory = folder()
    const config = toyConfig(directory)
    const { error } = await refusal(run({ ...config, data: { ...config.data, train: { use: toySource, count: 0 } } }))
    expect(error.code).toBe('EMPTY_DATASET')
    expect(existsSync(directory)).toBe(false)
  })

  it('leaves the folder usable for a corrected configuration after invalid data or a failing callback', async () => {
    const directory = folder()
    const config = toyConfig(directory)
    const validation = { use: toySource, count: 0 }
    const failing = commanding((events) =>
      events.pipe(
        on('run.started'),
        map(() => {
          throw new AttuneError('UNKNOWN_SCORE', 'no such score', 'Use an existing one.')
        }),
      ),
    )
    const spoiled = { ...config.data, train: { use: toySource, count: 60, badRows: 2 }, validation }
    const wrong = [
      { ...config, data: { ...config.data, validation } },
      { ...config, data: spoiled },
    ]
    for (const each of [...wrong, { ...config, callback: failing }]) {
      const { events } = await refusal(run(each))
      expect(only(events, 'step.completed')).toEqual([])
      expect(existsSync(join(directory, 'config.json'))).toBe(false)
    }
    const events = await all(run(config))
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', because: 'finished' })
    expect(existsSync(join(directory, 'rejects'))).toBe(false)
  })

  it('reuses the folder of a run that was killed before it started, and rejects a file', async () => {
    const directory = folder()
    mkdirSync(join(directory, 'rejects'), { recursive: true })
    writeFileSync(join(directory, 'learned.json'), '{}')
    writeFileSync(join(directory, 'config.json.partial'), '{')
    expect((await refusal(resume(directory, { searchPaths }))).error.remedy).toContain('start it again')
    await all(run(toyConfig(directory)))
    expect((await refusal(run(toyConfig(join(directory, 'config.json'))))).error.code).toBe('BAD_ARGUMENT')
  })

  it('rejects a non-empty folder without changing it', async () => {
    const directory = mkdtempSync(join(temporary, 'used-'))
    writeFileSync(join(directory, 'thesis.txt'), 'mine')
    expect((await refusal(run(toyConfig(directory)))).error.code).toBe('RUN_EXISTS')
    expect(readdirSync(directory)).toEqual(['thesis.txt'])
  })

  it('rejects metrics on unknown views, and duplicate metrics', async () => {
    const config = toyConfig()
    const unfit = run({ ...config, metric: { use: config.metric, compares: 'scores' } })
    expect((await refusal(unfit)).error.code).toBe('METRIC_MISMATCH')
    expect((await refusal(run({ ...config, metric: [config.metric, config.metric] }))).error.code).toBe(
      'DUPLICATE_METRIC',
    )
  })

  it('counts rejected rows and reports their file', async () => {
    const directory = folder()
    const config = toyConfig(directory)
    const events = await all(
      run({ ...config, data: { ...config.data, train: { use: toySource, count: 60, badRows: 2 } } }),
    )
    expect(only(events, 'rows.rejected').map(({ split, count }) => [split, count])).toEqual([['train', 2]])
    const { path } = only(events, 'rows.rejected')[0]!
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(2)
  })

  it('rejects resuming a folder that is not a run', async () => {
    expect((await refusal(resume(tmpdir(), { searchPaths }))).error.code).toBe('NOT_A_RUN')
  })
})

describe('a saved model', () => {
  it('matches the scores at the end of training, and predicts in order', async () => {
    const directory = folder()
    const events = await all(run(toyConfig(directory)))
    const last = only(events, 'evaluation.completed').at(-1)!
    const evaluation = await evaluateRun(directory, { split: 'validation', searchPaths })
    expect(evaluation.examples).toBe(20)
    expect(evaluation.scores['right']).toEqual(last.scores['right'])
    expect(evaluation.scores['loss']!.value).toBeCloseTo(last.scores['loss']!.value, 6)
    const predictor = await openPredictor(directory, { searchPaths })
    const examples = Array.from({ length: 20 }, (_, i) => toyExample(1000 + i))
    const predictions = (await predictor.predict(examples)) as Prediction[]
    await predictor.close()
    const right = predictions.filter(({ label }, i) => label === examples[i]!['label']).length
    expect(right / 20).toBeCloseTo(last.scores['right']!.value, 10)
    expect(predictions.map(({ truncated }) => truncated)).toEqual(examples.map(({ text }) => String(text).length > 8))
  })

  it('is stored in float16 with scores equal up to rounding', async () => {
    const directory = folder()
    const events = await all(run({ ...toyConfig(directory), saveAs: 'float16' }))
    const saved = readFileSync(join(directory, 'model/model.safetensors'))
    expect(saved.toString('latin1')).toContain('"F16"')
    expect(readFileSync(join(directory, 'model/config.json'), 'utf8')).toContain('"torch_dtype": "float16"')
    const last = only(events, 'evaluation.completed').at(-1)!
    const { scores } = await evaluateRun(directory, { split: 'validation', searchPaths })
    expect(scores['loss']!.value).toBeCloseTo(last.scores['loss']!.value, 2)
    expect(scores['loss']!.value).not.toBe(last.scores['loss']!.value)
  })

  it('of one task is evaluated without its event log', async () => {
    const directory = folder()
    await all(run(toyConfig(directory)))
    rmSync(join(directory, 'events.jsonl'))
    mkdirSync(join(directory, 'events.jsonl')) // reading it would fail
    const { examples } = await evaluateRun(directory, { split: 'validation', searchPaths })
    expect(examples).toBe(20)
  })

  it('rejects a split that the configuration does not define', async () => {
    const directory = folder()
    await all(run(toyConfig(directory)))
    await expect(evaluateRun(directory, { searchPaths })).rejects.toMatchObject({ code: 'NO_SUCH_SPLIT' })
  })
})
