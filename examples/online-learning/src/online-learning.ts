/**
 * Online learning: a classifier trains on a stream of package descriptions and predicts each one before it trains on it. Prints the
 * prequential accuracy over the latest rows and the resident memory of the process.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Example, isAttuneError } from '@attune/core'
import jsonl from '@attune/source-jsonl'
import { type PrequentialEvent, learnOnline } from '@attune/trainer'
import { openLearner, openPredictor } from '@attune/trainer/node'
import { type Observable, from, lastValueFrom, take, tap, toArray } from 'rxjs'

const [count, batchSize, window] = [Number(process.argv[2] ?? 2000), 16, 400]
const source = jsonl({ path: new URL('../../debian-sections/train.jsonl.gz', import.meta.url).pathname })

/** The rows as a stream, as from a message queue. */
const rows = (): Observable<Example> => from(source.open())

// Vocabulary and labels are fitted to the first rows; the model is not trained on them before the stream starts.
const first = await lastValueFrom(rows().pipe(take(500), toArray()))
const learner = await openLearner(
  {
    seed: 7,
    tokenizer: { use: 'wordpiece', vocabularySize: 2000 },
    model: { use: 'mlp' },
    objective: { use: 'sequence-classification', maximumLength: 64 },
    metric: ['accuracy', 'f1'],
    engine: 'tfjs-wasm',
    training: { learningRate: 1e-2 },
  },
  { examples: first },
)

/** Prints one line of statistics. */
function report({ step, examples, loss, failed, window: latest, scores }: PrequentialEvent): void {
  const percent = (score: { readonly value: number } | undefined): string =>
    `${(100 * (score?.value ?? NaN)).toFixed(1)} %`
  const megabytes = Math.round(process.memoryUsage().rss / 1e6)
  console.log(
    `step ${step}: ${examples} rows, loss ${loss.toFixed(3)}, accuracy of the latest ${percent(latest['accuracy'])}, ` +
      `of all ${percent(scores['accuracy'])}, macro F1 of the latest ${percent(latest['macro-f1'])}, ${failed} skipped, ${megabytes} MB`,
  )
}

const windows = Math.max(1, Math.floor(window / batchSize))
await lastValueFrom(
  learnOnline(learner, rows().pipe(take(count)), { batchSize, window }).pipe(
    tap((event) => {
      if (event.step % windows === 0) report(event)
    }),
  ),
)

// The final model is saved and loaded like any other.
const folder = mkdtempSync(join(tmpdir(), 'online-learning-'))
const predictor = await openPredictor(await learner.save(join(folder, 'model')))
const texts = ['a real-time strategy game with tanks', 'a library of numerical routines for linear algebra']
const answers = await predictor.predict(texts.map((text) => ({ text })))
for (const [i, answer] of answers.entries())
  console.log(`${texts[i]} → ${isAttuneError(answer) ? answer.problem : String(answer['label'])}`)
await predictor.close()
await learner.close()
rmSync(folder, { recursive: true })
