import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'
import { type Advice, RULES, adviseOn, settingsOf } from './commands/advise/advise-on.js'
import { addRow, emptySummary, factsOf } from './commands/advise/facts.js'
import { SUBJECTS } from './commands/advise/rule.js'

const root = mkdtempSync(join(tmpdir(), 'attune-advise-'))
const { attune, close } = commandsIn(root, { ATTUNE_CACHE: join(root, 'cache') })
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})

const BASE = {
  task: 'sequence-classification',
  layout: 'texts and labels',
  rows: 5000,
  duplicates: 0,
  pretrained: true,
}
const on = (facts: object, about: string): string | undefined =>
  adviseOn({ ...BASE, ...facts }).find((each) => each.about === about)?.advice

describe('rules', () => {
  it('have a subject, a reason, a change and a source, and name known facts only', () => {
    const facts = [
      'task',
      'layout',
      'rows',
      'duplicates',
      'timeField',
      'textField',
      'labelField',
      'script',
      'scriptShare',
    ]
    const others = [
      'longWords',
      'imbalance',
      'rowsOfSmallestClass',
      'largestShare',
      'outlier',
      'weightsShare',
      'minutes',
    ]
    const known = new Set([...facts, ...others, 'memoryShare'])
    for (const { about, advice, because, unless, source, set = {} } of RULES) {
      expect(SUBJECTS).toContain(about)
      expect([because, unless, source].every((text) => text.length > 3)).toBe(true)
      const named = [...`${advice} ${because} ${unless} ${JSON.stringify(set)}`.matchAll(/\{(\w+)\}/g)]
      expect(named.map(([, name]) => name).filter((name) => !known.has(name!))).toEqual([])
    }
  })

  it.each([
    [{}, 'strategy', 'full'],
    [{ rows: 99 }, 'adapter', 'head-only'],
    [{ rows: 500 }, 'adapter', 'norms-only'],
    [{ rows: 500, vocabularyHead: true }, 'adapter', 'lora'],
    [{ weightsShare: 0.8 }, 'adapter', 'lora'],
    [{ weightsShare: 0.79 }, 'adapter', 'full'],
    [{ memoryShare: 1.2 }, 'learning rate', '0.0002'],
    [{ pretrained: false }, 'learning rate', '1e-3'],
    [{ pretrained: false, memoryShare: 1.2 }, 'memory', 'set training.microBatchSize to a quarter of the batch size'],
    [
      { pretrained: false, memoryShare: 1.2, task: 'contrastive', comparesExamples: true },
      'memory',
      'set training.gradientCheckpointing',
    ],
    [{ otherLabels: 2 }, 'strategy', 'full, and consider multi-task training'],
    [{ timeField: 'date' }, 'evaluation', 'validate on later rows than those that train'],
    [{ timeField: 'date' }, 'strategy', 'full, then online learning (learnOnline) as new rows arrive'],
    [{ imbalance: 3 }, 'loss', 'cross-entropy with class weights'],
    [{ imbalance: 2.9 }, 'loss', 'the default of the objective'],
    [{ task: 'regression', outlier: 6 }, 'loss', 'Huber loss'],
    [{ rows: 200_000 }, 'epochs', '1'],
    [{ script: 'Cyrillic', scriptShare: 0.98 }, 'language', 'check that the vocabulary has Cyrillic'],
    [{ timeShare: 2, minutes: 60 }, 'time', 'train fewer epochs, or a part of the model'],
  ])('advise with %j on %s: %s', (facts, about, expected) => {
    expect(on(facts, about)).toBe(expected)
  })

  it('fill facts into reasons and settings', () => {
    const advice = adviseOn({ ...BASE, duplicates: 0.25, textField: 'body' })
    expect(advice.find(({ about }) => about === 'data')!.because).toMatch(/^25 % of the texts repeat/)
    expect(settingsOf(advice)).toMatchObject({ filter: { use: 'duplicates', by: ['body'] } })
  })
})

describe('facts', () => {
  it('count classes, duplicates, words, scripts and outliers', () => {
    const summary = emptySummary()
    const rows = ['мир и война', 'мир и война', 'tiny', 'мир'].map((text, i) => ({
      text,
      label: i === 2 ? 'b' : 'a',
      date: i,
    }))
    for (const row of rows) addRow(summary, row, { text: 'text', label: 'label' })
    expect(factsOf(summary, { text: 'text', label: 'label' })).toMatchObject({
      rows: 4,
      duplicates: 0.25,
      medianWords: 3,
      classes: 2,
      imbalance: 3,
      largestShare: 0.75,
      rowsOfSmallestClass: 1,
      script: 'Cyrillic',
      timeField: 'date',
    })
    const numbers = emptySummary()
    for (const number of [1, 2, 3, 4, 100]) addRow(numbers, { text: 'x', number }, { text: 'text', number: 'number' })
    expect(factsOf(numbers, { text: 'text', number: 'number' })['outlier']).toBeCloseTo((100 - 3) / (4 - 2))
  })
})

describe('attune advise', () => {
  const write = (name: string, rows: readonly object[]): void =>
    writeFileSync(join(root, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const advised = async (...args: readonly string[]): Promise<Record<string, Advice>> => {
    const { out } = await attune(['advise', ...args, '--json'])
    const { advice } = JSON.parse(out) as { advice: Advice[] }
    return Object.fromEntries(advice.map((each) => [each.about, each]))
  }
  const trained = (config: string, directory: string) =>
    attune(['train', config, '--directory', directory, '--set', 'training.epochs=1', '--set', 'engine=tfjs-cpu'])

  it('counters imbalance and duplicates, with a configuration that runs', async () => {
    const review = (i: number) => ({
      review: `the film number ${i % 90} was ${i % 9 ? 'good' : 'bad'}`,
      stars: i % 9 ? 'up' : 'down',
    })
    write(
      'reviews.jsonl',
      Array.from({ length: 120 }, (_, i) => review(i)),
    )
    const { out } = await attune(['advise', 'reviews.jsonl', '--write', 'reviews.yaml'])
    expect(out).toMatch(/loss +cross-entropy with class weights +the largest class has 7\.571 times/)
    expect(out).toMatch(/metrics +macro F1/)
    const config = readFileSync(join(root, 'reviews.yaml'), 'utf8')
    expect(config).toMatch(/balancer:\n {2}use: class-weights\n {2}by: stars/)
    expect(config).toMatch(/filter:\n {2}use: duplicates\n {2}by: \[ ?review ?\]/)
    expect(config).toMatch(/best: macro-f1[^]*early-stopping, metric: macro-f1/)
    expect(await trained('reviews.yaml', 'reviews')).toMatchObject({ code: 0 })
    expect((await attune(['advise', 'reviews.jsonl', '--write', 'reviews.yaml'])).err).toContain('FILE_EXISTS')
  }, 120_000)

  it('trains only the head of a pretrained model on 50 rows', async () => {
    write(
      'tiny.jsonl',
      Array.from({ length: 50 }, (_, i) => ({ text: `film ${i}`, label: i % 2 ? 'up' : 'down' })),
    )
    const from = ['--from', join('reviews', 'model')]
    const { strategy, adapter, evaluation } = await advised('tiny.jsonl', ...from, '--write', 'tiny.yaml')
    expect([strategy!.advice, adapter!.advice]).toEqual(['few-shot: train a head on frozen features', 'head-only'])
    expect(evaluation!.advice).toContain('cross-validate')
    expect(await trained('tiny.yaml', 'tiny')).toMatchObject({ code: 0 })
    expect((await advised('tiny.jsonl'))['strategy']!.advice).toBe('few-shot: start from a pretrained model (--from)')
    expect((await advised('tiny.yaml'))['adapter']!.advice).toBe('head-only')
  }, 120_000)

  it('tunes a saved chat model on conversations, and needs one', async () => {
    const turns = (i: number) => [
      { role: 'user', content: `Say ${i % 7}` },
      { role: 'assistant', content: `It is ${i % 7}` },
    ]
    write(
      'chat.jsonl',
      Array.from({ length: 40 }, (_, i) => ({ messages: turns(i) })),
    )
    expect((await attune(['advise', 'chat.jsonl', '--write', 'chat.yaml'])).err).toMatch(/BAD_USAGE[^]*--from FOLDER/)
    write(
      'texts.jsonl',
      Array.from({ length: 40 }, (_, i) => ({ text: `Say ${i % 7} It is ${i % 7}` })),
    )
    expect((await advised('texts.jsonl', '--write', 'texts.yaml'))['objective']!.advice).toBe(
      'causal-language-modeling',
    )
    expect(await trained('texts.yaml', 'texts')).toMatchObject({ code: 0 })
    const template = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
    writeFileSync(join(root, 'texts/model/chat_template.jinja'), template)
    const from = ['--from', join('texts', 'model')]
    expect((await advised('chat.jsonl', ...from, '--write', 'chat.yaml'))['objective']!.advice).toBe(
      'instruction-tuning',
    )
    expect(await trained('chat.yaml', 'chat')).toMatchObject({ code: 0 })
  }, 180_000)
})
