import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from '@jest/globals'
import { classifierFolder } from './classifier.test.fixture.js'

const { root, attune } = classifierFolder()
beforeAll(async () => {
  expect((await attune(['train', 'config.yaml'])).code).toBe(0)
})

interface Evaluated {
  readonly examples: number
  readonly scores: Readonly<Record<string, { readonly value: number }>>
}
const onValidation = ['evaluate', 'runs/topics', '--split', 'validation', '--json']

it('attune evaluate replaces the metrics and settings of the run', async () => {
  const own = JSON.parse((await attune(onValidation)).out) as Evaluated
  const metrics = ['--metric', 'f1', '--metric', '{ use: f1, average: micro }']
  const data = ['--set', 'data.validation.path=../../more.jsonl', '--set', 'training.batchSize=3']
  const { code, out, err } = await attune([...onValidation, ...metrics, ...data])
  const { scores, examples } = JSON.parse(out) as Evaluated
  expect([code, err]).toEqual([0, ''])
  expect([own.examples, Object.keys(own.scores)]).toEqual([10, ['loss', 'accuracy']])
  expect([examples, Object.keys(scores)]).toEqual([30, ['loss', 'macro-f1', 'micro-f1']])
})

it.each([
  [['--set', 'model.hiddenSizes=[4]'], /BAD_ARGUMENT.*got one of `model`/],
  [['--set', 'training.batchSize=0'], /BAD_CONFIG[^]*--set training.batchSize=0/],
  [['--metric', 'acuracy'], /UNKNOWN_PLUGIN[^]*accuracy/],
  [['--metric', '[f1'], /BAD_USAGE.*--metric \[f1/],
])('attune evaluate rejects %p', async (given, problem) => {
  const { code, err } = await attune([...onValidation, ...given])
  expect([code, err]).toEqual([2, expect.stringMatching(problem)])
})

it('attune evaluate opens a model of the Hub, and rejects a setting of it', async () => {
  const [cache, commit] = [join(root, 'hub/models--org--topics'), 'ab'.repeat(20)]
  mkdirSync(join(cache, 'refs'), { recursive: true })
  writeFileSync(join(cache, 'refs/main'), commit)
  cpSync(join(root, 'runs/topics/model'), join(cache, 'snapshots', commit), { recursive: true })
  const rows = Array.from({ length: 10 }, (_, i) => ({ text: 'the cat purrs', label: i % 2 ? 'animal' : 'tool' }))
  writeFileSync(join(root, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const offline = { HF_HUB_CACHE: join(root, 'hub'), HF_HUB_OFFLINE: '1' }
  const given = ['evaluate', 'org/topics', '--data', 'rows.jsonl', '--metric', 'accuracy', '--json']
  const { code, out, err } = await attune(given, '', offline)
  expect([code, err]).toEqual([0, ''])
  expect(JSON.parse(out)).toMatchObject({ examples: 10, scores: { accuracy: { value: 0.5 } } })
  const changed = await attune([...given, '--set', 'engine=tfjs-cpu'], '', offline)
  expect([changed.code, changed.err]).toEqual([2, expect.stringContaining('BAD_ARGUMENT')])
})
