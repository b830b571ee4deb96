/**
 * Forgetting: a classifier learns concept A, then concept B, whose texts are of other sections with the same two labels. The second stream
 * trains it plainly, with elastic weight consolidation (EWC), or with replay of rows of A. Rows that never train show what it still knows of A.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Example, key, stream } from '@attune/core'
import jsonl from '@attune/source-jsonl'
import { type Learner, reservoir } from '@attune/trainer'
import { type LearnerConfig, openLearner } from '@attune/trainer/node'

const [count, seeds, batchSize, held, kept] = [
  Number(process.argv[2] ?? 300),
  Number(process.argv[3] ?? 3),
  16,
  150,
  100,
]
const source = jsonl({ path: new URL('../../debian-sections/train.jsonl.gz', import.meta.url).pathname })
const folder = mkdtempSync(join(tmpdir(), 'attune-forgetting-'))

/** The label of a row of each section. */
const CONCEPTS = [
  { science: 'first', net: 'second' },
  { admin: 'first', games: 'second' },
] as const

/** Rows of each concept. */
const rows: Example[][] = CONCEPTS.map(() => [])
for await (const row of source.open())
  for (const [i, labels] of CONCEPTS.entries()) {
    const label = (labels as Readonly<Record<string, string>>)[String(row['label'])]
    if (label !== undefined && rows[i]!.length < held + count) rows[i]!.push({ text: row['text'], label })
  }
const [heldA, heldB] = rows.map((each) => each.slice(0, held)) as [Example[], Example[]]
const [a, b] = rows.map((each) => each.slice(held)) as [Example[], Example[]]
writeFileSync(join(folder, 'a.jsonl'), a.map((row) => `${JSON.stringify(row)}\n`).join(''))

/** Opens a learner: a new one, or one that starts from a saved model. */
const open = (seed: number, from: string | undefined, more: Partial<LearnerConfig> = {}): Promise<Learner> =>
  openLearner(
    {
      seed,
      tokenizer: { use: 'wordpiece', ...(from === undefined ? { vocabularySize: 2000 } : { path: from }) },
      model: { use: 'mlp', ...(from === undefined ? {} : { from }) },
      objective: { use: 'sequence-classification', labels: ['first', 'second'], maximumLength: 64 },
      metric: 'accuracy',
      engine: 'tfjs-wasm',
      training: { learningRate: 1e-2, epochs: 1, batchSize },
      ...more,
    },
    { examples: [...a, ...b] },
  )

/** Trains on a stream once. @param replayed rows that are added to each step */
async function learn(learner: Learner, examples: readonly Example[], replayed: () => readonly Example[] = () => []) {
  for (let i = 0; i < examples.length; i += batchSize)
    await learner.learn([...examples.slice(i, i + batchSize), ...replayed()])
}

const accuracyOf = async (learner: Learner, examples: readonly Example[]): Promise<number> =>
  (await learner.score(examples)).scores['accuracy']!.value

const strength = Number(process.argv[4] ?? 10_000)
const ewc = { use: 'ewc', data: { use: 'jsonl', path: join(folder, 'a.jsonl') }, strength }
const METHODS: Readonly<Record<string, Partial<LearnerConfig>>> = { plain: {}, EWC: { regularizer: ewc }, replay: {} }

for (let seed = 1; seed <= seeds; seed++) {
  const first = await open(seed, undefined)
  await learn(first, a)
  const before = await accuracyOf(first, heldA)
  const model = await first.save(join(folder, `a-${seed}`))
  await first.close()
  const buffer = reservoir(kept, stream(key(seed)))
  for (const row of a) buffer.add(row)
  for (const [name, more] of Object.entries(METHODS)) {
    const learner = await open(seed, model, more)
    await learn(learner, b, () => (name === 'replay' ? buffer.sample(batchSize) : []))
    const [after, fresh] = [await accuracyOf(learner, heldA), await accuracyOf(learner, heldB)]
    await learner.close()
    console.log(
      `seed ${seed}, ${name}: accuracy on A ${before.toFixed(3)} before, ${after.toFixed(3)} after B; on B ${fresh.toFixed(3)}`,
    )
  }
}
rmSync(folder, { recursive: true })
