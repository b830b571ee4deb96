import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyPlugin, RunEvent, RunEvents, Tracker } from '@attune/core'
import { Subject, config, of } from 'rxjs'
import { describeOptions } from './describe-options.js'
import { fakeClock } from './fake-clock.js'
import { replaceMethod } from './replace-method.js'
import { afterEach, beforeEach, describe, expect, it } from './runner.js'

type Fields = { readonly [K in keyof RunEvents]: RunEvents[K] }

const facts = (directory: string): RunEvents['run.started'] => ({
  seed: 7,
  steps: 4,
  epochs: 2,
  examples: 64,
  parameters: 1000,
  trainableParameters: 900,
  engine: 'a test engine',
  scores: { loss: 'minimize', accuracy: 'maximize' },
  directory,
})

const step = (number: number, loss: number): RunEvents['step.completed'] => ({
  step: number,
  steps: 4,
  epoch: 0,
  loss,
  learningRate: 1e-4,
  gradientNorm: 1.5,
  examples: 32,
  tokens: 1024,
  tokensPerSecond: 2048,
  secondsLeft: 3,
})

/** One event of each type of core, in the order of a run. */
const oneOfEach = (directory: string): Fields => ({
  'fit.progressed': { plugin: 'tokenizer bpe', phase: 'texts read', done: 1000, total: 4000, seconds: 2 },
  'stage.made': {
    stage: 'filter duplicates',
    kind: 'filter',
    examplesIn: 4000,
    examplesOut: 3990,
    because: { 'exact duplicate': 10 },
    seconds: 0.1,
    path: join(directory, 'stage.jsonl'),
    reused: false,
  },
  'run.started': facts(directory),
  'run.resumed': { ...facts(directory), step: 2, checkpoint: join(directory, 'checkpoints', '2') },
  'rollout.completed': { step: 3, values: { reward: 0.5, completionTokens: 12 } },
  'rows.rejected': { split: 'train', count: 3, path: join(directory, 'rejects', 'train.jsonl') },
  'texts.truncated': { split: 'train', count: 5, maximumLength: 128 },
  'vectors.loaded': { path: join(directory, 'vectors.txt.gz'), found: 900, tokens: 1000 },
  'epoch.started': { epoch: 0, step: 0 },
  'step.completed': step(1, 0.7),
  'evaluation.started': { step: 1, split: 'validation' },
  'evaluation.completed': {
    step: 1,
    split: 'validation',
    scores: {
      loss: { value: 0.6 },
      'macro-f1': {
        value: 0.5,
        parts: {
          'a label': { precision: 1, recall: 0.5, f1: 0.667, support: 20 },
          '\u001b[2J\n': { precision: 0, recall: 0, f1: 0, support: 0 },
        },
      },
    },
    examples: 32,
    seconds: 0.5,
  },
  'checkpoint.saved': { step: 1, path: join(directory, 'checkpoints', '1'), bytes: 4096, because: 'every step' },
  'command.given': { step: 1, command: { type: 'save', because: 'every step', label: 'best' } },
  'run.warned': { step: 1, message: 'something is odd' },
  'training.completed': { step: 4, because: 'finished' },
  'run.completed': { step: 4, seconds: 2, because: 'finished', model: join(directory, 'model') },
  'run.failed': { step: 4, code: 'SOME_CODE', problem: 'something is wrong', remedy: 'Fix it.' },
})

const START = 1767225600000

/** Every event type, an unknown one, and losses that are not finite. */
function events(directory: string): RunEvent[] {
  const known = Object.entries(oneOfEach(directory)).map(([type, fields]) => ({ type, ...(fields as object) }))
  const unknown = { type: 'third-party.event', anything: { nested: [1, null] } }
  const oddLosses = [Number.NaN, Infinity, -Infinity].map((loss, i) => ({
    type: 'step.completed',
    ...step(i + 2, loss),
  }))
  return [...known.slice(0, 7), unknown, ...oddLosses, ...known.slice(7)].map(
    (event, i) => ({ at: START + 500 * i, ...event }) as RunEvent,
  )
}

/** Runs `work` without output: only while it runs, since test runners write to the same streams. */
function quietly(work: () => void): void {
  const restores = [process.stdout, process.stderr].map((output) => replaceMethod(output, 'write', () => true))
  try {
    work()
  } finally {
    for (const restore of restores) restore()
  }
}

/**
 * Contract of a tracker: subscribes until the events complete, fail or are unsubscribed, then releases them and leaves no timer;
 * handles every event type, including unknown ones and losses that are not finite; and never throws into the run. Its output to
 * stdout and stderr is suppressed; the run directory is a temporary folder.
 */
export function describeTracker(
  plugin: AnyPlugin,
  { options = {} }: { readonly options?: Readonly<Record<string, unknown>> } = {},
): void {
  describe(`tracker ${plugin.name}`, () => {
    let directory = ''
    let thrown: unknown[] = []
    let clock: ReturnType<typeof fakeClock>
    const quiet = (title: string, body: () => void): void => void it(title, () => quietly(body))
    const track = (source: Parameters<Tracker>[0]) => (plugin(options) as Tracker)(source)

    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'attune-tracker-'))
      thrown = []
      config.onUnhandledError = (error) => thrown.push(error)
      clock = fakeClock(START)
    })
    afterEach(() => {
      // rxjs reports unhandled errors once, from a timer; a leftover interval would restart forever.
      quietly(() => clock.runToLast())
      clock.uninstall()
      config.onUnhandledError = null
      rmSync(directory, { recursive: true, force: true })
      expect(thrown).toEqual([])
    })
    describeOptions(plugin, options)

    quiet('handles every event type, including unknown ones, in any order', () => {
      for (const order of [events(directory), events(directory).reverse()]) {
        const subscription = track(of(...order))
        expect(subscription.closed).toBe(true)
      }
    })

    quiet('handles an empty run', () => expect(track(of()).closed).toBe(true))

    quiet('unsubscribes from the events at any time, also twice', () => {
      const all = events(directory)
      for (let sent = 0; sent <= all.length; sent++) {
        const source = new Subject<RunEvent>()
        const subscription = track(source)
        expect(source.observed).toBe(true)
        all.slice(0, sent).forEach((event) => source.next(event))
        subscription.unsubscribe()
        subscription.unsubscribe()
        expect(source.observed).toBe(false)
        expect(clock.countTimers()).toBe(0)
      }
    })

    quiet('handles the failure of a run', () => {
      const source = new Subject<RunEvent>()
      const subscription = track(source)
      events(directory).forEach((event) => source.next(event))
      source.error(new Error('the run failed'))
      expect(subscription.closed).toBe(true)
      expect(clock.countTimers()).toBe(0)
    })

    quiet('shares no state between two runs', () => {
      const [first, second] = [new Subject<RunEvent>(), new Subject<RunEvent>()]
      const tracker = plugin(options) as Tracker
      const [one, other] = [tracker(first), tracker(second)]
      expect([first.observed, second.observed]).toEqual([true, true])
      first.complete()
      expect([one.closed, other.closed, second.observed]).toEqual([true, false, true])
      other.unsubscribe()
    })
  })
}
