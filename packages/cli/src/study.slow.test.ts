import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'
import { trainLine } from './study-text.js'

const examples = fileURLToPath(new URL('../../../examples/debian-sections/train.jsonl.gz', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'attune-cli-study-'))
const { attune, attuneAlone, close } = commandsIn(root)
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})

beforeAll(() => {
  const lines = gunzipSync(readFileSync(examples)).toString('utf8').split('\n')
  const rows = lines.filter((line) => /"label": ?"(games|admin)"/.test(line)).slice(0, 60)
  writeFileSync(join(root, 'train.jsonl'), rows.map((row) => `${row}\n`).join(''))
  writeFileSync(
    join(root, 'study.yaml'),
    `seed: 3
data: { train: { use: jsonl, path: train.jsonl } }
tokenizer: { use: word, vocabularySize: 300 }
model: { use: mlp, embeddingSize: 8, hiddenSizes: [8] }
objective: { use: sequence-classification, maximumLength: 16 }
engine: tfjs-cpu
metric: accuracy
optimizer: [adamw]
training: { epochs: 2, batchSize: 16 }
study:
  space:
    training.learningRate: { from: 0.001, to: 0.1, scale: log }
    optimizer.use: [adamw, sgd]
  trials: 3
  goals: accuracy
  directory: study
`,
  )
})

describe('attune tune', () => {
  it('stops at Ctrl-C, resumes with the same command, and prints the command that trains with the best choice', async () => {
    const stopped = await attuneAlone(['tune', 'study.yaml'], '', 'trial 1 started')
    expect([stopped.code, stopped.err]).toEqual([
      130,
      expect.stringContaining('Resume with: npx attune tune study.yaml'),
    ])
    expect(stopped.out).toMatch(/^trial +state +accuracy[^]*\n +0 +completed /)
    const done = await attuneAlone(['tune', 'study.yaml'])
    expect([done.code, done.err]).toEqual([0, expect.stringMatching(/trial 1 (goes on from step \d|runs again)/)])
    const rows = done.out.split('\n').slice(1, 4)
    expect(rows.map((row) => row.trim().split(/ +/).slice(0, 2))).toEqual(
      ['0', '1', '2'].map((id) => [id, 'completed']),
    )
    const [, id] = /Best: trial (\d)/.exec(done.out) ?? []
    expect(existsSync(join(root, 'study/trials', String(id), 'model'))).toBe(true)
    const [, line = ''] = /Train it again: npx attune (.*)/.exec(done.out) ?? []
    expect((await attune(line.split(' '))).code).toBe(0)
    const model = (folder: string) => readFileSync(join(root, folder, 'model/model.safetensors')).toString('hex')
    expect(model(`study/best-${id}`)).toBe(model(`study/trials/${id}`))
  })

  it('rejects a search space with a misspelt path, and locates the error in the configuration', async () => {
    const wrong = ['--set', 'study.space={ training.learningRat: [0.1] }', '--directory', 'other']
    const { code, err } = await attune(['tune', 'study.yaml', ...wrong])
    expect([code, err]).toEqual([2, expect.stringMatching(/BAD_SPACE[^]*did you mean `learningRate`/)])
    const { err: missing } = await attune([
      'tune',
      'study.yaml',
      '--set',
      'study.goals=acuracy',
      '--directory',
      'other',
    ])
    expect(missing).toMatch(/UNKNOWN_SCORE/)
    expect(existsSync(join(root, 'other'))).toBe(false)
  })
})

describe('attune cross-validate', () => {
  it('prints the mean, the standard deviation and the folds of every score', async () => {
    const args = ['cross-validate', 'study.yaml', '--set', 'protocol={ use: k-fold, folds: 2 }', '--directory', 'folds']
    const { code, out, err } = await attune(args)
    expect([code, err]).toEqual([0, expect.stringContaining('fold 1 completed')])
    const [head, loss, accuracy] = out.split('\n').map((line) => line.trim().split(/ {2,}/))
    expect(head).toEqual(['score', 'mean', 'standard deviation', 'fold 0', 'fold 1'])
    expect([loss?.[0], accuracy?.[0]]).toEqual(['loss', 'accuracy'])
    const json = JSON.parse((await attune([...args, '--json'])).out) as { scores: { accuracy: { values: number[] } } }
    expect(json.scores.accuracy.values).toHaveLength(2)
  })
})

describe('trainLine', () => {
  it('quotes values as YAML and arguments for a shell', () => {
    const choice = { 'model.use': './my model.mjs', 'optimizer.nesterov': true, 'data.train.label': 'true' }
    expect(trainLine('a b.yaml', choice, 'runs/best')).toBe(
      `npx attune train 'a b.yaml' --set 'model.use="./my model.mjs"' --set optimizer.nesterov=true --set 'data.train.label="true"' --directory runs/best`,
    )
  })
})
