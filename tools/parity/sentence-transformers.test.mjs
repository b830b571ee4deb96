// @ts-check
/**
 * sentence-transformers loads models that Attune trained further from its folders, and computes the same embeddings. Runs if python3 or the
 * Python named by the environment variable PYTHON has sentence-transformers.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openPredictor, run } from '@attune/trainer/node'
import { lastValueFrom } from 'rxjs'
import { root } from './measure-model.mjs'
import { pythonWith } from './python.mjs'

const { python, absent } = pythonWith('sentence_transformers')
const searchPaths = { folders: [root] }
const golden = join(root, 'packages/cli/golden/sentence-embeddings')
/** @type {{ texts: string[], cases: Record<string, { files: Record<string, unknown> }> }} */
const { texts, cases } = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8'))
const folder = mkdtempSync(join(tmpdir(), 'attune-sentences-'))
after(() => rmSync(folder, { recursive: true }))

/** Writes the folder of a case. @param {string} name */
function folderOf(name) {
  const into = mkdtempSync(join(folder, 'model-'))
  for (const file of ['config.json', 'model.safetensors', 'tokenizer.json'])
    cpSync(join(golden, file), join(into, file))
  for (const [path, content] of Object.entries(cases[name]?.files ?? {})) {
    mkdirSync(dirname(join(into, path)), { recursive: true })
    writeFileSync(
      join(into, path),
      path.endsWith('.json') ? JSON.stringify(content) : Buffer.from(String(content), 'base64'),
    )
  }
  return into
}

/** Trains one epoch from a model. @param {string} from @param {string} objective @returns the folder of the saved model */
async function trained(from, objective) {
  const directory = mkdtempSync(join(folder, 'run-'))
  const data = join(directory, 'pairs.jsonl')
  const pairs = Array.from({ length: 8 }, (_, i) => ({ text: texts[i % 3], pair: texts[(i + 1) % 3] }))
  writeFileSync(data, pairs.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const config = {
    directory: join(directory, 'run'),
    data: { train: { use: 'jsonl', path: data }, validation: { use: 'jsonl', path: data } },
    tokenizer: { use: 'wordpiece', path: from },
    model: { use: 'bert', from },
    objective: { use: objective },
    engine: 'tfjs-cpu',
    training: { epochs: 1, batchSize: 4, learningRate: 0.01 },
  }
  await lastValueFrom(run(/** @type {any} */ (config), { searchPaths }))
  return join(directory, 'run', 'model')
}

describe('models that Attune trained', () => {
  const names = ['mean, normalized', 'cls', 'dense', 'two dense modules', 'layer norm', 'two poolings']
  for (const [name, objective] of [
    ...names.map((each) => [each, 'contrastive']),
    ['mean, normalized', 'autoencoder'],
    ['no modules', 'autoencoder'],
  ])
    it(
      `are loaded by sentence-transformers, with the same embeddings: ${name}, ${objective}`,
      { skip: python === undefined && absent },
      async () => {
        const model = await trained(folderOf(String(name)), String(objective))
        const predictor = await openPredictor(model, { searchPaths })
        const answers = await predictor.predict(texts.map((text) => ({ text })))
        const own = answers.map(
          (answer) => /** @type {{ embedding: number[] }} */ (/** @type {unknown} */ (answer)).embedding,
        )
        await predictor.close()
        const script = join(import.meta.dirname, 'sentence_transformers_loads.py')
        const out = execFileSync(String(python), [script, model, JSON.stringify(texts)], { encoding: 'utf8' })
        const theirs = /** @type {number[][]} */ (JSON.parse(out.trim().split('\n').at(-1) ?? ''))
        assert.deepEqual(
          own.map(({ length }) => length),
          theirs.map(({ length }) => length),
        )
        const difference = Math.max(
          ...own.flatMap((row, i) => row.map((x, j) => Math.abs(x - (theirs[i]?.[j] ?? NaN)))),
        )
        assert.ok(difference <= 1e-5, `expected a difference of at most 1e-5, got ${difference}`)
      },
    )
})
