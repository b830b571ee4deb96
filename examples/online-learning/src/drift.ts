/**
 * A stream with concept drift: after a part of the stream two sections swap their labels. ADWIN watches the errors of the predictions;
 * at drift the learning-rate schedule restarts and the replay buffer, whose rows contradict the new concept, is cleared. Probes of the
 * old and the new concept show what is forgotten and what is learned.
 */
import type { Example } from '@attune/core'
import jsonl from '@attune/source-jsonl'
import { adwin, learnOnline } from '@attune/trainer'
import { openLearner } from '@attune/trainer/node'
import { lastValueFrom, tap } from 'rxjs'

const [before, after, batchSize] = [Number(process.argv[2] ?? 1200), Number(process.argv[3] ?? 800), 16]
const source = jsonl({ path: new URL('../../debian-sections/train.jsonl.gz', import.meta.url).pathname })

const SECTIONS = ['science', 'net']
const swapped = (row: Example): Example => ({ ...row, label: SECTIONS.find((name) => name !== row['label']) })

/** Rows of the two sections. */
async function readRows(count: number): Promise<Example[]> {
  const rows: Example[] = []
  for await (const row of source.open()) {
    if (SECTIONS.includes(String(row['label'])) && rows.push(row) >= count) break
  }
  return rows
}

const probe = 100
const all = await readRows(before + after + probe)
const [held, rows] = [all.slice(0, probe), all.slice(probe)]
const change = Math.min(before, Math.floor(0.6 * rows.length))
const learner = await openLearner(
  {
    seed: 7,
    tokenizer: { use: 'wordpiece', vocabularySize: 2000 },
    model: { use: 'mlp' },
    objective: { use: 'sequence-classification', maximumLength: 64 },
    metric: 'accuracy',
    engine: 'tfjs-wasm',
    scheduler: 'inverse-square-root',
    training: { learningRate: 1e-2, epochs: 1, batchSize },
  },
  { examples: rows.slice(0, 500) },
)

await lastValueFrom(
  learnOnline(learner, [...rows.slice(0, change), ...rows.slice(change).map(swapped)], {
    batchSize,
    window: 200,
    fading: 0.99,
    drift: { detector: adwin({ direction: 'up' }), clearReplay: true },
    replay: { capacity: 200, rows: batchSize },
    probes: { old: held, new: held.map(swapped) },
    probeEvery: 10,
  }).pipe(
    tap(({ examples, drift, faded, probes }) => {
      if (drift === 'drift') console.log(`drift after ${examples} rows (the labels were swapped after ${change})`)
      if (probes === undefined) return
      const accuracy = (name: string): string => (probes[name]?.scores['accuracy'] ?? NaN).toFixed(2)
      console.log(
        `${examples} rows: faded accuracy ${(faded?.['accuracy'] ?? NaN).toFixed(2)}, old concept ${accuracy('old')}, ` +
          `new concept ${accuracy('new')}, forgotten of the old ${(probes['old']?.forgetting['accuracy'] ?? NaN).toFixed(2)}`,
      )
    }),
  ),
)
await learner.close()
