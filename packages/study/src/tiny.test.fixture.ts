import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { RunConfig } from '@attune/trainer/node'
import type { StudyConfig } from './study-config.js'

const examples = fileURLToPath(new URL('../../../examples/debian-sections/train.jsonl.gz', import.meta.url))

/** The first rows of two classes of the example data, in file order. */
function realRows(count: number): readonly string[] {
  const lines = gunzipSync(readFileSync(examples)).toString('utf8').split('\n')
  return lines.filter((line) => /"label": ?"(games|admin)"/.test(line)).slice(0, count)
}

/** Creates a folder with the first real examples of two classes in `train.jsonl`. */
export function tinyData(count = 60): string {
  const folder = mkdtempSync(join(tmpdir(), 'attune-study-'))
  writeFileSync(
    join(folder, 'train.jsonl'),
    realRows(count)
      .map((line) => `${line}\n`)
      .join(''),
  )
  return folder
}

/** A very small classifier on {@link tinyData}, evaluated after each of 3 epochs. */
export const tinyConfig: RunConfig = {
  seed: 3,
  data: { train: { use: 'jsonl', path: 'train.jsonl' } },
  tokenizer: { use: 'word', vocabularySize: 300 },
  model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
  objective: { use: 'sequence-classification', maximumLength: 16 },
  protocol: { use: 'holdout', validation: 0.25 },
  engine: 'tfjs-cpu',
  metric: 'accuracy',
  training: { epochs: 3, batchSize: 16, learningRate: 0.01 },
}

/** A study of {@link tinyConfig} with checkpoints and a pruner. */
export const killedConfig = (directory: string, parallel: number): StudyConfig => ({
  ...tinyConfig,
  callback: { use: 'checkpoint', everySteps: 2 },
  study: {
    space: { 'training.learningRate': { from: 1e-3, to: 1e-1, scale: 'log' }, 'optimizer.use': ['adamw', 'sgd'] },
    pruner: { use: 'median', startupTrials: 1 },
    trials: 5,
    goals: 'loss',
    parallel,
    directory,
  },
})
