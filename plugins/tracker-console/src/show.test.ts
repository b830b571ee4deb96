import type { RunEvent } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import { Subject, of } from 'rxjs'
import { showOn } from './show.js'

type Untimed = { readonly type: string } & Readonly<Record<string, unknown>>

const facts = {
  seed: 7,
  steps: 200,
  epochs: 2,
  examples: 1600,
  parameters: 4_385_920,
  trainableParameters: 258,
  engine: 'TF.js, 1 thread',
  scores: { loss: 'minimize', accuracy: 'maximize' },
  directory: 'runs/one',
}
const step = (number: number): Untimed => ({
  type: 'step.completed',
  step: number,
  steps: 200,
  epoch: number <= 100 ? 0 : 1,
  loss: 2 / number,
  learningRate: 1e-3,
  gradientNorm: 1,
  examples: 8,
  tokens: 500,
  tokensPerSecond: 1000,
  secondsLeft: 200 - number,
})
const evaluation: Untimed = {
  type: 'evaluation.completed',
  step: 100,
  split: 'validation',
  scores: {
    loss: { value: 0.25 },
    'macro-f1': {
      value: 0.75,
      parts: {
        spam: { precision: 1, recall: 0.5, f1: 2 / 3, support: 20 },
        '\u001b[31mham': { precision: 0.5, recall: 1, f1: 2 / 3, support: 10 },
      },
    },
  },
  examples: 30,
  seconds: 1.5,
}

/** The output for events, each `milliseconds` after the one before. */
function written(
  events: readonly Untimed[],
  { live = false, milliseconds = 1000, columns = 100, environment = {} as NodeJS.ProcessEnv } = {},
): string[] {
  const writes: string[] = []
  const terminal = { isTTY: live, columns, write: (text: string) => writes.push(text) }
  const timed = events.map(
    (event, i) => ({ at: 1_700_000_000_000 + milliseconds * i, ...event }) as unknown as RunEvent,
  )
  showOn(terminal, 5, environment)(of(...timed))
  return writes
}
const lines = (events: readonly Untimed[], options?: Parameters<typeof written>[1]): string[] =>
  written(events, options).join('').trimEnd().split('\n')

const steps = Array.from({ length: 200 }, (_, i) => step(i + 1))

describe('preparation before the run', () => {
  const learning = (done: number, seconds: number, more = {}): Untimed => ({
    type: 'fit.progressed',
    plugin: 'tokenizer bpe',
    phase: 'tokens learned',
    done,
    seconds,
    ...more,
  })

  it('shows each stage of the data in a line', () => {
    const stage = {
      type: 'stage.made',
      stage: 'filter duplicates',
      kind: 'filter',
      examplesIn: 4000,
      examplesOut: 3990,
    }
    const text = written([
      { ...stage, because: { duplicate: 10 }, seconds: 2, path: '/cache/1.jsonl', reused: false },
      { ...stage, seconds: 2, reused: true },
    ]).join('')
    expect(text).toContain('filter duplicates 4,000 → 3,990 examples, 2.0 s: /cache/1.jsonl\n')
    expect(text).toContain('filter duplicates 4,000 → 3,990 examples, reused: in memory\n')
  })

  it('is shown with its rate and the remaining time', () => {
    expect(lines([learning(1200, 4)])).toEqual(['tokenizer bpe: 1,200 tokens learned  300/s'])
    expect(lines([learning(2000, 4, { total: 8000 })])).toEqual([
      'tokenizer bpe: 2,000 of 8,000 tokens learned  500/s  12 s left',
    ])
    expect(lines([learning(0, 0)])).toEqual(['tokenizer bpe: 0 tokens learned'])
    expect(lines([learning(1, 1, { phase: '\u001b[31mred' })])[0]).not.toContain('\u001b')
  })

  it('is redrawn on a terminal, printed every five seconds elsewhere, and cleared when the run starts', () => {
    const many = Array.from({ length: 20 }, (_, i) => learning(i, i))
    expect(lines(many)).toHaveLength(4)
    const live = written([...many, { type: 'run.started', ...facts }], { live: true, columns: 40 })
    expect(live.filter((text) => text.includes('tokenizer bpe'))).toHaveLength(20)
    expect(live.every((text) => text.includes('\n') || text.replace('\r\u001b[K', '').length < 40)).toBe(true)
    expect(live.at(-1)).toContain('training')
    expect(live.at(-1)).not.toContain('tokenizer')
  })
})

describe('the progress line', () => {
  it('is redrawn at most ten times a second on a terminal', () => {
    const writes = written(steps, { live: true, milliseconds: 10 })
    expect(writes.filter((text) => text.includes('step '))).toHaveLength(20)
    expect(writes.join('')).not.toContain('\n')
  })

  it('is redrawn at every step if steps are slow', () =>
    expect(written(steps, { live: true }).filter((text) => text.includes('step '))).toHaveLength(200))

  it('is printed every five seconds elsewhere, plain, from the first step on', () => {
    const plain = lines(steps)
    expect(plain).toHaveLength(40)
    expect(plain[1]).toMatch(
      /^epoch 1\/1 {2}step 6\/200 {2}loss \S+ {2}learning rate 0\.001000 {2}1,000 tokens\/s {2}3 min 14 s left$/,
    )
    // eslint-disable-next-line no-control-regex -- the test checks that there are no escapes
    expect(plain.join('')).not.toMatch(/[\r\u001b]/)
  })

  it('is printed at evaluations too, once per step', () => {
    const started: Untimed = { type: 'evaluation.started', step: 3, split: 'validation' }
    const progress = lines([...steps.slice(0, 3), started, evaluation], { milliseconds: 1 }).filter((line) =>
      line.startsWith('epoch'),
    )
    expect(progress).toHaveLength(2)
    expect(progress[1]).toMatch(/step 3\/200.*scoring validation …$/)
  })

  it('is cleared at the end', () => {
    const end: Untimed = { type: 'run.completed', step: 200, seconds: 9, because: 'finished' }
    const text = written([step(1), end], { live: true, environment: { NO_COLOR: '1' } }).join('')
    expect(text.slice(text.lastIndexOf('\u001b[K') + 3)).toBe('finished at step 200 after 9.0 s\n')
  })
})

describe('messages', () => {
  it('show the facts of a run', () =>
    expect(lines([{ type: 'run.started', ...facts }])).toEqual([
      'training',
      '  1,600 examples, 2 epochs, 200 steps, seed 7',
      '  4.39M parameters, 258 of them trained; TF.js, 1 thread',
      '  runs/one',
    ]))

  it('show scores as a table, and by label if there are parts, without control characters of the data', () =>
    expect(lines([evaluation])).toEqual([
      'validation at step 100: 30 examples in 1.5 s',
      '  score      value',
      '  loss      0.2500',
      '  macro-f1  0.7500',
      '  macro-f1 by label',
      '  label     precision  recall      f1  support',
      '  spam         1.0000  0.5000  0.6667       20',
      '  �[31mham     0.5000  1.0000  0.6667       10',
    ]))

  it('show the loss of several tasks by task', () => {
    const parts = { topic: { loss: 0.5, support: 2 }, tone: { loss: 1, support: 9 } }
    expect(lines([{ ...evaluation, scores: { loss: { value: 0.9, parts } } }]).slice(-4)).toEqual([
      '  loss by task',
      '  task     loss  support',
      '  topic  0.5000        2',
      '  tone   1.0000        9',
    ])
  })

  it('show at most thirty labels and the number of the others', () => {
    const parts = Object.fromEntries(Array.from({ length: 45 }, (_, i) => [`label ${i}`, { f1: 0.5 }]))
    const shown = lines([{ ...evaluation, scores: { f1: { value: 0.5, parts } } }])
    expect(shown.filter((line) => /label \d/.test(line))).toHaveLength(30)
    expect(shown.at(-1)).toBe('  … and 15 more')
  })

  it.each<[Untimed, string[]]>([
    [
      { type: 'checkpoint.saved', step: 100, path: 'runs/one/checkpoints/100', bytes: 52_631_040, because: 'best' },
      ['checkpoint of step 100, 52.6 MB: runs/one/checkpoints/100 (best)'],
    ],
    [
      { type: 'rows.rejected', split: 'train', count: 12, path: 'runs/one/rejects/train.jsonl' },
      ['rejected 12 rows of train, kept in runs/one/rejects/train.jsonl'],
    ],
    [
      { type: 'texts.truncated', split: 'train', count: 1, maximumLength: 128 },
      ['truncated 1 text of train to 128 tokens'],
    ],
    [
      { type: 'vectors.loaded', path: 'glove.txt.gz', found: 7012, tokens: 8000 },
      ['word vectors for 7,012 of 8,000 tokens: glove.txt.gz'],
    ],
    [
      { type: 'command.given', step: 5, command: { type: 'stop', because: 'Ctrl-C' } },
      ['command at step 5: stop (Ctrl-C)'],
    ],
    [
      { type: 'command.given', step: 5, command: { type: 'save', label: 'best', because: 'loss 0.5' } },
      ['command at step 5: save best (loss 0.5)'],
    ],
    [{ type: 'run.warned', step: 5, message: 'odd\nvery odd' }, ['warning odd', '  very odd']],
    [
      { type: 'run.completed', step: 50, seconds: 65, because: 'Ctrl-C', model: 'runs/one/model' },
      ['stopped (Ctrl-C) at step 50 after 1 min 05 s; model: runs/one/model'],
    ],
    [
      {
        type: 'run.completed',
        step: 50,
        seconds: 65,
        because: 'finished',
        model: 'runs/one/model',
        restored: { step: 30, scores: { loss: { value: 0.25 }, accuracy: { value: 0.75 } } },
      },
      [
        'saved model: weights of step 30, loss 0.2500, accuracy 0.7500',
        'finished at step 50 after 1 min 05 s; model: runs/one/model',
      ],
    ],
  ])('describe %j', (event, expected) => expect(lines([event])).toEqual(expected))

  it('omit a save without a label, a failure, and unknown events', () =>
    expect(
      written([
        { type: 'command.given', step: 5, command: { type: 'save', because: 'best' } },
        { type: 'run.failed', step: 5, code: 'LOSS_NOT_FINITE', problem: 'the loss is NaN', remedy: 'Lower it.' },
        { type: 'constructor' },
        { type: 'third-party.event', value: 1 },
      ]),
    ).toEqual([]))

  it('end with the loss curve, as wide as the terminal', () => {
    const end: Untimed = { type: 'run.completed', step: 200, seconds: 200, because: 'finished' }
    const all = lines([{ type: 'run.started', ...facts }, ...steps, evaluation, end], { columns: 72 })
    const curve = all.slice(-14)
    expect(curve[0]).toMatch(/^ *2 ┤[⠁-⣿]/)
    expect(curve.filter((line) => line.includes('●'))).toHaveLength(2)
    expect(Math.max(...curve.map((line) => line.length))).toBeLessThanOrEqual(72)
    expect(curve.at(-1)).toBe('finished at step 200 after 3 min 20 s')
  })
})

describe('the subscription', () => {
  it('ends with the run, and clears the line when it is unsubscribed', () => {
    const source = new Subject<RunEvent>()
    let text = ''
    const subscription = showOn({ isTTY: true, write: (part) => (text += part) }, 5, {})(source)
    source.next({ at: 0, ...step(1) } as unknown as RunEvent)
    subscription.unsubscribe()
    expect(text.endsWith('\r\u001b[K')).toBe(true)
    expect(source.observed).toBe(false)
  })
})
