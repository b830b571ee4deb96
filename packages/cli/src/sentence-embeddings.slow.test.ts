import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from '@jest/globals'
import { type Params, isAttuneError } from '@attune/core'
import { evaluateRun, loadPretrained, openPredictor, run, saveModel } from '@attune/trainer/node'
import { decodeSafetensors } from '@attune/weights'
import { lastValueFrom } from 'rxjs'
import { searchPathsFrom } from './search-paths.js'

type Files = Readonly<Record<string, unknown>>

const golden = fileURLToPath(new URL('../golden/sentence-embeddings', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'attune-sentences-'))
afterAll(() => rmSync(root, { recursive: true }))
const { source, texts, cases } = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8')) as {
  source: string
  texts: readonly string[]
  cases: Readonly<Record<string, { readonly files: Files; readonly vectors: readonly number[][] }>>
}

/** Writes the folder of a case, with changed files if given. */
function folderOf(name: string, changes: Files = {}): string {
  const folder = mkdtempSync(join(root, 'model-'))
  for (const file of ['config.json', 'model.safetensors', 'tokenizer.json'])
    cpSync(join(golden, file), join(folder, file))
  for (const [path, content] of Object.entries({ ...cases[name]!.files, ...changes })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    const bytes = path.endsWith('.json') ? JSON.stringify(content) : Buffer.from(String(content), 'base64')
    writeFileSync(join(folder, path), bytes)
  }
  return folder
}

/** Embeddings of the texts. */
async function embeddingsOf(folder: string): Promise<number[][]> {
  const predictor = await openPredictor(folder, { searchPaths: searchPathsFrom() })
  const answers = await predictor.predict(texts.map((text) => ({ text })))
  await predictor.close()
  return answers.map((answer) => (isAttuneError(answer) ? [] : (answer['embedding'] as number[])))
}

/** Saves a model as it was loaded. */
async function savedAgain(folder: string): Promise<string> {
  const loaded = await loadPretrained(folder, () => ({ use: 'contrastive' }), searchPathsFrom())
  const saved = await saveModel(join(folder, 'saved'), loaded, loaded.params as Params)
  await loaded.close()
  return saved
}

const json = (...path: string[]): Record<string, unknown> =>
  JSON.parse(readFileSync(join(...path), 'utf8')) as Record<string, unknown>

/** Largest absolute difference; infinite if the shapes differ. */
const furthest = (a: readonly number[][], b: readonly number[][]): number =>
  String(a.map(({ length }) => length)) === String(b.map(({ length }) => length))
    ? Math.max(...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - b[i]![j]!))))
    : Infinity

describe(`a folder of ${source}`, () => {
  it.each(Object.keys(cases))('has the same embeddings, and is saved whole: %s', async (name) => {
    const folder = folderOf(name)
    expect(furthest(await embeddingsOf(folder), cases[name]!.vectors)).toBeLessThan(1e-5)
    const saved = await savedAgain(folder)
    expect(furthest(await embeddingsOf(saved), cases[name]!.vectors)).toBeLessThan(1e-5)
    for (const [path, content] of Object.entries(cases[name]!.files))
      if (path.endsWith('.json') && path !== 'tokenizer_config.json')
        expect(json(saved, path)).toMatchObject(content as object)
  })
})

const pairs = Array.from({ length: 8 }, (_, i) => ({ text: texts[i % 3]!, pair: texts[(i + 1) % 3]! }))
const data = join(root, 'pairs.jsonl')
writeFileSync(data, pairs.map((row) => `${JSON.stringify(row)}\n`).join(''))

/** Trains on from a saved model, and returns the run folder. */
async function train(from: string, objective: Files = {}, rate = 0.01, batchSize = 4): Promise<string> {
  const directory = mkdtempSync(join(root, 'run-'))
  const config = {
    directory,
    data: { train: { use: 'jsonl', path: data }, validation: { use: 'jsonl', path: data } },
    tokenizer: { use: 'wordpiece', path: from },
    model: { use: 'bert', from },
    objective: { use: 'contrastive', ...objective },
    engine: 'tfjs-cpu',
    training: { epochs: 1, batchSize, learningRate: rate },
  }
  await lastValueFrom(run(config, { searchPaths: searchPathsFrom() }))
  return directory
}

describe('a run that starts from a sentence-transformers model', () => {
  it.each(['dense', 'two dense modules', 'layer norm', 'lower case', 'lasttoken without the prompt', 'two poolings'])(
    'trains its modules, and saves it whole: %s',
    async (name) => {
      const folder = await train(folderOf(name))
      const trained = await embeddingsOf(folder)
      expect(furthest(trained, cases[name]!.vectors)).toBeGreaterThan(1e-3)
      expect(furthest(await embeddingsOf(join(folder, 'model')), trained)).toBeLessThan(1e-5)
      for (const [path, content] of Object.entries(cases[name]!.files))
        if (path.endsWith('.json') && path !== 'tokenizer_config.json')
          expect(json(folder, 'model', path)).toMatchObject(content as object)
        else if (path.endsWith('.safetensors'))
          expect(readFileSync(join(folder, 'model', path)).toString('base64')).not.toBe(content)
    },
  )

  it('returns the saved vectors after training with a negligible learning rate', async () => {
    const folder = await train(folderOf('dense'), {}, 1e-12)
    expect(furthest(await embeddingsOf(folder), cases['dense']!.vectors)).toBeLessThan(1e-5)
  })

  it('applies written options instead of the saved ones, and saves them', async () => {
    const options = { pooling: 'cls', normalize: false, maximumLength: 6 }
    const folder = await train(folderOf('mean, normalized'), options, 1e-12)
    const first = cases['cls']!.vectors
    expect(furthest((await embeddingsOf(folder)).slice(1, 3), first.slice(1, 3))).toBeLessThan(1e-5)
    const model = join(folder, 'model')
    expect(json(model, '1_Pooling/config.json')).toMatchObject({ pooling_mode: 'cls', include_prompt: true })
    expect(json(model, 'sentence_bert_config.json')).toMatchObject({ max_seq_length: 6 })
    expect((json(model, 'modules.json') as unknown as object[]).length).toBe(2)
    expect(furthest(await embeddingsOf(model), await embeddingsOf(folder))).toBeLessThan(1e-5)
  })
})

/** Mean cross-entropy of each pair's cosine similarity among those of its batch, times 20. */
function contrastiveLoss(vectors: readonly number[][], partners: readonly number[][]): number {
  const cosine = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0) / (Math.hypot(...a) * Math.hypot(...b))
  const losses = vectors.map((vector, i) => {
    const logits = partners.map((partner) => 20 * cosine(vector, partner))
    return Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - logits[i]!
  })
  return losses.reduce((a, b) => a + b, 0) / losses.length
}

describe('the evaluation of a sentence-transformers model', () => {
  const source = { use: 'jsonl', path: data }
  const searchPaths = searchPathsFrom()

  const [left, right] = [0, 1].map((shift) => pairs.map((_, i) => cases['dense']!.vectors[(i + shift) % 3]!))
  const expected = contrastiveLoss(left!, right!)

  it('returns the contrastive loss of the saved vectors', async () => {
    const { examples, scores, split } = await evaluateRun(folderOf('dense'), { source, searchPaths })
    expect([examples, split, scores['loss']!.value]).toEqual([8, 'given', expect.closeTo(expected, 4)])
  })

  it('returns the same for a run that started from it without training it, and for the model that the run saved', async () => {
    const folder = await train(folderOf('dense'), {}, 1e-12, 8)
    for (const evaluation of [
      await evaluateRun(folder, { split: 'validation', searchPaths }),
      await evaluateRun(join(folder, 'model'), { source, searchPaths }),
    ])
      expect(evaluation.scores['loss']!.value).toBeCloseTo(expected, 4)
  })

  it('rejects a model without rows, and rows without pairs', async () => {
    await expect(evaluateRun(folderOf('dense'), { searchPaths })).rejects.toMatchObject({ code: 'NO_SUCH_SPLIT' })
    const alone = join(root, 'alone.jsonl')
    writeFileSync(alone, '{"text":"a"}\n')
    const given = { source: { use: 'jsonl', path: alone }, searchPaths }
    await expect(evaluateRun(folderOf('dense'), given)).rejects.toMatchObject({ code: 'BAD_ROW' })
  })
})

describe('a denoising autoencoder', () => {
  const decoderOf = (folder: string) =>
    decodeSafetensors(readFileSync(join(folder, 'model/9_Decoder/model.safetensors')), 'decoder').tensors
  const values = (folder: string): number[][] =>
    Object.values(decoderOf(folder)).map((each) => Array.from(each.values, Number))

  it.each(['dense', 'cls'])('saves its decoder apart from the encoder, and trains it on: %s', async (name) => {
    const folder = await train(folderOf(name), { use: 'autoencoder' })
    const model = join(folder, 'model')
    expect(furthest(await embeddingsOf(model), await embeddingsOf(folder))).toBeLessThan(1e-5)
    expect(furthest(await embeddingsOf(model), cases[name]!.vectors)).toBeGreaterThan(1e-3)
    expect(json(model, 'modules.json')).toMatchObject(cases[name]!.files['modules.json'] as object)
    expect(readFileSync(join(model, 'model.safetensors')).includes('9_Decoder')).toBe(false)
    const on = await train(model, { use: 'autoencoder' }, 1e-12)
    expect(Object.keys(decoderOf(on))).toEqual(Object.keys(decoderOf(folder)))
    expect(furthest(values(on), values(folder))).toBeLessThan(1e-7)
    expect(furthest(await embeddingsOf(on), await embeddingsOf(folder))).toBeLessThan(1e-5)
  })
})

const dense = cases['dense']!.files
const changed = (path: string, changes: Files): Files => ({ [path]: { ...(dense[path] as object), ...changes } })
const listed = (at: number, changes: Files): Files => ({
  'modules.json': (dense['modules.json'] as object[]).map((each, i) => (i === at ? { ...each, ...changes } : each)),
})

describe('a sentence-transformers model that Attune does not support', () => {
  it.each([
    ['a module of another class', listed(2, { type: 'sentence_transformers.models.CNN' }), '"CNN"'],
    ['a module of another library', listed(0, { type: 'custom_st.Transformer' }), '"custom_st.Transformer"'],
    ['no pooling', listed(1, { type: 'sentence_transformers.modules.WordWeights' }), 'modules.WordWeights'],
    [
      'another activation',
      changed('2_Dense/config.json', { activation_function: 'torch.nn.modules.activation.PReLU' }),
      'PReLU',
    ],
    [
      'an activation outside of PyTorch',
      changed('2_Dense/config.json', { activation_function: 'os.system' }),
      'os.system',
    ],
    [
      'a layer on tokens',
      changed('2_Dense/config.json', { module_input_name: 'token_embeddings' }),
      'token_embeddings',
    ],
    ['another pooling', changed('1_Pooling/config.json', { pooling_mode: 'median' }), '"median"'],
    [
      'a sparse encoder',
      changed('config_sentence_transformers.json', { model_type: 'SparseEncoder' }),
      'SparseEncoder',
    ],
    ['another task', changed('sentence_bert_config.json', { transformer_task: 'fill-mask' }), 'fill-mask'],
  ])('is rejected by the name of what it needs: %s', async (_, changes, said) => {
    await expect(embeddingsOf(folderOf('dense', changes))).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODULE',
      problem: expect.stringContaining(said) as unknown,
    })
  })

  it.each([
    ['a path outside of the folder', listed(2, { path: '../2_Dense' }), 'modules.json'],
    ['two modules in one folder', listed(2, { path: '1_Pooling' }), 'modules.json'],
    ['modules that do not fit', changed('2_Dense/config.json', { in_features: 7 }), '2_Dense/config.json'],
    ['modules that are not a list', { 'modules.json': {} }, 'modules.json'],
    [
      'an unknown default prompt',
      changed('config_sentence_transformers.json', { default_prompt_name: '__proto__' }),
      '__proto__',
    ],
  ])('is rejected as malformed: %s', async (_, changes, said) => {
    await expect(embeddingsOf(folderOf('dense', changes))).rejects.toMatchObject({
      code: 'BAD_MODEL_FOLDER',
      problem: expect.stringContaining(said) as unknown,
    })
  })

  it('is rejected if the weights of a module are missing or do not fit', async () => {
    const without = folderOf('dense')
    rmSync(join(without, '2_Dense/model.safetensors'))
    await expect(embeddingsOf(without)).rejects.toMatchObject({ code: 'MISSING_WEIGHTS' })
    await expect(train(without)).rejects.toMatchObject({ code: 'MISSING_WEIGHTS' })
    const larger = folderOf('dense', changed('2_Dense/config.json', { out_features: 2 ** 20 }))
    await expect(embeddingsOf(larger)).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' })
  })
})
