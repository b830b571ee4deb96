/**
 * A stream in which a part of the labels is wrong: each is replaced by one of the others at random. The same rows train a classifier with
 * cross-entropy, with label smoothing and with generalized cross-entropy, and rows with right labels, which never train, show what each learns.
 */
import { type Example, key, stream } from '@attune/core'
import jsonl from '@attune/source-jsonl'
import { learnOnline } from '@attune/trainer'
import { type LearnerConfig, openLearner } from '@attune/trainer/node'
import { lastValueFrom } from 'rxjs'

const [count, seeds, batchSize, held] = [Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 3), 16, 300]
const source = jsonl({ path: new URL('../../debian-sections/train.jsonl.gz', import.meta.url).pathname })

const labels = ['science', 'net', 'games', 'admin']

/** Rows of four sections: those that are held out, then the stream. */
const rows: Example[] = []
for await (const row of source.open())
  if (labels.includes(String(row['label'])) && rows.push(row) >= held + count) break
const [clean, streamed] = [rows.slice(0, held), rows.slice(held)]

/** Rows with a part of their labels replaced by another one. */
function withNoise(rate: number, seed: number): Example[] {
  const next = stream(key(seed))
  return streamed.map((row) => {
    const others = labels.filter((label) => label !== row['label'])
    return next() < rate ? { ...row, label: others[Math.floor(next() * others.length)]! } : row
  })
}

const LOSSES: Readonly<Record<string, LearnerConfig['loss']>> = {
  'cross-entropy': { use: 'cross-entropy' },
  'label smoothing 0.2': { use: 'cross-entropy', labelSmoothing: 0.2 },
  'generalized cross-entropy': { use: 'generalized-cross-entropy', q: 0.7 },
}

/** Accuracy on the held-out rows after the stream. */
async function accuracyOf(loss: LearnerConfig['loss'], examples: readonly Example[], seed: number): Promise<number> {
  const learner = await openLearner(
    {
      seed,
      tokenizer: { use: 'wordpiece', vocabularySize: 2000 },
      model: { use: 'mlp' },
      objective: { use: 'sequence-classification', maximumLength: 64 },
      loss,
      metric: 'accuracy',
      engine: 'tfjs-wasm',
      training: { learningRate: 1e-2, epochs: 1, batchSize },
    },
    { examples: streamed.slice(0, 500) },
  )
  await lastValueFrom(learnOnline(learner, examples, { batchSize, window: 200 }))
  const { scores } = await learner.score(clean)
  await learner.close()
  return scores['accuracy']!.value
}

for (const rate of [0, 0.4])
  for (const [name, loss] of Object.entries(LOSSES)) {
    const found: number[] = []
    for (let seed = 1; seed <= seeds; seed++) found.push(await accuracyOf(loss, withNoise(rate, seed), seed))
    const each = found.map((value) => value.toFixed(3)).join(', ')
    console.log(`${100 * rate} % wrong labels, ${name}: accuracy on right labels ${each}`)
  }
