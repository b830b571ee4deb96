import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AttuneError, type RunEvent, isAttuneError } from '@attune/core'
import { type RunConfig, evaluateRun, run } from '@attune/trainer/node'
import { afterAll, describe, expect, it } from '@jest/globals'
import { searchPathsFrom } from './search-paths.js'

const root = mkdtempSync(join(tmpdir(), 'attune-rows-'))
afterAll(() => rmSync(root, { recursive: true }))

type Row = Readonly<Record<string, unknown>>

const good: readonly Row[] = Array.from({ length: 12 }, (_, i) => ({
  text: i % 2 === 0 ? 'a fine film' : 'a bad film',
  label: i % 2 === 0 ? 'fine' : 'bad',
}))

/** Writes rows with another one on line 4. */
function jsonl(name: string, change: Row = {}): Row {
  const path = join(root, `${name}.jsonl`)
  writeFileSync(path, good.map((row, i) => `${JSON.stringify(i === 3 ? { ...row, ...change } : row)}\n`).join(''))
  return { use: 'jsonl', path }
}

function csv(name: string, header: string): Row {
  const path = join(root, `${name}.csv`)
  writeFileSync(path, `${header}\n${good.map(({ text, label }) => `${String(text)},${String(label)}\n`).join('')}`)
  return { use: 'csv', path }
}

interface Outcome {
  readonly events: readonly RunEvent[]
  readonly error: AttuneError | undefined
}

function train(change: Row): Promise<Outcome> {
  const config = {
    data: { train: jsonl('good'), validation: jsonl('good') },
    tokenizer: { use: 'word', vocabularySize: 20, minimumFrequency: 1 },
    model: { use: 'mlp', embeddingSize: 4, hiddenSizes: [4] },
    objective: { use: 'sequence-classification' },
    engine: 'tfjs-cpu',
    training: { epochs: 1, batchSize: 8 },
    ...change,
  }
  const events: RunEvent[] = []
  return new Promise((done) =>
    run(config as unknown as RunConfig, { searchPaths: searchPathsFrom(), dataFolder: join(root, 'data') }).subscribe({
      next: (event) => void events.push(event),
      error: (error: unknown) => done({ events, error: isAttuneError(error) ? error : undefined }),
      complete: () => done({ events, error: undefined }),
    }),
  )
}

const warningsIn = (events: readonly RunEvent[]): readonly string[] =>
  events.flatMap((event) =>
    event.type === 'run.warned' && !/^nothing is saved/.test(event.message) ? [event.message] : [],
  )

const tiny = { use: 'gpt2', nEmbd: 8, nLayer: 1, nHead: 2, nPositions: 16 }
const languageModel = { objective: 'causal-language-modeling', model: tiny }
const classes = { objective: { use: 'sequence-classification', labels: ['fine', 'bad'] } }
const bad =
  (change: Row, more: Row = {}) =>
  (): Row => ({
    data: { train: jsonl('train', change), validation: jsonl('good') },
    ...more,
  })
const badValidation = (change: Row) => (): Row => ({
  data: { train: jsonl('good'), validation: jsonl('validation', change) },
})

describe('a run refuses rows before it starts, with file and line', () => {
  it.each<[string, string, RegExp, () => Row]>([
    ['an empty label', 'MISSING_FIELD', /an empty one \(.*train\.jsonl:4\)$/, bad({ label: '' })],
    ['a blank label', 'MISSING_FIELD', /an empty one \(.*train\.jsonl:4\)$/, bad({ label: ' \t' }, classes)],
    ['no label', 'BAD_ROW', /"label", got null.*train\.jsonl:4\)$/, bad({ label: null })],
    ['a list of labels', 'MISSING_FIELD', /one label .* got a list: .*train\.jsonl:4\)$/, bad({ label: ['a', 'b'] })],
    ['an unknown label', 'UNKNOWN_LABEL', /got "finee" \(.*train\.jsonl:4\)$/, bad({ label: 'finee' }, classes)],
    ['an empty label of validation', 'MISSING_FIELD', /validation\.jsonl:4\)$/, badValidation({ label: '' })],
    [
      'an unknown label of validation',
      'UNKNOWN_LABEL',
      /got "gut" \(.*validation\.jsonl:4\)$/,
      badValidation({ label: 'gut' }),
    ],
    ['an empty text of a language model', 'EMPTY_TEXT', /train\.jsonl:4\)$/, bad({ text: ' \u00a0' }, languageModel)],
    ['a number as the text of a language model', 'MISSING_FIELD', /train\.jsonl:4\)$/, bad({ text: 5 }, languageModel)],
    [
      'a column that the header lacks',
      'BAD_HEADER',
      /^expected the column "label" in the header, got "text", "lable" \(.*\.csv\)$/,
      () => ({ data: { train: csv('header', 'text,lable'), validation: jsonl('good') } }),
    ],
  ])('%s', async (_, code, problem, change) => {
    const { events, error } = await train(change())
    expect(error).toMatchObject({ code, problem: expect.stringMatching(problem) })
    expect(events.map(({ type }) => type)).not.toContain('run.started')
  })

  it.each<[string, Row]>([
    ['filter', { filter: { use: 'duplicates', by: ['text', 'lable'] } }],
    ['balancer', { balancer: { use: 'class-weights', by: 'lable' } }],
    ['protocol', { data: { train: jsonl('good') }, protocol: { use: 'holdout', stratifyBy: 'lable' } }],
    ['protocol', { data: { train: jsonl('good') }, protocol: { use: 'k-fold', groupBy: 'lable' } }],
    ['tokenizer', { tokenizer: { use: 'word', field: ['text', 'lable'], vocabularySize: 20, minimumFrequency: 1 } }],
    ['augmenter', { augmenter: { use: 'word-deletion', text: 'txt' } }],
  ])('a field that no row has in the options of a %s', async (kind, change) => {
    const { error } = await train(change)
    expect(error).toMatchObject({
      code: 'MISSING_FIELD',
      problem: expect.stringMatching(new RegExp(`^${kind} .*expected the field "(lable|txt)"`)),
      remedy: expect.stringMatching(/"(label|text)"/),
    })
  })
})

it('a run counts empty texts once in a warning that names the first rows', async () => {
  const { events, error } = await train(badValidation({ text: ' \t' })())
  expect(error).toBeUndefined()
  expect(warningsIn(events)).toEqual([
    `validation: 1 example has an empty text in field "text": ${join(root, 'validation.jsonl')}:4`,
  ])
  const texts = Object.fromEntries(good.map((row, i) => [i, i < 5 ? '' : row['text']]))
  const path = join(root, 'gaps.jsonl')
  writeFileSync(path, good.map((row, i) => `${JSON.stringify({ ...row, text: texts[i], id: i })}\n`).join(''))
  const { events: others } = await train({
    data: { train: { use: 'jsonl', path }, validation: jsonl('good') },
    filter: { use: 'duplicates', by: ['id'] },
  })
  expect(warningsIn(others)).toEqual([
    `train: 5 examples have an empty text in field "text": ${path}:1, ${path}:2, ${path}:3, …`,
  ])
})

it('a run names a row of the numbers that it refuses as classes', async () => {
  const path = join(root, 'numbers.jsonl')
  writeFileSync(
    path,
    Array.from({ length: 60 }, (_, i) => `${JSON.stringify({ text: 'a film', label: i / 4 })}\n`).join(''),
  )
  const { error } = await train({ data: { train: { use: 'jsonl', path }, validation: jsonl('good') } })
  expect(error).toMatchObject({
    code: 'NO_LABELS',
    problem: `expected the labels of classes, got 60 distinct numbers (0, 0.25, 0.5, …), as in a regression (${path}:2)`,
    remedy: expect.stringContaining('use: regression'),
  })
})

it('a run counts answers that are truncated entirely in a warning that names the first row', async () => {
  const said = (...contents: readonly string[]): Row => ({
    messages: contents.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content })),
  })
  const rows = (name: string, third: Row): Row => {
    const path = join(root, `${name}.jsonl`)
    const short = said('hi', 'yes', 'and', 'no')
    writeFileSync(path, [short, short, third, short].map((row) => `${JSON.stringify(row)}\n`).join(''))
    return { use: 'jsonl', path }
  }
  const folder = join(root, 'chat')
  mkdirSync(folder)
  const vocabulary = Object.fromEntries(['[UNK]', ...'abdehinosy[];'].map((token, id) => [token, id]))
  const model = { type: 'WordLevel', vocab: vocabulary, unk_token: '[UNK]' }
  const splitter = { type: 'Split', pattern: { Regex: '.' }, behavior: 'Isolated', invert: false }
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ model, pre_tokenizer: splitter, added_tokens: [] }))
  const template = '{% for m in messages %}{{ m.role[0] }}{{ m.content }};{% endfor %}'
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ chat_template: template }))
  const { events, error } = await train({
    data: { train: rows('talk', said('hi', 'yes', 'a'.repeat(20), 'no')), validation: rows('fit', said('hi', 'no')) },
    tokenizer: { use: 'word', path: folder },
    model: { ...tiny, nPositions: 24 },
    objective: 'instruction-tuning',
  })
  expect(error).toBeUndefined()
  expect(warningsIn(events)).toEqual([
    `train: 1 example has an answer that is truncated entirely and does not train: ${join(root, 'talk.jsonl')}:3`,
  ])
})

it('skips and records rows that the objective cannot use with onBadRow: skip', async () => {
  const skipping = { ...jsonl('train', { label: '' }), onBadRow: 'skip' }
  const { events, error } = await train({ data: { train: skipping, validation: jsonl('good') } })
  expect(error).toBeUndefined()
  expect(events.find(({ type }) => type === 'rows.rejected')).toMatchObject({ split: 'train', count: 1 })
})

it('evaluateRun refuses an unknown label with file and line', async () => {
  const directory = join(root, 'run')
  expect((await train({ directory })).error).toBeUndefined()
  const searchPaths = searchPathsFrom()
  await expect(
    evaluateRun(directory, { source: jsonl('later', { label: 'good' }), searchPaths }),
  ).rejects.toMatchObject({
    code: 'UNKNOWN_LABEL',
    problem: expect.stringMatching(/got "good" \(.*later\.jsonl:4\)$/),
  })
  const { warnings } = await evaluateRun(directory, { source: jsonl('later', { text: '' }), searchPaths })
  expect(warnings).toEqual([`given: 1 example has an empty text in field "text": ${join(root, 'later.jsonl')}:4`])
})

it('a run says that the maximum lengths of texts and targets exceed those of the model', async () => {
  const { events, error } = await train({
    data: { train: jsonl('pairs', { text: 'a fine film' }), validation: jsonl('good') },
    model: {
      use: 'bart',
      dModel: 8,
      encoderLayers: 1,
      decoderLayers: 1,
      encoderAttentionHeads: 2,
      decoderAttentionHeads: 2,
      encoderFfnDim: 8,
      decoderFfnDim: 8,
      maxPositionEmbeddings: 16,
    },
    objective: { use: 'sequence-to-sequence', target: 'label', maximumLength: 64, maximumTargetLength: 32 },
  })
  expect(error).toBeUndefined()
  expect(warningsIn(events)).toEqual([
    'objective.maximumLength is 64, but the model reads at most 16 tokens: longer texts are truncated to that',
    'objective.maximumTargetLength is 32, but the model generates at most 16 tokens: longer texts are truncated to that',
  ])
})
