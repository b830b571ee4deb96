import { describe, expect, it } from '@jest/globals'
import { CLEANER, REGULARIZER, type RunEvent, type TextInputs, definePlugin } from '@attune/core'
import { fieldHash } from '@attune/data'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { type Observable, lastValueFrom, toArray } from 'rxjs'
import { z } from 'zod'
import { run } from './run.js'
import { toyConfig, toyPlugins } from './toy.test.fixture.js'

const none = z.strictObject({})
const all = (events: Observable<RunEvent>): Promise<RunEvent[]> => lastValueFrom(events.pipe(toArray()))
const config = () => ({ ...toyConfig(), callback: [] as unknown[], training: { ...toyConfig().training, epochs: 1 } })
const inputsOf = (batch: { readonly inputs: unknown }): TextInputs => batch.inputs as TextInputs

describe('a regularizer', () => {
  const searchPaths = { folders: ['.'], registered: toyPlugins }

  it('reads hashed fields of the examples from the training batches, not from evaluations', async () => {
    const seen = new Set<number>()
    const reading = definePlugin({
      kind: REGULARIZER,
      name: 'reading',
      summary: 'Reads a field',
      options: z.strictObject({ by: z.string().meta({ field: 'any' }) }),
      create: ({ by }) => ({
        wrap: (loss) => (call) => {
          const hashes = (call.batch['fields'] as Record<string, Tensor>)[by]!
          hashes.dataSync().forEach((hash) => seen.add(hash))
          return loss(call)
        },
      }),
    })
    await all(run({ ...config(), regularizer: { use: reading, by: 'label' } } as never, { searchPaths }))
    const hashes = ['a', 'not'].map(fieldHash)
    expect([...seen].sort()).toEqual(hashes.sort())
    await expect(
      all(run({ ...config(), regularizer: { use: reading, by: 'absent' } } as never, { searchPaths })),
    ).rejects.toMatchObject({ code: 'MISSING_FIELD' })
  })

  it('rejects micro-batches if it compares the examples of a batch', async () => {
    const comparing = definePlugin({
      kind: REGULARIZER,
      name: 'comparing',
      summary: 'No change, as if the examples of a batch were compared',
      options: none,
      create: () => ({ comparesExamples: true, wrap: (loss) => loss }),
    })
    const over = (microBatchSize: number) => {
      const given = config()
      return run({ ...given, regularizer: comparing, training: { ...given.training, microBatchSize } } as never, {
        searchPaths,
      })
    }
    await expect(all(over(3))).rejects.toMatchObject({
      code: 'BATCH_IN_PARTS',
      problem: expect.stringMatching(
        /^regularizer: .* expected microBatchSize equal to batchSize \(8\), got 3/,
      ) as unknown,
    })
    expect((await all(over(8))).at(-1)).toMatchObject({ type: 'run.completed' })
  })

  it('passes other examples through the model, cleaned like the training data', async () => {
    const letters: number[] = []
    const passing = definePlugin({
      kind: REGULARIZER,
      name: 'passing',
      summary: 'A pass over other examples',
      options: none,
      create: () => ({
        async prepare(pass) {
          async function* examples() {
            yield await Promise.resolve({ text: 'abcXX', label: 'a' })
            yield { text: 'dd', label: 'not' }
          }
          const start = (): Record<string, Tensor> => ({ rows: tf.scalar(0), tokens: tf.scalar(0) })
          const counts = await pass.fold(
            start,
            ({ rows, tokens }, { batch }) => {
              const { inputIds } = inputsOf(batch)
              return { rows: tf.add(rows!, inputIds.shape[0]!), tokens: tf.add(tokens!, tf.sum(tf.sign(inputIds))) }
            },
            { examples, batchSize: 1 },
          )
          const { rows, tokens } = await pass.read(counts)
          letters.push(Number(rows!.values[0]), Number(tokens!.values[0]))
          pass.release(counts)
          return {}
        },
        wrap: (loss) => loss,
      }),
    })
    const cleaner = definePlugin({
      kind: CLEANER,
      name: 'without-x',
      summary: 'Removes X',
      options: none,
      create: () => ({
        edits: (text) => [...text.matchAll(/X/g)].map(({ index }) => ({ start: index, end: index + 1, text: '' })),
      }),
    })
    await all(run({ ...config(), cleaner, regularizer: passing } as never, { searchPaths }))
    expect(letters).toEqual([2, 5])
  })
})
