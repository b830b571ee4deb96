/**
 * Direct preference optimization (DPO): a language model is trained on package descriptions, and then to prefer those of libraries. The
 * second run trains LoRA, so the frozen base is the reference model. The third one has a preference loss of the program.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { RunEvent } from '@attune/core'
import { run } from '@attune/trainer/node'
import causalLanguageModeling from '@attune/objective-causal-language-modeling'
import preferences from '@attune/objective-preferences'
import gpt2 from '@attune/model-gpt2'
import lora from '@attune/adapter-lora'
import onnxruntime from '@attune/engine-onnxruntime'
import accuracyMetric from '@attune/metric-accuracy'
import jsonl from '@attune/source-jsonl'
import wordpiece from '@attune/tokenizer-wordpiece'
import { lastValueFrom, tap } from 'rxjs'
import { apo } from './objective.js'

const [count, seed] = [Number(process.argv[2] ?? 160), 7]
const directory = mkdtempSync(join(tmpdir(), 'attune-dpo-'))

/** Rows with the fields `text`, `chosen` (a description that mentions a library) and `rejected` (one that does not). */
const lines = gunzipSync(readFileSync(new URL('../../debian-sections/train.jsonl.gz', import.meta.url))).toString()
const texts = lines
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line).text as string)
const [libraries, others] = [true, false].map((is) => texts.filter((text) => /librar/i.test(text) === is))
const pairs = libraries!.slice(0, count).map((chosen, i) => ({ chosen, rejected: others![i]! }))
const rows = pairs.flatMap((pair) => Object.values(pair).map((text) => JSON.stringify({ text, ...pair })))
const train = join(directory, 'preferences.jsonl')
writeFileSync(train, rows.join('\n'))

/** Prints the mean loss of each epoch, and the reward accuracy: the fraction of pairs whose chosen text has the larger reward. */
function show(stage: string) {
  let mean = 0
  let steps = 0
  return tap((event: RunEvent) => {
    if (event.type === 'step.completed') mean += (event.loss - mean) / ++steps
    if (event.type !== 'evaluation.completed') return
    const accuracy = event.scores['accuracy']?.value.toFixed(2) ?? 'not computed'
    console.log(`${stage}, step ${event.step}: loss ${mean.toFixed(4)}, accuracy ${accuracy}`)
    mean = 0
    steps = 0
  })
}
const training = { epochs: 3, batchSize: 16, learningRate: 3e-3 }
const shape = { nEmbd: 64, nLayer: 2, nHead: 2, nPositions: 64, embdPdrop: 0, residPdrop: 0, attnPdrop: 0 }
const base = join(directory, 'base')
const common = { seed, data: { train: { use: jsonl, path: train } }, engine: onnxruntime, training }
const languageModeling = {
  ...common,
  directory: base,
  tokenizer: { use: wordpiece, vocabularySize: 2000 },
  model: { use: gpt2, ...shape },
  objective: { use: causalLanguageModeling, maximumLength: 32 },
}
await lastValueFrom(run(languageModeling).pipe(show('language modeling')))
const preferring = {
  ...common,
  tokenizer: { use: wordpiece, path: join(base, 'model') },
  model: { use: gpt2, from: join(base, 'model') },
  adapter: { use: lora, rank: 8, targets: 'all-linear' },
  metric: accuracyMetric,
}
await lastValueFrom(run({ ...preferring, objective: { use: preferences, maximumLength: 32 } }).pipe(show('DPO')))
await lastValueFrom(run({ ...preferring, objective: apo }).pipe(show('APO')))
rmSync(directory, { recursive: true })
