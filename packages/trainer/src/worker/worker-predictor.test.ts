import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Example, isAttuneError } from '@attune/core'
import { lastValueFrom } from 'rxjs'
import { openPredictor } from '../inference/open-predictor.js'
import type { Predictor } from '../inference/predictor.js'
import { run } from '../run/run.js'
import { toyConfig, toyExample, toyPlugins } from '../run/toy.test.fixture.js'
import { openWorkerPredictor } from './worker-predictor.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-worker-'))
const directory = join(temporary, 'run')
const plugins = new URL('../run/toy-plugins.test.fixture.js', import.meta.url)
let worker: Predictor
beforeAll(async () => {
  await lastValueFrom(run(toyConfig(directory)))
  worker = await openWorkerPredictor(directory, { plugins })
})
afterAll(async () => {
  await worker.close()
  rmSync(temporary, { recursive: true })
})

describe('openWorkerPredictor', () => {
  it('matches sequential predictions for 128 concurrent calls, with only the bad row failing', async () => {
    const rows: Example[] = Array.from({ length: 128 }, (_, i) => (i === 77 ? (null as never) : toyExample(i)))
    const here = await openPredictor(directory, { searchPaths: { folders: ['.'], registered: toyPlugins } })
    const answers = (await Promise.all(rows.map((row) => worker.predict([row])))).flat()
    for (const [i, row] of rows.entries()) {
      if (i === 77)
        expect(answers[i]).toMatchObject({ code: 'PREDICTION_FAILED', remedy: expect.any(String) as unknown })
      else expect(answers[i]).toEqual((await here.predict([row]))[0])
    }
    expect(answers.filter(isAttuneError)).toHaveLength(1)
    expect(worker.describes).toEqual(here.describes)
    await here.close()
  })

  it('runs the tokenizer and the compiled programs on its own thread only, so that they never block the main thread', async () => {
    const module = join(temporary, 'off-main.mjs')
    const toys = new URL('../run/toy.test.fixture.js', import.meta.url).href
    writeFileSync(
      module,
      `import { isMainThread } from 'node:worker_threads'
      import { toyPlugins } from ${JSON.stringify(toys)}
      const guarded = (what, run) => (...given) => {
        if (isMainThread) throw new Error(what + ' runs on the main thread')
        return run(...given)
      }
      const wrapped = (kind, wrap) => {
        const plugin = toyPlugins.find((each) => each.kind.name === kind)
        const own = Object.assign((...given) => wrap(plugin(...given)), { ...plugin })
        return Object.defineProperty(own, 'name', { value: plugin.name })
      }
      const tokenizer = wrapped('tokenizer', (made) => ({ ...made, encode: guarded('tokenizer', made.encode) }))
      const engine = wrapped('engine', (made) => ({
        ...made,
        compile: (...given) => {
          const program = made.compile(...given)
          return Object.assign(guarded('program', program), program)
        },
      }))
      export default [tokenizer, engine, ...toyPlugins.filter(({ kind }) => !['tokenizer', 'engine'].includes(kind.name))]`,
    )
    const url = new URL(`file://${module}`)
    const rows = Array.from({ length: 128 }, (_, i) => toyExample(i))
    const own = await openWorkerPredictor(directory, { plugins: url })
    const answers = (await Promise.all(rows.map((row) => own.predict([row])))).flat()
    await own.close()
    expect(answers).toEqual(await worker.predict(rows))
    const { default: registered } = (await import(url.href)) as { default: typeof toyPlugins }
    const refusals = async (kinds: readonly string[]) => {
      const chosen = [
        ...registered.filter(({ kind }) => kinds.includes(kind.name)),
        ...toyPlugins.filter(({ kind }) => !kinds.includes(kind.name)),
      ]
      const here = await openPredictor(directory, { searchPaths: { folders: ['.'], registered: chosen } })
      const [answer] = await here.predict([toyExample(1)])
      await here.close()
      return isAttuneError(answer) ? answer.problem : answer
    }
    expect(await refusals(['tokenizer'])).toContain('tokenizer runs on the main thread')
    expect(await refusals(['engine'])).toContain('program runs on the main thread')
  })

  it('describes the model as plain data', () => {
    expect(structuredClone(worker.describes)).toEqual({
      task: 'toy-objective',
      fields: ['text'],
      views: ['label'],
      labels: ['a', 'not'],
      version: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    })
  })

  it('returns an error for a row that cannot be cloned and predicts the others', async () => {
    const answers = await worker.predict([toyExample(1), { text: () => undefined }, toyExample(2)])
    expect(answers.map(isAttuneError)).toEqual([false, true, false])
  })

  it('rejects an aborted call', async () => {
    const abort = new AbortController()
    const call = worker.predict([toyExample(1)], { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
  })

  it('rejects with the error of opening the model', async () => {
    await expect(openWorkerPredictor(join(temporary, 'nothing'), { plugins })).rejects.toMatchObject({
      code: 'NOT_A_RUN',
      problem: expect.stringContaining('nothing') as unknown,
    })
  })

  it('rejects pending and later calls if the thread dies', async () => {
    const module = join(temporary, 'dying.mjs')
    const toys = new URL('../run/toy.test.fixture.js', import.meta.url).href
    writeFileSync(
      module,
      `import { toyPlugins } from ${JSON.stringify(toys)}
      const tokenizer = toyPlugins.find(({ kind }) => kind.name === 'tokenizer')
      const dying = (...given) => ({ ...tokenizer(...given), encode: () => process.exit(7) })
      const own = Object.defineProperty(Object.assign(dying, { ...tokenizer }), 'name', { value: tokenizer.name })
      export default [own, ...toyPlugins]`,
    )
    const dying = await openWorkerPredictor(directory, { plugins: new URL(`file://${module}`) })
    const calls = [dying.predict([toyExample(1)]), dying.predict([toyExample(2)])]
    for (const call of await Promise.allSettled(calls))
      expect(call).toMatchObject({
        status: 'rejected',
        reason: { code: 'WORKER_DIED', problem: expect.stringContaining('exit code 7') as unknown },
      })
    await expect(dying.predict([toyExample(3)])).rejects.toMatchObject({ code: 'WORKER_DIED' })
    await dying.close()
  })

  it('answers the calls before close and rejects later ones', async () => {
    const other = await openWorkerPredictor(directory, { plugins })
    const call = other.predict([toyExample(1)])
    await other.close()
    expect(await call).toEqual(await worker.predict([toyExample(1)]))
    await expect(other.predict([toyExample(1)])).rejects.toMatchObject({ code: 'PREDICTOR_CLOSED' })
    await other.close()
  })
})
