import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { isAttuneError } from '@attune/core'
import { evaluateRun, openPredictor, run } from '@attune/trainer/node'
import { lastValueFrom } from 'rxjs'
import { searchPathsFrom } from './search-paths.js'
import { memberNames } from '@attune/testkit'

/** Names of members of every object or function, which a plain object must keep as keys. */
const names = memberNames
const sorted = names.toSorted()
const root = mkdtempSync(join(tmpdir(), 'attune-names-'))
afterAll(() => rmSync(root, { recursive: true }))
const searchPaths = searchPathsFrom()

const rows = Array.from({ length: 32 }, (_, i) => `{"text": "a ${names[i % 8]!}", "label": "${names[i % 8]!}"}\n`)
const data = join(root, 'rows.jsonl')
writeFileSync(data, rows.join(''))

/** Trains a classifier with options of its objective, balancer and sampler. */
async function train(directory: string, text = 'text', label = 'label', path = data): Promise<string> {
  const source = { use: 'jsonl', path }
  const config = {
    directory: join(root, directory),
    data: { train: source, validation: source, test: source },
    tokenizer: { use: 'wordpiece', field: text, vocabularySize: 100 },
    model: {
      use: 'bert',
      hiddenSize: 16,
      numHiddenLayers: 1,
      numAttentionHeads: 2,
      intermediateSize: 32,
      maxPositionEmbeddings: 24,
    },
    objective: { use: 'sequence-classification', text, label },
    balancer: ['class-weights', 'random-oversampling'],
    filter: { use: 'duplicates', by: [text, label] },
    metric: ['accuracy', 'f1'],
    engine: 'tfjs-cpu',
    training: { epochs: 1, batchSize: 8 },
  }
  await lastValueFrom(run(config, { searchPaths }))
  return config.directory
}

const keysOf = (value: unknown): string[] => Object.keys(value as object).toSorted()

describe('labels and fields with the names of members of every object', () => {
  it('are kept in the saved model, in predictions and in scores', async () => {
    const directory = await train('labels')
    const { id2label, label2id } = JSON.parse(readFileSync(join(directory, 'model/config.json'), 'utf8')) as Record<
      string,
      Record<string, unknown>
    >
    expect(Object.values(id2label!).toSorted()).toEqual(sorted)
    expect(keysOf(label2id)).toEqual(sorted)
    for (const folder of [directory, join(directory, 'model')]) {
      const predictor = await openPredictor(folder, { searchPaths })
      expect(predictor.describes.labels!.toSorted()).toEqual(sorted)
      const [answer] = await predictor.predict([{ text: 'a then' }])
      expect(isAttuneError(answer) ? answer : keysOf(answer!['scores'])).toEqual(sorted)
      await predictor.close()
    }
    const { scores } = await evaluateRun(directory, { searchPaths })
    expect(keysOf(scores['macro-f1']!.parts)).toEqual(sorted)
  })

  it.each(names)('are read as the fields of an example: %s', async (name) => {
    const path = join(root, `${name}.jsonl`)
    const own = names.map((text, i) => `{"${name}": "a ${text}", "label": "${i % 2}"}\n`)
    writeFileSync(path, own.join(''))
    const predictor = await openPredictor(await train(`field-${name}`, name, 'label', path), { searchPaths })
    const given = JSON.parse(`{"${name}": "a then"}`) as Record<string, unknown>
    const [answer, without] = await predictor.predict([given, {}])
    await predictor.close()
    expect(isAttuneError(answer) ? answer : typeof answer!['label']).toBe('string')
    expect(without).toMatchObject({ code: 'MISSING_FIELD' })
  })

  it('do not change a prototype', () => {
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as Record<string, unknown>)['text']).toBeUndefined()
  })
})
