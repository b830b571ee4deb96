import { readFileSync } from 'node:fs'
import { type Command, type RunEvent, type UntimedEvent, parseEvent } from '@attune/core'
import { describeCallback, evaluationEvents, startedRun } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { from } from 'rxjs'
import { diagnostician } from './diagnostician.js'
import { trendOf } from './findings.js'

type Options = Parameters<typeof diagnostician>[0]

const recorded = (name: string): RunEvent[] =>
  readFileSync(`golden/${name}.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => parseEvent(line) as RunEvent)

/** Commands for events, each with the index of its event. */
function commandsFor(events: readonly UntimedEvent[], options: Options = {}): Command[] {
  const commands: Command[] = []
  diagnostician(options)(from(events.map((event) => ({ at: 0, ...event }) as RunEvent))).subscribe((command) =>
    commands.push(command),
  )
  return commands
}
const eventsOf = (commands: readonly Command[]) =>
  commands.map((command) => (command as { event: Record<string, unknown> }).event)
const problemsIn = (commands: readonly Command[]): unknown[] =>
  eventsOf(commands).flatMap(({ type, problem }) => (type === 'diagnosis.found' ? [problem] : []))

/** Steps with given losses, and a validation after every ten of them. */
function training(
  losses: readonly number[],
  { validations = [], norms = [], rates = [] }: Readonly<Record<string, readonly number[]>> = {},
): UntimedEvent[] {
  const steps = losses.flatMap((loss, i): UntimedEvent[] => {
    const step = i + 1
    const taken = {
      type: 'step.completed',
      step,
      steps: losses.length,
      epoch: 0,
      loss,
      learningRate: rates[i] ?? 0.1,
      gradientNorm: norms[i] ?? 1,
      examples: 8,
      tokens: 80,
      tokensPerSecond: 1000,
      secondsLeft: 1,
    } as const
    const value = validations[step / 10 - 1]
    if (step % 10 > 0 || value === undefined) return [taken]
    const evaluated = { type: 'evaluation.completed', step, split: 'validation', examples: 8, seconds: 1 } as const
    return [taken, { ...evaluated, scores: { loss: { value } } }]
  })
  return [startedRun, ...steps, { type: 'training.completed', step: losses.length, because: 'finished' }]
}
const constant = (count: number, value: number): number[] => new Array<number>(count).fill(value)
const ramp = (count: number, start: number, end: number): number[] =>
  Array.from({ length: count }, (_, i) => start + ((end - start) * i) / (count - 1))

describeCallback(diagnostician, {
  cases: [
    {
      name: 'reports a gradient spike at its step, once, and a summary at the end',
      options: { window: 5, spike: 10 },
      events: training(ramp(12, 1, 0.2), { norms: [1, 1, 1, 1, 1, 1, 30, 1, 1, 40, 1, 1] }),
      expected: {
        7: [
          {
            type: 'record',
            event: expect.objectContaining({ type: 'diagnosis.found', problem: 'gradient-spike', step: 7 }),
            because: expect.stringContaining('gradient norm 30 at step 7, 30 times the median 1'),
          },
        ],
        13: [
          {
            type: 'record',
            event: expect.objectContaining({ type: 'diagnosis.completed', training: expect.closeTo(0.345, 2) }),
            because: expect.stringMatching(/^gradient-spike: training loss/),
          },
        ],
      },
    },
    {
      name: 'says nothing about a run without steps',
      options: {},
      events: evaluationEvents('loss', [1, 2]),
      expected: {},
    },
  ],
})

describe('diagnostician on recorded runs', () => {
  it.each([
    ['fine', []],
    ['underfits', ['underfitting']],
    // The labels are random. The model predicts one class until it starts to memorize.
    ['overfits', ['class-collapse', 'overfitting']],
    ['diverges', ['divergence', 'class-collapse', 'gradient-spike']],
    ['collapses', ['class-collapse', 'underfitting']],
  ])('finds in the run that %s: %j', (name, problems) => {
    const commands = commandsFor(recorded(name))
    expect(problemsIn(commands)).toEqual(problems)
    const [last] = eventsOf(commands).slice(-1)
    expect(last).toMatchObject({ type: 'diagnosis.completed', findings: { length: problems.length } })
    const events = recorded(name)
    const losses = events.flatMap((event) =>
      event.type === 'evaluation.completed' ? [event.scores['loss']!.value] : [],
    )
    expect(last!['validation']).toBe(losses.at(-1))
    expect(Number(last!['gap'])).toBeCloseTo(losses.at(-1)! - Number(last!['training']), 10)
  })
})

describe('diagnostician', () => {
  const flat = (validations: readonly number[] = constant(6, 0.9)) => ({ validations })

  it('reports overfitting with its numbers only while the training loss falls', () => {
    const validations = [0.8, 0.6, 0.5, 0.55, 0.6, 0.7]
    const [found] = commandsFor(training(ramp(60, 1, 0.1), { validations }))
    expect(found!.because).toMatch(
      /^overfitting: validation loss 0.6, up from 0.5 at step 30, while the training loss fell/,
    )
    expect(problemsIn(commandsFor(training(constant(60, 1), { validations })))).not.toContain('overfitting')
  })

  it('ignores a rise of the validation loss within the tolerance', () => {
    const validations = [0.8, 0.6, 0.5, 0.51, 0.51, 0.51]
    expect(problemsIn(commandsFor(training(ramp(60, 1, 0.1), { validations })))).toEqual([])
    expect(problemsIn(commandsFor(training(ramp(60, 1, 0.1), { validations }), { tolerance: 0.01 }))).toEqual([
      'overfitting',
    ])
  })

  it('reports divergence after half of what was gained is lost', () => {
    const losses = [...ramp(40, 2, 0.5), ...ramp(40, 0.5, 1.9)]
    const [found] = commandsFor(training(losses))
    expect(found!.because).toMatch(/^divergence: mean training loss .* minimum 0.\d+ at step \d+, baseline 1.8/)
    expect(problemsIn(commandsFor(training([...ramp(40, 2, 0.5), ...constant(40, 0.7)])))).toEqual([])
  })

  it('reports a plateau at a loss that is neither low nor that of the start', () => {
    const losses = [...ramp(20, 2, 1), ...constant(40, 1)]
    expect(problemsIn(commandsFor(training(losses, flat())))).toEqual(['plateau'])
    const low = [...ramp(20, 2, 0.1), ...constant(40, 0.1)]
    expect(problemsIn(commandsFor(training(low, flat())))).toEqual([])
  })

  it('reports no plateau where the schedule has lowered the learning rate', () => {
    const losses = [...ramp(20, 2, 1), ...constant(40, 1)]
    const rates = [...constant(20, 0.1), ...constant(40, 0.001)]
    expect(problemsIn(commandsFor(training(losses, { ...flat(), rates })))).toEqual([])
  })

  it('reports underfitting against a given baseline, and vanishing gradients', () => {
    expect(problemsIn(commandsFor(training(ramp(60, 1, 0.67)), { baseline: 0.7 }))).toEqual(['underfitting'])
    expect(problemsIn(commandsFor(training(ramp(60, 1, 0.3)), { baseline: 0.7 }))).toEqual([])
    expect(problemsIn(commandsFor(training(ramp(60, 1, 0.3), { norms: constant(60, 1e-9) })))).toEqual([
      'vanishing-gradient',
    ])
  })

  it('reports no underfitting where the validation loss is low and the training loss includes penalties', () => {
    expect(problemsIn(commandsFor(training(constant(60, 1), flat(constant(6, 0.98)))))).toEqual(['underfitting'])
    expect(problemsIn(commandsFor(training(constant(60, 1), flat(constant(6, 0.4)))))).toEqual([])
  })

  it('reports that both losses still fall at the end', () => {
    const validations = ramp(6, 1, 0.4)
    expect(problemsIn(commandsFor(training(ramp(60, 1, 0.2), { validations })))).toEqual(['still-improving'])
  })

  it('computes the slope of a least-squares line', () => {
    expect(trendOf([1, 3, 5, 7])).toBe(2)
    expect(trendOf([0, 1, 0])).toBe(0)
    expect(trendOf([4])).toBe(0)
  })
})
