/**
 * Direct preference optimization: a language model of package descriptions first learns to write them, and then to prefer those of
 * libraries. The second run trains low-rank updates, so that the frozen base is the reference.
 * Source: Rafailov et al., Direct Preference Optimization, 2023, equation 7.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@attune/core'
import { logSigmoid } from '@attune/nn'
import { type RunConfig, run } from '@attune/trainer/node'
import causalLanguageModeling from '@attune/objective-causal-language-modeling'
import gpt2 from '@attune/model-gpt2'
import jsonl from '@attune/source-jsonl'
import lora from '@attune/adapter-lora'
import onnxruntime from '@attune/engine-onnxruntime'
import accuracy from '@attune/metric-accuracy'
import wordpiece from '@attune/tokenizer-wordpiece'
import { mul, neg, onesLike, reshape, split, squeeze, sub, sum, transpose } from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { lastValueFrom, tap } from 'rxjs'
import { z } from 'zod'

const data = new URL('../../debian-sections/train.jsonl.gz', import.meta.url).pathname
const [count, seed] = [Number(process.argv[2] ?? 160), 7]

/** Rows `text`, `chosen` and `rejected`: a description that mentions a library, and one that does not. */
const preferences = core.definePlugin({
  kind: core.SOURCE,
  name: 'preferences',
  summary: 'Pairs of descriptions, of which the first is of a library',
  options: z.strictObject({}),
  create: (): core.Source => ({
    location: data,
    async *open() {
      const texts: string[] = []
      for await (const { text } of jsonl({ path: data }).open()) texts.push(String(text))
      const [libraries, others] = [true, false].map((is) => texts.filter((text) => /librar/i.test(text) === is))
      for (const [i, chosen] of libraries!.slice(0, count).entries())
        for (const text of [chosen, others![i]!]) yield { text, chosen, rejected: others![i]! }
    },
  }),
})

interface Pair extends core.Encoded {
  readonly chosen: core.Encoded
  readonly rejected: core.Encoded
}

/** `−ln σ(β·(margin − margin of the reference))`, the margin being `ln p(chosen) − ln p(rejected)`. */
const dpo = core.definePlugin({
  kind: core.OBJECTIVE,
  name: 'dpo',
  summary: 'Direct preference optimization',
  options: z.strictObject({ beta: z.number().positive().default(0.1), maximumLength: z.int().default(32) }),
  needs: { model: core.MODEL, tokenizer: core.TOKENIZER },
  create({ beta, maximumLength }, given): core.Objective<Pair, core.Batch, Tensor> {
    const language: core.AnyObjective = causalLanguageModeling({ maximumLength }, given)
    const encode = ({ chosen, rejected }: core.Example): Pair => {
      const [first, second] = [language.encode({ text: chosen }), language.encode({ text: rejected })]
      const truncated = first.truncated || second.truncated
      return { chosen: first, rejected: second, truncated, length: Math.max(first.length, second.length) }
    }
    const margin = (logs: Tensor): Tensor => squeeze(sub(...(split(logs, 2, 1) as [Tensor, Tensor])), [1])
    const even = (losses: Tensor): core.Losses => ({ losses, weights: onesLike(losses) })
    return {
      ...language,
      views: ['label'],
      needsReference: true,
      encode,
      encodeUnlabelled: encode,
      collate: (pairs) =>
        language.collate([...pairs.map((pair) => pair.chosen), ...pairs.map((pair) => pair.rejected)]),
      // The log-probabilities of both texts, [pairs, 2].
      head(params, outputs, mode, batch) {
        const { losses } = language.head(params, outputs, mode, batch)
        return transpose(reshape(neg(sum(mul(losses, batch['weights'] as Tensor), -1)), [2, -1]))
      },
      loss: (logs) => even(neg(logSigmoid(mul(beta, margin(logs))))),
      trainingLoss({ params, mode, forward, models: { reference } }, batch) {
        const inputs = batch.inputs as unknown as core.TextInputs
        const now = margin(this.head(params, forward(inputs), mode, batch))
        const before = margin(reference!.head(reference!.forward(inputs), batch) as Tensor)
        return even(neg(logSigmoid(mul(beta, sub(now, before)))))
      },
      predict: ({ values }, pairs) =>
        pairs.map((_, i) => ({ label: values[2 * i]! > values[2 * i + 1]! ? 'chosen' : 'rejected' })),
      reference: () => ({ label: 'chosen' }),
    }
  },
})

const directory = mkdtempSync(join(tmpdir(), 'attune-dpo-'))
/** Shows the mean loss of each epoch's steps, and the share of pairs in which the chosen text is the more probable. */
function show(stage: string) {
  const losses: number[] = []
  return tap((event: core.RunEvent) => {
    if (event.type === 'step.completed') losses.push(event.loss)
    if (event.type !== 'evaluation.completed') return
    const mean = losses.reduce((a, b) => a + b) / losses.length
    const { accuracy: right } = event.scores
    const chosen = right === undefined ? '' : `, chosen ${(100 * right.value).toFixed(0)} %`
    console.log(`${stage}, step ${event.step}: loss ${mean.toFixed(4)}${chosen}`)
    losses.length = 0
  })
}
const training = { epochs: 3, batchSize: 16, learningRate: 3e-3 }
const shape = { nEmbd: 64, nLayer: 2, nHead: 2, nPositions: 64, embdPdrop: 0, residPdrop: 0, attnPdrop: 0 }
const common = { seed, data: { train: preferences }, engine: onnxruntime, training }
const written: RunConfig = {
  ...common,
  directory,
  tokenizer: { use: wordpiece, vocabularySize: 2000 },
  model: { use: gpt2, ...shape },
  objective: { use: causalLanguageModeling, maximumLength: 32 },
}
const preferred: RunConfig = {
  ...common,
  tokenizer: { use: wordpiece, path: join(directory, 'model') },
  model: { use: gpt2, from: join(directory, 'model') },
  objective: dpo,
  adapter: { use: lora, rank: 8, targets: 'all-linear' },
  metric: accuracy,
}
await lastValueFrom(run(written).pipe(show('writing')))
await lastValueFrom(run(preferred).pipe(show('preferring')))
rmSync(directory, { recursive: true })
