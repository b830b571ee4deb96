/**
 * The recipe of DistilBERT on a small BERT: the student has every second layer of the teacher, and trains with soft targets, masked language
 * modeling and the cosine distance of the last hidden states. Source: Sanh et al., DistilBERT, 2019, sections 2 and 3.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { RunEvent } from '@attune/core'
import { run } from '@attune/trainer/node'
import onnxruntime from '@attune/engine-onnxruntime'
import bert from '@attune/model-bert'
import distillation from '@attune/objective-distillation'
import maskedLanguageModeling from '@attune/objective-masked-language-modeling'
import jsonl from '@attune/source-jsonl'
import wordpiece from '@attune/tokenizer-wordpiece'
import { lastValueFrom, tap } from 'rxjs'

const [count, epochs] = [Number(process.argv[2] ?? 2000), Number(process.argv[3] ?? 3)]
const directory = mkdtempSync(join(tmpdir(), 'attune-distilbert-'))
const pretrained = new URL('../../models/debian-bert', import.meta.url).pathname

/** A file of the first descriptions of a split. */
function slice(split: string, rows: number): string {
  const lines = gunzipSync(readFileSync(new URL(`../../debian-sections/${split}.jsonl.gz`, import.meta.url))).toString()
  const file = join(directory, `${split}.jsonl`)
  writeFileSync(file, lines.trim().split('\n').slice(0, rows).join('\n'))
  return file
}
const data = {
  train: { use: jsonl, path: slice('train', count) },
  validation: { use: jsonl, path: slice('validation', 128) },
}

/** Prints the validation loss of masked language modeling after each epoch. */
const show = (stage: string) =>
  tap((event: RunEvent) => {
    if (event.type !== 'evaluation.completed') return
    console.log(`${stage}, step ${event.step}: loss ${event.scores['loss']!.value.toFixed(3)}`)
  })
const common = {
  seed: 7,
  data,
  engine: onnxruntime,
  tokenizer: { use: wordpiece, path: pretrained },
  training: { epochs, batchSize: 16, learningRate: 5e-4 },
}
const task = { use: maskedLanguageModeling, maximumLength: 48, padToMultipleOf: 48 }
const teacher = join(directory, 'teacher')
const teaching = { ...common, directory: teacher, model: { use: bert, from: pretrained }, objective: task }
await lastValueFrom(run(teaching).pipe(show('teacher')))

const from = join(teacher, 'model')
const half = { ...common, model: { use: bert, from, fromLayers: [0, 2] } }
const student = {
  ...half,
  models: { teacher: { use: bert, from } },
  // The weights of the three losses are those of the published training command.
  objective: { use: distillation, task, temperature: 2, softWeight: 5, taskWeight: 2, hiddenWeight: 1 },
}
await lastValueFrom(run(student).pipe(show('student')))
await lastValueFrom(run({ ...half, objective: task }).pipe(show('without teacher')))
rmSync(directory, { recursive: true })
