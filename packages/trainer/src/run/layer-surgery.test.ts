import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Command, MODEL, OBJECTIVE, type RunEvent, TOKENIZER, isAttuneError } from '@attune/core'
import { decodeSafetensors } from '@attune/weights'
import { Subject, lastValueFrom, tap, toArray } from 'rxjs'
import { evaluateRun } from '../inference/evaluate.js'
import type { RunConfig } from '../plan/run-config.js'
import { installed } from './installed.test.fixture.js'
import { resume, run } from './run.js'
import { toyConfig, toyPlugins } from './toy.test.fixture.js'

const root = mkdtempSync(join(tmpdir(), 'attune-surgery-'))
afterAll(() => rmSync(root, { recursive: true }))
process.env['XDG_STATE_HOME'] = join(root, 'state')

const bert = await installed(MODEL, 'bert')
const tokenizer = await installed(TOKENIZER, 'character')
const objective = await installed(OBJECTIVE, 'sequence-classification')
const SIZES = {
  hiddenSize: 8,
  numHiddenLayers: 4,
  numAttentionHeads: 2,
  intermediateSize: 12,
  maxPositionEmbeddings: 16,
}
const config = (directory: string, model: object, learningRate: number): RunConfig =>
  ({
    ...toyConfig(join(root, directory)),
    tokenizer,
    objective: { use: objective, maximumLength: 16 },
    model: { use: bert, ...model },
    metric: [],
    training: { ...toyConfig().training, epochs: 1, learningRate },
  }) as RunConfig
const SURGERY = { from: join(root, 'base/model'), fromLayers: [3, 0, null], reinitialize: ['pooler'] }
const search = { searchPaths: { folders: ['.'], registered: [...toyPlugins, bert, tokenizer, objective] } }

const modelIn = (directory: string) => {
  const path = join(root, directory, 'model/model.safetensors')
  return decodeSafetensors(readFileSync(path), path).tensors
}
const json = (...path: string[]): Record<string, unknown> =>
  JSON.parse(readFileSync(join(root, ...path), 'utf8')) as Record<string, unknown>

describe('a run with other layers than the saved model', () => {
  const events: RunEvent[] = []
  beforeAll(async () => {
    await lastValueFrom(run(config('base', SIZES, 0.02)))
    // A learning rate below the rounding of every weight keeps those that are loaded.
    events.push(...(await lastValueFrom(run(config('changed', SURGERY, 1e-30)).pipe(toArray()))))
  }, 60_000)

  it('loads each layer from its origin and initializes the others', () => {
    const [base, changed] = [modelIn('base'), modelIn('changed')]
    const layer = (of: typeof base, i: number) =>
      Object.entries(of).flatMap(([name, { values }]) => {
        const [, rest] = name.split(`bert.encoder.layer.${i}.`)
        return rest === undefined ? [] : [[rest, values] as const]
      })
    expect(layer(changed, 0)).toEqual(layer(base, 3))
    expect(layer(changed, 1)).toEqual(layer(base, 0))
    expect(layer(changed, 2).map(([name]) => name)).toEqual(layer(base, 0).map(([name]) => name))
    for (const i of [0, 1, 2, 3]) expect(layer(changed, 2)).not.toEqual(layer(base, i))
    expect(layer(changed, 3)).toEqual([])
    const different = Object.keys(changed).filter(
      (name) => !/layer\.\d/.test(name) && String(changed[name]!.values) !== String(base[name]!.values),
    )
    expect(different).toEqual(['bert.pooler.dense.bias', 'bert.pooler.dense.weight'])
  })

  it('saves the new number of layers, and records the origin of each', () => {
    expect(json('changed/model/config.json')).toMatchObject({ num_hidden_layers: 3, hidden_size: 8 })
    const { model } = json('changed/config.json') as { model: Record<string, unknown> }
    expect(model).toMatchObject({ fromLayers: [3, 0, null], reinitialize: ['pooler'], numHiddenLayers: 3 })
    expect(model['layerMap']).toEqual({
      from: {
        'bert.encoder.layer.0.': 'bert.encoder.layer.3.',
        'bert.encoder.layer.1.': 'bert.encoder.layer.0.',
        'bert.encoder.layer.2.': null,
        'bert.pooler.dense.': null,
      },
      unused: ['bert.encoder.layer.1.', 'bert.encoder.layer.2.', 'bert.pooler.dense.'],
      newHead: false,
    })
  })

  it('reports the origin of each layer, and nothing else', () => {
    expect(events.flatMap((event) => (event.type === 'run.warned' ? [event.message] : []))).toEqual([
      'layers from the saved model, new ← saved: 0 ← 3, 1 ← 0, 2 ← new',
      'layers of the saved model that are left out: 1, 2',
      'initialized at random on request: pooler',
    ])
  })

  it('is evaluated and resumed bit for bit from its record', async () => {
    const { examples } = await evaluateRun(join(root, 'changed'), { split: 'validation', ...search })
    expect(examples).toBe(20)
    const commands = new Subject<Command>()
    const stop = (event: RunEvent): void => {
      if (event.type === 'step.completed' && event.step === 3) commands.next({ type: 'stop', because: 'test' })
    }
    await lastValueFrom(run(config('whole', SURGERY, 0.02)))
    await lastValueFrom(run(config('parts', SURGERY, 0.02), { commands }).pipe(tap(stop)))
    await lastValueFrom(resume(join(root, 'parts'), search))
    expect(modelIn('parts')).toEqual(modelIn('whole'))
  }, 60_000)

  it.each([
    [{ ...SURGERY, fromLayers: [4] }, 'BAD_OPTIONS', /from 0 to 3/],
    [{ ...SURGERY, fromLayers: [] }, 'BAD_OPTIONS', /fromLayers/],
    [{ ...SURGERY, fromLayers: 'all' }, 'BAD_OPTIONS', /fromLayers/],
    [{ ...SURGERY, layerMap: { from: {}, unused: [], newHead: false } }, 'BAD_OPTIONS', /layerMap/],
    [{ ...SIZES, fromLayers: [0] }, 'BAD_CONFIG', /fromLayers.*requires `from`/],
  ])('is rejected for %j', async (model, code, problem) => {
    const started = lastValueFrom(run({ ...config('refused', model, 0.02), directory: undefined } as never))
    const error: unknown = await started.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(isAttuneError(error) && [error.code, error.problem]).toEqual([code, expect.stringMatching(problem)])
  })
})
