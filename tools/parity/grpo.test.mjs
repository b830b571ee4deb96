// @ts-check
/**
 * Group relative policy optimization (GRPO) with `run()`: a small GPT-2 samples several completions per prompt with its current weights,
 * and learns from their rewards. Source: Shao et al., DeepSeekMath, 2024, section 4.1.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { LOSS, MODEL, OBJECTIVE, TOKENIZER, definePlugin, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { rewardFunction } from '@attune/text'
import { run } from '@attune/trainer/node'
import { mul } from '@tensorflow/tfjs-core'
import { lastValueFrom, toArray } from 'rxjs'
import { z } from 'zod'
import { root } from './measure-model.mjs'

/** @import { Batch, Encoded, Objective, RolloutHost } from '@attune/core' */

const search = { folders: [root] }
const causal = (await findPlugin(OBJECTIVE, userSpecifier('causal-language-modeling'), search)).plugin
const [GROUP, WRITTEN] = [8, 8]

/** The fraction of the characters of a text that are "a". @param {string} text */
const reward = (text) => [...text].filter((letter) => letter === 'a').length / Math.max(1, text.length)

/** @param {readonly number[]} values */
const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Group-relative advantages: rewards minus the group mean, divided by its standard deviation. @param {readonly number[]} rewards */
const advantagesOf = (rewards) => {
  const mean = meanOf(rewards)
  const deviation = Math.sqrt(meanOf(rewards.map((value) => (value - mean) ** 2)))
  return rewards.map((value) => (value - mean) / (deviation + 1e-4))
}

/** The objective: the language model's, on sampled completions. @param {number[]} history mean reward by step */
const grpo = (history) =>
  definePlugin({
    kind: OBJECTIVE,
    name: 'grpo',
    summary: 'Group relative policy optimization with a reward function',
    options: z.strictObject({ text: z.string().default('text').meta({ field: 'text' }).describe('The prompt') }),
    needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
    create(options, given) {
      /** @type {Objective<any, any, any>} */
      const base = causal(options, given)
      return {
        ...base,
        encode: (example) => ({ ...base.encode(example), prompt: example['text'] }),
        /** @param {readonly (Encoded & { prompt: string })[]} items @param {RolloutHost} host */
        async rollout(items, host) {
          const prompts = items.flatMap(({ prompt }) => Array.from({ length: GROUP }, () => prompt))
          const seed = Math.floor(host.random() * 2 ** 24)
          const texts = await host.generate(prompts, { maximumNewTokens: WRITTEN, temperature: 1, seed })
          const rewards = texts.map(reward)
          history.push(meanOf(rewards))
          const advantages = items.flatMap((_, i) => advantagesOf(rewards.slice(i * GROUP, (i + 1) * GROUP)))
          return texts.map((text, i) => ({
            ...base.encode({ text: `${prompts[i]}${text}` }),
            advantage: advantages[i],
            given: prompts[i]?.length ?? 0,
          }))
        },
        collate(items, random) {
          const batch = base.collate(items, random)
          if (items[0]?.advantage === undefined) return batch
          const { weights } = /** @type {any} */ (batch)
          const length = weights.shape[1]
          // Prompt tokens are not sampled: no gradient through them.
          const written = weights.values.map((/** @type {number} */ weight, /** @type {number} */ at) =>
            at % length < items[Math.floor(at / length)].given - 1 ? 0 : weight,
          )
          const advantages = Float32Array.from(items, (item) => item.advantage)
          return /** @type {Batch} */ ({
            ...batch,
            weights: { ...weights, values: Float32Array.from(written) },
            advantages: { shape: [items.length, 1], dtype: 'float32', values: advantages },
          })
        },
        trainingLoss({ params, forward, mode }, /** @type {any} */ batch) {
          const { losses } = base.head(params, forward(batch.inputs), mode, batch)
          return { losses: mul(losses, batch.advantages), weights: batch.weights }
        },
      }
    },
  })

describe('group relative policy optimization', () => {
  const folder = mkdtempSync(join(tmpdir(), 'attune-grpo-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('raises the mean reward of the completions that a model samples during training', async () => {
    const letters = 'abcdefgh'
    const rows = Array.from({ length: 16 }, (_, i) => `${JSON.stringify({ text: letters[i % 8] })}\n`)
    writeFileSync(join(folder, 'prompts.jsonl'), rows.join(''))
    const source = { use: 'jsonl', path: join(folder, 'prompts.jsonl') }
    /** @type {number[]} */
    const history = []
    const config = {
      seed: 3,
      data: { train: source, validation: source },
      tokenizer: { use: 'character' },
      model: { use: 'gpt2', nEmbd: 32, nLayer: 1, nHead: 2, nPositions: 16, embdPdrop: 0, attnPdrop: 0, residPdrop: 0 },
      objective: { use: grpo(history) },
      engine: 'onnxruntime',
      scheduler: 'constant',
      training: { epochs: 6, batchSize: 8, learningRate: 0.01 },
    }
    const last = await lastValueFrom(run(/** @type {any} */ (config), { searchPaths: search }))
    assert.equal(last.type === 'run.completed' && last.step, 12)
    assert.equal(history.length, 12)
    const [first, final] = [meanOf(history.slice(0, 3)), meanOf(history.slice(-3))]
    assert.ok(
      final > first + 0.3,
      `expected the reward to rise, got ${first.toFixed(3)} to ${final.toFixed(3)}: ${history.join(' ')}`,
    )
  })

  it('raises it with several updates on each rollout, by the plugin', async () => {
    const rows = Array.from({ length: 16 }, (_, i) => `${JSON.stringify({ prompt: 'abcdefgh'[i % 8] })}\n`)
    writeFileSync(join(folder, 'asked.jsonl'), rows.join(''))
    const source = { use: 'jsonl', path: join(folder, 'asked.jsonl') }
    const rewards = rewardFunction('letter-a', ({ completion }) => reward(completion))
    const config = {
      seed: 3,
      data: { train: source, validation: source },
      tokenizer: { use: 'character', field: 'prompt' },
      model: { use: 'gpt2', nEmbd: 32, nLayer: 1, nHead: 2, nPositions: 16, embdPdrop: 0, attnPdrop: 0, residPdrop: 0 },
      objective: { use: 'grpo', rewards, groupSize: GROUP, maximumNewTokens: WRITTEN, updatesPerRollout: 3 },
      engine: 'onnxruntime',
      scheduler: 'constant',
      training: { epochs: 3, batchSize: 8, learningRate: 0.01 },
    }
    const events = await lastValueFrom(run(/** @type {any} */ (config), { searchPaths: search }).pipe(toArray()))
    const history = events.flatMap((event) =>
      event.type === 'rollout.completed' ? [event.values['reward'] ?? NaN] : [],
    )
    const steps = events.flatMap((event) => (event.type === 'step.completed' ? [event.loss] : []))
    assert.deepEqual([history.length, steps.length], [6, 18])
    // At the policy of the rollout the ratio is 1, and the loss the negative mean advantage of the groups, which is 0.
    for (const [i, loss] of steps.entries())
      assert.equal(Math.abs(loss) < 1e-4, i % 3 === 0, `step ${i + 1}: ${loss}, of ${steps.join(' ')}`)
    const [first, final] = [history[0] ?? NaN, history.at(-1) ?? NaN]
    assert.ok(final > first + 0.2, `expected the reward to rise, got ${history.join(' ')}`)
  })
})
