import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ENGINE, type Engine, definePlugin, fileName, isAttuneError } from '@attune/core'
import { findInstalled } from '@attune/resolve'
import type { PredictOptions, Predictor } from '@attune/trainer'
import { type RunConfig, openPredictor, openWorkerPredictor, run } from '@attune/trainer/node'
import { decodeSafetensors } from '@attune/weights'
import { lastValueFrom } from 'rxjs'
import { z } from 'zod'
import { searchPathsFrom } from './search-paths.js'

const main = fileURLToPath(new URL('./main.js', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'attune-adapters-'))
afterAll(() => rmSync(root, { recursive: true }))
const env = { ...process.env, XDG_STATE_HOME: join(root, 'state') }
const attune = (...args: string[]): string =>
  execFileSync(process.execPath, [main, ...args], { cwd: root, stdio: 'pipe', env }).toString()

const TEXTS = ['the good', 'the bad', 'a dog and a cat']
const BERT = {
  use: 'bert',
  hiddenSize: 16,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  intermediateSize: 32,
  maxPositionEmbeddings: 24,
}
const WORDS = ['bad', 'good', 'dog']
const options = { searchPaths: searchPathsFrom(), baseDirectory: root }

/** Trains a run named by its folder, with some labels. */
async function train(directory: string, labels: number, more: Record<string, unknown>): Promise<void> {
  const rows = Array.from({ length: 24 }, (_, i) => ({ text: `the ${WORDS[i % labels]}`, label: WORDS[i % labels] }))
  writeFileSync(join(root, `${directory}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const config = {
    directory,
    data: { train: { use: 'jsonl', path: `${directory}.jsonl` } },
    objective: { use: 'sequence-classification', maximumLength: 12 },
    engine: 'tfjs-cpu',
    training: { epochs: 1, batchSize: 8, learningRate: 0.05 },
    ...more,
  }
  await lastValueFrom(run(config as unknown as RunConfig, options))
}
const tuned = (adapter: Record<string, unknown>) => ({
  tokenizer: { use: 'wordpiece', path: 'base/model' },
  model: { use: 'bert', from: 'base/model' },
  adapter,
  saveAdapter: true,
})

/** An engine that counts the tensors since its start, and the functions that it has compiled. */
async function countingEngine() {
  const found = (await findInstalled(ENGINE, fileName('onnxruntime'), searchPathsFrom())).plugin
  let [live, count] = [(): number => 0, 0]
  const plugin = definePlugin({
    kind: ENGINE,
    name: found.name,
    summary: 'Counts compiled functions and tensors',
    options: z.strictObject({}),
    create(): Engine {
      const engine = found() as Engine
      return {
        ...engine,
        async start() {
          await engine.start()
          const before = engine.live()
          ;[live, count] = [() => engine.live() - before, 0]
        },
        compile: (fn, how) => (count++, engine.compile(fn, how)),
      }
    },
  })
  return { plugin, tensors: () => live(), programs: () => count }
}

const scores = async (predictor: Predictor, how?: PredictOptions): Promise<unknown[]> => {
  const answers = await predictor.predict(
    TEXTS.map((text) => ({ text })),
    how,
  )
  return answers.map((answer) => (isAttuneError(answer) ? answer : answer['scores']))
}
describe('adapters of one base model', () => {
  let shared: Predictor
  beforeAll(async () => {
    await train('base', 2, { tokenizer: { use: 'wordpiece', vocabularySize: 100 }, model: BERT })
    await train('first', 2, tuned({ use: 'lora', rank: 2 }))
    await train('second', 3, tuned({ use: 'lora', rank: 2 }))
    await train('bottleneck', 2, tuned({ use: 'bottleneck', size: 3 }))
    const adapters = { first: 'first', second: 'second/adapter', bottleneck: 'bottleneck' }
    shared = await openPredictor('base', { ...options, adapters })
  }, 240_000)
  afterAll(() => shared?.close())

  const values = (all: unknown[]) => all.flatMap((each) => Object.values(each as Record<string, number>))
  /** Compares scores of two engines. */
  const expectSame = (found: unknown[], expected: unknown[]): void => {
    for (const [i, value] of values(expected).entries()) expect(values(found)[i]).toBeCloseTo(value, 5)
  }

  it.each(['first', 'second', 'bottleneck'])('predict as in their own run: %s', async (name) => {
    const own = await openPredictor(name, options)
    const [expected, found] = [await scores(own), await scores(shared, { adapter: name })]
    const { version: _, ...describes } = own.describes
    expect(shared.describes.adapters![name]).toMatchObject(describes)
    await own.close()
    expect(JSON.stringify(found)).not.toBe(JSON.stringify(await scores(shared)))
    expectSame(found, expected)
  })

  it('do not mix in concurrent calls, and leave the base as it is', async () => {
    const own = await openPredictor('base', options)
    const names = [undefined, 'first', 'second', 'bottleneck', 'first', undefined]
    const ask = (name: string | undefined) => scores(shared, name === undefined ? {} : { adapter: name })
    const alone: unknown[] = []
    for (const name of names) alone.push(await ask(name))
    expect(await Promise.all(names.map(ask))).toEqual(alone)
    expectSame(alone[0] as unknown[], await scores(own))
    await own.close()
  })

  it('are rejected by an unknown name', async () => {
    await expect(scores(shared, { adapter: 'frist' })).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      remedy: expect.stringContaining("'first'") as unknown,
    })
  })

  it('share the tensors of the base, and those of one shape a compiled program', async () => {
    const opened = async (adapters: Record<string, string>) => {
      const { plugin, tensors, programs } = await countingEngine()
      const searchPaths = { ...searchPathsFrom(), registered: [plugin] }
      const predictor = await openPredictor('base', { ...options, searchPaths, adapters })
      const found = { tensors: tensors(), programs: programs() }
      await predictor.close()
      return found
    }
    const one = await opened({ first: 'first' })
    const two = await opened({ first: 'first', again: 'first/adapter' })
    const other = await opened({ first: 'first', second: 'second' })
    const path = join(root, 'first/adapter/adapter_model.safetensors')
    const own = Object.keys(decodeSafetensors(readFileSync(path), path).tensors).length
    expect(one.tensors).toBeGreaterThan(2 * own)
    expect(two).toEqual({ tensors: one.tensors + own, programs: one.programs })
    expect(other).toEqual({ tensors: one.tensors + own, programs: one.programs + 1 })
  })

  it('answer in a worker thread, and by `attune predict --adapter`', async () => {
    const worker = await openWorkerPredictor(join(root, 'base'), {
      searchPaths: { folders: [...searchPathsFrom().folders] },
      adapters: { second: join(root, 'second') },
    })
    expect(await scores(worker, { adapter: 'second' })).toEqual(await scores(shared, { adapter: 'second' }))
    await worker.close()
    const lines = attune('predict', 'base', '--adapter', 'second', ...TEXTS)
      .trim()
      .split('\n')
    const printed = lines.map((line) => (JSON.parse(line) as { scores: unknown }).scores)
    expect(printed).toEqual(await scores(shared, { adapter: 'second' }))
  }, 60_000)
})
