// @ts-check
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { replacePart } from '../check/replace-part.mjs'
import { compared, keep, load, recipeOf, summary } from './comparison.mjs'

const RESULTS = {
  attune: { 1: { accuracy: 0.86, f1: 0.83 }, 2: { accuracy: 0.85, f1: 0.81 } },
  transformers: { 1: { accuracy: 0.855, f1: 0.825 }, 2: { accuracy: 0.857, f1: 0.827 } },
}

it('saves each score at once, and rejects a file of another training setup', () => {
  const folder = mkdtempSync(join(tmpdir(), 'attune-comparison-'))
  const file = join(folder, 'comparison.json')
  const part = { attune: { 1: { accuracy: 0.86, f1: 0.83 } }, transformers: {} }
  assert.deepEqual(load(file, 'a'), { attune: {}, transformers: {} })
  keep(file, 'a', part)
  assert.deepEqual(load(file, 'a'), part)
  keep(file, 'a', RESULTS)
  assert.deepEqual(load(file, 'a'), RESULTS)
  assert.deepEqual(readdirSync(folder), ['comparison.json'])
  assert.throws(() => load(file, 'b'), /another training setup: delete it/)
  rmSync(folder, { recursive: true })
})

it('identifies a training setup by the content of its files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'attune-comparison-'))
  const file = join(folder, 'recipe.yaml')
  writeFileSync(file, 'seed: 1')
  const before = recipeOf([file])
  assert.equal(recipeOf([file]), before)
  writeFileSync(file, 'seed: 2')
  assert.notEqual(recipeOf([file]), before)
  rmSync(folder, { recursive: true })
})

it('reports scores by seed, means, differences and margins over the linear SVM', () => {
  const lines = summary(RESULTS, ['1', '2']).split('\n')
  const line = (/** @type {RegExp} */ start) =>
    lines
      .find((each) => start.test(each))
      ?.trim()
      .split(/\s{2,}/)
  assert.deepEqual(line(/accuracy +seed 1/), ['accuracy', 'seed 1', '0.8600', '0.8550', '+0.50', '+2.70', '+2.20'])
  assert.deepEqual(line(/accuracy +mean/), ['accuracy', 'mean', '0.8550', '0.8560', '-0.10', '+2.20', '+2.30'])
  assert.deepEqual(line(/macro F1 +mean/), ['macro F1', 'mean', '0.8200', '0.8260', '-0.60', '+2.70', '+3.30'])
})

it('docs/measurements/real-model.md shows the saved scores', () => {
  const { results } = JSON.parse(readFileSync(new URL('comparison.json', import.meta.url), 'utf8'))
  const page = readFileSync(new URL('../../docs/measurements/real-model.md', import.meta.url), 'utf8')
  const bare = (/** @type {string} */ text) => text.replace(/ +|-{3,}/g, '')
  assert.equal(bare(replacePart(page, 'compared', compared(results)) ?? ''), bare(page))
  assert.match(compared(RESULTS), /\| accuracy \| mean \| 0\.8550 \| 0\.8560 \| -0\.10 \|/)
})
