import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  type EnsembleMethod,
  type RunConfig,
  evaluateRun,
  makeEnsemble,
  openPredictor,
  run,
} from '@attune/trainer/node'
import { decodeSafetensors } from '@attune/weights'
import { lastValueFrom } from 'rxjs'
import { searchPathsFrom } from './search-paths.js'

const root = mkdtempSync(join(tmpdir(), 'attune-ensemble-'))
afterAll(() => rmSync(root, { recursive: true }))

const LABELS = ['animal', 'tool', 'plant']
const TEXTS = [
  ['the cat purrs', 'a dog barks', 'the horse gallops', 'the tool cat'],
  ['the compiler runs', 'a parser reads', 'the linker joins', 'a plant parser'],
  ['the tree grows', 'a rose blooms', 'the grass is green', 'the animal tree'],
] as const
const row = (i: number) => ({
  text: `${TEXTS[i % 3]![(i * 5) % 4]} ${i % 11}`,
  label: LABELS[(i % 3) + (i % 13 === 0 ? 1 : 0)] ?? 'animal',
})
const file = (name: string, from: number, count: number): string => {
  const rows = Array.from({ length: count }, (_, i) => `${JSON.stringify(row(from + i))}\n`)
  writeFileSync(join(root, name), rows.join(''))
  return join(root, name)
}
const searchPaths = searchPathsFrom()
const at = (name: string): string => join(root, name)
const RUNS = ['a', 'b', 'c'].map(at)
const make = (method: EnsembleMethod, output: string, runs = RUNS) =>
  makeEnsemble(runs, { method, output: at(output), searchPaths })
const predict = async (folder: string, texts: readonly string[]) => {
  const predictor = await openPredictor(folder, { searchPaths })
  const answers = await predictor.predict(texts.map((text) => ({ text })))
  await predictor.close()
  return answers as unknown as readonly { label: string; scores: Record<string, number> }[]
}
const QUESTIONS = ['the cat runs', 'a green compiler', 'roses bloom', 'the horse reads a tree']

describe('ensembles of runs', () => {
  beforeAll(async () => {
    const data = {
      train: { use: 'jsonl', path: file('train.jsonl', 0, 60) },
      validation: { use: 'jsonl', path: file('validation.jsonl', 100, 30) },
      test: { use: 'jsonl', path: file('test.jsonl', 200, 24) },
    }
    for (const [seed, directory] of RUNS.entries())
      await lastValueFrom(
        run(
          {
            seed,
            directory,
            data,
            tokenizer: { use: 'word', vocabularySize: 60, minimumFrequency: 1 },
            model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
            objective: { use: 'sequence-classification', labels: LABELS },
            metric: 'accuracy',
            engine: 'tfjs-cpu',
            tracker: [],
            training: { epochs: 3, batchSize: 10, learningRate: 0.02 },
          } as unknown as RunConfig,
          { searchPaths },
        ),
      )
  })

  it('average: predictions are the mean of the probabilities of the members', async () => {
    expect((await make('average', 'average')).members).toEqual(RUNS)
    const members = await Promise.all(RUNS.map((folder) => predict(folder, QUESTIONS)))
    for (const [i, { label, scores }] of (await predict(at('average'), QUESTIONS)).entries()) {
      for (const name of LABELS) {
        const mean = members.reduce((sum, each) => sum + each[i]!.scores[name]!, 0) / 3
        expect(scores[name]).toBeCloseTo(mean, 10)
      }
      expect(scores[label]).toBe(Math.max(...Object.values(scores)))
    }
  })

  it('vote and weighted: open like runs and are evaluated on the test split', async () => {
    await make('vote', 'vote')
    const [answer] = await predict(at('vote'), QUESTIONS)
    for (const fraction of Object.values(answer!.scores))
      expect([0, 1, 2, 3]).toContain(Math.round(fraction * 3e9) / 1e9)
    const { metric, scores } = await make('weighted', 'weighted')
    expect(metric).toBe('accuracy')
    const { combination } = JSON.parse(readFileSync(at('weighted/ensemble.json'), 'utf8')) as {
      combination: { weights: number[] }
    }
    expect(combination.weights).toEqual(scores)
    const { examples, scores: found, split } = await evaluateRun(at('weighted'), { searchPaths })
    expect([split, examples, Object.keys(found)]).toEqual(['test', 24, ['loss', 'accuracy']])
    const answers = await predict(
      at('weighted'),
      Array.from({ length: 24 }, (_, i) => row(200 + i).text),
    )
    const right = answers.map(({ label, scores: each }, i) => ({
      hit: label === row(200 + i).label,
      p: each[row(200 + i).label]!,
    }))
    expect(found['accuracy']!.value).toBeCloseTo(right.filter(({ hit }) => hit).length / 24, 10)
    expect(found['loss']!.value).toBeCloseTo(right.reduce((sum, { p }) => sum - Math.log(p), 0) / 24, 6)
  })

  it('stack: the mean probability of each class on the held-out rows is its frequency', async () => {
    await make('stack', 'stack') // the optimum of unpenalized intercepts
    const rows = Array.from({ length: 30 }, (_, i) => row(100 + i))
    const answers = await predict(
      at('stack'),
      rows.map(({ text }) => text),
    )
    for (const name of LABELS) {
      const mean = answers.reduce((sum, { scores }) => sum + scores[name]!, 0) / 30
      expect(mean).toBeCloseTo(rows.filter(({ label }) => label === name).length / 30, 5)
    }
    expect(readdirSync(at('stack/members'))).toEqual(['0', '1', '2'])
  })

  it('confident: each prediction is that of the most confident member', async () => {
    await make('confident', 'confident')
    const members = await Promise.all(RUNS.map((folder) => predict(folder, QUESTIONS)))
    const top = ({ scores }: { scores: Record<string, number> }): number => Math.max(...Object.values(scores))
    for (const [i, answer] of (await predict(at('confident'), QUESTIONS)).entries()) {
      const expected = members.map((each) => each[i]!).reduce((best, each) => (top(each) > top(best) ? each : best))
      expect([answer.label, answer.scores]).toEqual([expected.label, expected.scores])
    }
  })

  it('select: each group has the member that is most accurate on its held-out rows', async () => {
    const path = file('groups.jsonl', 100, 30)
    const rows = Array.from({ length: 30 }, (_, i) => ({ ...row(100 + i), language: i < 12 ? 'en' : 'de' }))
    writeFileSync(path, rows.map((each) => `${JSON.stringify(each)}\n`).join(''))
    const source = { use: 'jsonl', path }
    const options = { method: 'select', output: at('select'), source, searchPaths } as const
    await expect(makeEnsemble(RUNS, options)).rejects.toThrow(/expected a field of groups for select/)
    await makeEnsemble(RUNS, { ...options, groupBy: 'language' })
    const { combination } = JSON.parse(readFileSync(at('select/ensemble.json'), 'utf8')) as {
      combination: { members: Record<string, number>; otherwise: number }
    }
    const answers = await Promise.all(RUNS.map((folder) => predict(folder, rows.map(({ text }) => text)))) // prettier-ignore
    for (const [group, member] of Object.entries({ ...combination.members, all: combination.otherwise })) {
      const hits = answers.map((each) => rows.filter(({ language, label }, i) => (group === 'all' || language === group) && each[i]!.label === label).length) // prettier-ignore
      expect(hits[member]).toBe(Math.max(...hits))
    }
    const predictor = await openPredictor(at('select'), { searchPaths })
    const [known] = await predictor.predict([{ text: QUESTIONS[0]!, language: 'de' }])
    await predictor.close()
    const [alone] = await predict(RUNS[combination.members['de']!]!, [QUESTIONS[0]!])
    expect((known as unknown as typeof alone)!.scores).toEqual(alone!.scores)
  })

  it('soup: weights are the mean of those of the members', async () => {
    await make('soup', 'soup')
    const weights = (folder: string) => {
      const path = join(folder, 'model/model.safetensors')
      return decodeSafetensors(readFileSync(path), path).tensors
    }
    const members = RUNS.map(weights)
    for (const [name, { values }] of Object.entries(weights(at('soup'))))
      for (const [i, value] of [...values].entries())
        expect(value).toBeCloseTo(members.reduce((sum, each) => sum + (each[name]!.values[i] as number), 0) / 3, 6)
    expect(await predict(at('soup'), QUESTIONS)).toHaveLength(4)
  })

  it('greedy soup: is at least as good as the best run on the validation split', async () => {
    const { members, scores } = await make('greedy-soup', 'greedy')
    const found = await evaluateRun(at('greedy'), { split: 'validation', searchPaths })
    expect(found.scores['accuracy']!.value).toBeGreaterThanOrEqual(Math.max(...scores!))
    expect(members[0]).toBe(RUNS[scores!.indexOf(Math.max(...scores!))])
    expect(readdirSync(at('greedy')).sort()).toEqual(['config.json', 'learned.json', 'model', 'run.json'])
  })

  it('reject existing folders, single runs, and runs given twice', async () => {
    await expect(make('average', 'average')).rejects.toMatchObject({ code: 'FILE_EXISTS' })
    await expect(make('average', 'x', RUNS.slice(0, 1))).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
    await expect(make('average', 'x', [RUNS[0]!, RUNS[0]!])).rejects.toThrow(/twice/)
  })

  it('reject held-out data that may be training data of another run', async () => {
    const config = readFileSync(at('a/config.json'), 'utf8')
    expect(config).toContain('validation.jsonl')
    const other = ['d', 'e'].map(at)
    for (const [seed, directory] of other.entries())
      await lastValueFrom(
        run(
          {
            seed,
            directory,
            data: { train: { use: 'jsonl', path: at('train.jsonl') } },
            tokenizer: { use: 'word', vocabularySize: 60, minimumFrequency: 1 },
            model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
            objective: { use: 'sequence-classification', labels: LABELS },
            metric: 'accuracy',
            engine: 'tfjs-cpu',
            tracker: [],
            training: { epochs: 1, batchSize: 30, learningRate: 0.02 },
          } as unknown as RunConfig,
          { searchPaths },
        ),
      )
    await expect(make('stack', 'x', other)).rejects.toThrow(/same validation split[^]*differs/)
    const source = { use: 'jsonl', path: at('validation.jsonl') }
    await makeEnsemble(other, { method: 'stack', output: at('given'), source, searchPaths })
    expect(await predict(at('given'), QUESTIONS)).toHaveLength(4)
  })

  it('attune ensemble writes one, and attune predict opens it', () => {
    const main = fileURLToPath(new URL('./main.js', import.meta.url))
    const attune = (...args: readonly string[]) =>
      spawnSync(process.execPath, [main, ...args], {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      })
    const made = attune('ensemble', 'a', 'b', '--method', 'weighted', '--output', 'cli')
    expect([made.stderr, made.stdout]).toEqual([
      '',
      expect.stringMatching(/^cli: weighted of 2 of 2 runs[^]*run +accuracy/),
    ])
    const answer = JSON.parse(attune('predict', 'cli', 'the cat runs').stdout) as { label: string }
    expect(LABELS).toContain(answer.label)
  })
})
