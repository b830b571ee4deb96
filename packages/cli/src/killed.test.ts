import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from '@jest/globals'
import { key, stream } from '@attune/core'

const main = fileURLToPath(new URL('./main.js', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'attune-killed-'))
afterAll(() => rmSync(root, { recursive: true }))

const WORDS = ['cat', 'dog', 'horse', 'bird', 'parser', 'linker', 'compiler', 'debugger']
const rows = Array.from({ length: 70 }, (_, i) => {
  const text = Array.from({ length: 2 + (i % 9) }, (_word, j) => WORDS[(i * i + 3 * j) % 8]).join(' ')
  return JSON.stringify({ text, label: i % 3 === 0 ? 'animal' : 'tool' })
})

/** A small BERT with its dropout, compiled; texts of several lengths, so of several graphs. */
const config = (others: string): string => `seed: 5
data:
  train: { use: jsonl, path: train.jsonl }
tokenizer: { use: wordpiece, vocabularySize: 120 }
model:
  use: bert
  hiddenSize: 32
  numHiddenLayers: 2
  numAttentionHeads: 2
  intermediateSize: 64
  maxPositionEmbeddings: 24
  hiddenDropoutProb: 0.2
  attentionProbsDropoutProb: 0.2
objective: { use: sequence-classification, padToMultipleOf: 4 }
engine: onnxruntime
metric: accuracy
callback: { use: checkpoint, everySteps: 4, best: accuracy }
tracker: { use: console, everySeconds: 0.000001 }
training: { epochs: 5, batchSize: 8, learningRate: 0.01, evaluateEvery: 10${others} }
`

/** Each test is four processes, which start slowly where the machine is busy. */
const MILLISECONDS = 400_000

/** Runs the command; kills it `delay` milliseconds after it has told of `steps` steps. Whether it was killed. */
function attune(args: readonly string[], kill?: { steps: number; delay: number }): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { cwd: root, env: { ...process.env, NO_COLOR: '1' } })
    let told = ''
    child.stderr.on('data', (chunk: Buffer) => {
      told += chunk.toString()
      if (kill !== undefined && told.split(/step \d+\//).length > kill.steps)
        setTimeout(() => child.kill('SIGKILL'), kill.delay)
    })
    child.on('exit', (code, signal) => {
      if (code === 0 || signal === 'SIGKILL') resolve(signal === 'SIGKILL')
      else reject(new Error(told))
    })
  })
}

const saved = (run: string): string => readFileSync(join(root, run, 'model/model.safetensors')).toString('hex')

describe('a compiled run with dropout, killed with SIGKILL and resumed', () => {
  it.each([
    ['all weights', '', ''],
    [
      'the upper layers, in parts of batches, computed again for gradients',
      'adapter: { use: frozen-layers, count: 2 }\n',
      ', microBatchSize: 4, gradientCheckpointing: true',
    ],
  ])(
    'ends with the weights of an uninterrupted one: %s',
    async (name, adapter, training) => {
      const [whole, parts] = [`${name}, whole`, `${name}, in parts`]
      writeFileSync(join(root, 'train.jsonl'), rows.join('\n'))
      writeFileSync(join(root, 'config.yaml'), config(training) + adapter)
      const begin = (directory: string): string[] => ['train', 'config.yaml', '--directory', directory]
      await attune(begin(whole))
      const random = stream(key(12))
      let kills = 0
      for (let going = true; going;) {
        const kill = { steps: 1 + Math.floor(random() * 9), delay: random() * 20 }
        const resumed = existsSync(join(root, parts, 'learned.json'))
        going = await attune(resumed ? ['train', '--resume', parts] : begin(parts), kills < 2 ? kill : undefined)
        kills += Number(going)
      }
      expect(kills).toBe(2)
      expect(saved(parts)).toBe(saved(whole))
    },
    MILLISECONDS,
  )
})
