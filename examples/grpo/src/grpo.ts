/**
 * Group relative policy optimization (GRPO): a tiny language model learns from a reward function to write lists in brackets. It is first
 * trained on lists of which one in three has them, so that some of its samples are rewarded.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunEvent } from '@attune/core'
import { rewardFunction } from '@attune/text'
import { run } from '@attune/trainer/node'
import causalLanguageModeling from '@attune/objective-causal-language-modeling'
import grpo from '@attune/objective-grpo'
import gpt2 from '@attune/model-gpt2'
import onnxruntime from '@attune/engine-onnxruntime'
import jsonl from '@attune/source-jsonl'
import constant from '@attune/scheduler-constant'
import character from '@attune/tokenizer-character'
import { lastValueFrom, tap } from 'rxjs'

const steps = Number(process.argv[2] ?? 12)
const directory = mkdtempSync(join(tmpdir(), 'attune-grpo-'))

/** Writes rows to a file of the temporary folder. */
function write(name: string, rows: readonly object[]): string {
  writeFileSync(join(directory, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return join(directory, name)
}
const letters = 'abcdefgh'
const lists = Array.from({ length: 240 }, (_, i) => {
  const list = `${letters[i % 8]},${letters[(i * 3 + 1) % 8]}`
  return { text: `${letters[(i * 5) % 8]}:${i % 3 === 0 ? `[${list}]` : list};` }
})
const prompts = Array.from({ length: 8 * steps }, (_, i) => ({ prompt: `${letters[i % 8]}:` }))

/** Reward of a list in brackets, ended by a semicolon. */
const brackets = rewardFunction('brackets', ({ completion }) => (/^\[[^[\]]*\];/.test(completion) ? 1 : 0))

const shape = { nEmbd: 32, nLayer: 1, nHead: 2, nPositions: 16, embdPdrop: 0, residPdrop: 0, attnPdrop: 0 }
const base = join(directory, 'base')
/** A file of training examples; its evaluations are not needed here, so they are as small as possible. */
const split = (path: string) => ({
  train: { use: jsonl, path },
  validation: { use: jsonl, path: write('one.jsonl', [{ text: 'a:[b,c];', prompt: 'a:' }]) },
})
const common = { seed: 3, engine: onnxruntime }
const languageModeling = {
  ...common,
  directory: base,
  data: split(write('lists.jsonl', lists)),
  tokenizer: character,
  model: { use: gpt2, ...shape },
  objective: causalLanguageModeling,
  training: { epochs: 6, batchSize: 16, learningRate: 0.01 },
}
await lastValueFrom(run(languageModeling))
const reinforcement = {
  ...common,
  data: split(write('prompts.jsonl', prompts)),
  tokenizer: { use: character, path: join(base, 'model') },
  model: { use: gpt2, from: join(base, 'model') },
  objective: { use: grpo, rewards: brackets, groupSize: 8, maximumNewTokens: 8, beta: 0.01 },
  scheduler: constant,
  training: { epochs: 1, batchSize: 8, learningRate: 3e-3 },
}
const show = tap((event: RunEvent) => {
  if (event.type === 'rollout.completed')
    console.log(`step ${event.step}: mean reward ${event.values['reward']?.toFixed(3)}`)
})
await lastValueFrom(run(reinforcement).pipe(show))
rmSync(directory, { recursive: true })
