import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Command } from '@attune/core'
import { openPredictor, resume, run } from '@attune/trainer/node'
import { Subject, lastValueFrom, tap, toArray } from 'rxjs'
import { searchPathsFrom } from './search-paths.js'

const root = mkdtempSync(join(tmpdir(), 'attune-clusters-'))
afterAll(() => rmSync(root, { recursive: true }))

const words = { fruit: ['apple', 'pear', 'plum'], tool: ['hammer', 'saw', 'drill'] }
const rows = Object.entries(words).flatMap(([label, [a, b, c]]) =>
  [`${a} ${b}`, `${b} ${c} ${a}`, `${c} ${a}`, `${a} ${a} ${c}`].map((text) => ({ text, label })),
)
const data = join(root, 'texts.jsonl')
writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

const configured = (directory: string) => ({
  directory,
  data: { train: { use: 'jsonl', path: data }, validation: { use: 'jsonl', path: data } },
  tokenizer: { use: 'wordpiece', vocabularySize: 100 },
  model: { use: 'bert', hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 16 },
  objective: { use: 'deep-clustering', label: 'label', clusters: 2 },
  metric: [{ use: 'adjusted-rand' }, { use: 'normalized-mutual-information' }],
  engine: 'onnxruntime',
  training: { epochs: 3, batchSize: 3, learningRate: 0.01 },
})

const weights = (directory: string): Buffer => readFileSync(join(directory, 'model/model.safetensors'))

describe('a run of deep clustering', () => {
  it('warns with the numbers if nearly all texts are in one cluster, and only then', async () => {
    const same = join(root, 'same.jsonl')
    writeFileSync(
      same,
      [...rows, ...Array<object>(300).fill(rows[0]!)].map((row) => `${JSON.stringify(row)}\n`).join(''),
    )
    const warnings = async (path: string): Promise<string[]> => {
      const { directory: _, ...config } = configured('')
      const given = { ...config, data: { train: { use: 'jsonl', path }, validation: { use: 'jsonl', path: data } } }
      const settings = { ...given, training: { epochs: 1, batchSize: 64, learningRate: 1e-6 } }
      const events = await lastValueFrom(run(settings, { searchPaths: searchPathsFrom() }).pipe(toArray()))
      return events.flatMap((event) =>
        event.type === 'run.warned' && event.message.startsWith('clusters') ? [event.message] : [],
      )
    }
    expect(await warnings(same)).toEqual([
      expect.stringMatching(
        /^clusters collapsed before epoch 1: one has \d+ of 308 texts, and 2 of 2 have any; start from/,
      ),
    ])
    expect(await warnings(data)).toEqual([])
  })

  it('resumes bit for bit, scores its clusters, and predicts them', async () => {
    const [whole, parts] = [join(root, 'whole'), join(root, 'parts')]
    const searchPaths = searchPathsFrom()
    const scores: unknown[] = []
    await lastValueFrom(
      run(configured(whole), { searchPaths }).pipe(
        tap((event) => event.type === 'evaluation.completed' && scores.push(Object.keys(event.scores).sort())),
      ),
    )
    expect(scores[0]).toEqual(expect.arrayContaining(['adjusted-rand', 'normalized-mutual-information']))
    for (const [i, step] of [2, 5, Infinity].entries()) {
      const commands = new Subject<Command>()
      const events =
        i === 0 ? run(configured(parts), { searchPaths, commands }) : resume(parts, { searchPaths, commands })
      await lastValueFrom(
        events.pipe(
          tap((event) => {
            if (event.type === 'step.completed' && event.step === step) commands.next({ type: 'stop', because: 'test' })
          }),
        ),
      )
    }
    expect(weights(parts).equals(weights(whole))).toBe(true)
    const predictor = await openPredictor(whole, { searchPaths })
    const predictions = (await predictor.predict(rows)) as unknown as readonly { cluster: string; scores: object }[]
    await predictor.close()
    for (const { cluster, scores: each } of predictions) {
      expect(['0', '1']).toContain(cluster)
      expect(Object.keys(each)).toEqual(['0', '1'])
    }
  })
})
