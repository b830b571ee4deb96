// @ts-check
/**
 * Events of real runs that overfit, underfit, diverge, collapse and are fine, on synthetic texts. Writes
 * plugins/callback-diagnostician/golden/*.jsonl. Needs built packages.
 */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringifyEvent } from '@attune/core'
import { run } from '@attune/trainer/node'
import { lastValueFrom, toArray } from 'rxjs'

const GOLDEN = fileURLToPath(new URL('../../plugins/callback-diagnostician/golden/', import.meta.url))
const KEPT = ['run.started', 'step.completed', 'evaluation.completed', 'training.completed']
const WORDS = Array.from({ length: 40 }, (_, i) => `w${i}`)

/** Uniform numbers in [0, 1) of a linear congruential generator. @param {number} seed */
function generator(seed) {
  let state = seed
  return () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31
}

/**
 * Texts whose class is that of their cue words; a fraction `noise` of the labels is random.
 * @param {number} count @param {number} seed @param {number} noise
 */
function texts(count, seed, noise, share = 0.5) {
  const random = generator(seed)
  return Array.from({ length: count }, () => {
    const label = random() < share ? 'yes' : 'no'
    const cue = label === 'yes' ? ['good', 'fine', 'nice'] : ['bad', 'poor', 'ugly']
    const word = () => (random() < 0.4 ? cue[Math.floor(random() * 3)] : WORDS[Math.floor(random() * 40)])
    const text = Array.from({ length: 6 }, word).join(' ')
    return { text, label: random() < noise ? (random() < 0.5 ? 'yes' : 'no') : label }
  })
}

const folder = mkdtempSync(join(tmpdir(), 'attune-diagnosed-'))
/** Writes rows, and returns their source. @param {string} name @param {readonly object[]} rows */
const write = (name, rows) => {
  const path = join(folder, name)
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return { use: 'jsonl', path }
}

/** @type {Record<string, { noise: number, learningRate: number, epochs: number, count: number, share?: number, optimizer?: unknown, clipNorm?: null }>} */
const RUNS = {
  fine: { noise: 0, learningRate: 3e-3, epochs: 3, count: 240 },
  overfits: { noise: 1, learningRate: 1e-2, epochs: 30, count: 40 },
  underfits: { noise: 0, learningRate: 1e-7, epochs: 3, count: 240 },
  diverges: {
    noise: 0,
    learningRate: 1,
    epochs: 6,
    count: 240,
    optimizer: { use: 'sgd', momentum: 0.95 },
    clipNorm: null,
  },
  collapses: { noise: 0.9, learningRate: 1e-2, epochs: 3, count: 240, share: 0.95 },
}

mkdirSync(GOLDEN, { recursive: true })
for (const [name, { noise, learningRate, epochs, count, share, optimizer = 'adamw', ...training }] of Object.entries(
  RUNS,
)) {
  const config = {
    data: {
      train: write(`${name}.jsonl`, texts(count, 1, noise, share)),
      validation: write(`${name}-validation.jsonl`, texts(80, 2, noise, share)),
    },
    tokenizer: 'word',
    model: {
      use: 'bert',
      hiddenSize: 32,
      numHiddenLayers: 1,
      numAttentionHeads: 2,
      intermediateSize: 32,
      initializerRange: 0.2,
    },
    objective: 'sequence-classification',
    engine: 'onnxruntime',
    metric: ['f1'],
    optimizer,
    scheduler: 'constant',
    training: { epochs, batchSize: 8, learningRate, ...training },
    seed: 3,
  }
  /** @type {any[]} */
  const events = []
  await lastValueFrom(run(/** @type {any} */ (config)).pipe(toArray())).then(
    (all) => events.push(...all),
    (error) => console.log(name, error.message),
  )
  const kept = events.filter(({ type }) => KEPT.includes(type))
  console.log(
    name,
    kept
      .filter(({ type }) => type === 'evaluation.completed')
      .map(({ scores }) => scores.loss.value.toFixed(3))
      .join(' '),
    kept.filter(({ type }) => type === 'step.completed').length,
  )
  writeFileSync(join(GOLDEN, `${name}.jsonl`), kept.map((event) => `${stringifyEvent(event)}\n`).join(''))
}
rmSync(folder, { recursive: true })
