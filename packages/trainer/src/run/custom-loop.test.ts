import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Callback, Command, Engine, HostTree, Model, Objective, Tokenizer } from '@attune/core'
import { deriveKey, key } from '@attune/core'
import { map, filter } from 'rxjs'
import {
  NO_CONSTANTS,
  type TrainingState,
  compileStep,
  createBus,
  encodeAll,
  epochBatches,
  inference,
  score,
} from '../index.js'
import { listCheckpoints, loadCheckpoint, openPredictor, saveCheckpoint, saveModel } from '../node.js'
import {
  toyEngine,
  toyMetric,
  toyModel,
  toyObjective,
  toyOptimizer,
  toySource,
  toyTokenizer,
} from './toy.test.fixture.js'

const folder = mkdtempSync(join(tmpdir(), 'attune-loop-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a custom loop of public functions', () => {
  it('trains epochs, handles commands, saves and loads checkpoints, evaluates, and saves a model', async () => {
    const [engine, tokenizer, model] = [toyEngine() as Engine, toyTokenizer() as Tokenizer, toyModel() as Model]
    const objective = toyObjective({}, { tokenizer, model }) as Objective
    const optimizer = toyOptimizer()
    await engine.start()
    const step = compileStep(engine, { model, objective, optimizer })
    const forward = inference(engine, model, objective, { batchSize: 8 })
    const items = (count: number, from = 0) =>
      encodeAll(toySource({ count, from }).open(), (example) => objective.encode(example)).items
    const stopAt6: Callback = (events) =>
      events.pipe(
        filter((event) => event.type === 'step.completed' && event.step === 6),
        map((): Command => ({ type: 'stop', because: 'six steps' })),
      )
    const bus = createBus({ callbacks: [stopAt6] })
    const seed = key(1)
    const init = () => ({ ...model.init(seed), ...objective.init(deriveKey(seed, 'head')) })
    const trainable = engine.compile(init)()
    let state: TrainingState = { trainable, optimizer: engine.compile(() => optimizer.init(trainable))() }
    const scored = () => score(forward, objective, [toyMetric()], state.trainable, items(20, 1000))
    const before = await scored()
    let at = 0
    training: for (let epoch = 0; epoch < 2; epoch++)
      for await (const { parts, examples, tokens } of epochBatches(items(60), objective, {
        key: deriveKey(seed, 'epoch', epoch),
        batchSize: 8,
      })) {
        const inputs = { learningRate: 0.02, step: ++at, steps: 16, seed: deriveKey(seed, 'step', at) }
        const result = step.run(state, { frozen: {}, constants: NO_CONSTANTS }, parts, inputs)
        state = result.state
        const timing = { tokensPerSecond: 1, secondsLeft: 1 }
        bus.emit({ type: 'step.completed', ...inputs, epoch, loss: 0, gradientNorm: 0, examples, tokens, ...timing })
        if (bus.commands.shift()?.type === 'stop') break training
      }
    expect(at).toBe(6)

    await saveCheckpoint(folder, { state: (await engine.read(state)) as HostTree, progress: { step: at } })
    const [latest] = await listCheckpoints(folder)
    const loaded = await loadCheckpoint(folder, latest!)
    expect([latest, loaded.progress.step, loaded.run]).toEqual([6, 6, 'custom'])
    state = engine.put(loaded.state) as unknown as TrainingState
    const after = await scored()
    expect(after.examples).toBe(20)
    expect(after.scores['loss']!.value).toBeLessThan(before.scores['loss']!.value)
    const saved = await saveModel(join(folder, 'model'), { engine, model, objective, tokenizer }, state.trainable)
    await expect(openPredictor(saved, { searchPaths: { folders: ['.'] } })).rejects.toMatchObject({
      code: 'UNKNOWN_MODEL_TYPE',
    }) // the type of the toy model
    bus.close()
    step.dispose()
    forward.dispose()
  })
})
