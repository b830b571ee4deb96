import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { CALLBACK, type Command, type RunEvent, definePlugin, on } from '@attune/core'
import { type Observable, Subject, filter, lastValueFrom, map, merge, tap, toArray } from 'rxjs'
import { z } from 'zod'
import { evaluateRun } from '../inference/evaluate.js'
import { resume, run } from './run.js'
import { toyConfig, toyPlugins } from './toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-scores-'))
afterAll(() => rmSync(temporary, { recursive: true }))
let folders = 0
const folder = (): string => join(temporary, String(folders++))
const searchPaths = { folders: ['.'], registered: toyPlugins }
const all = (events: Observable<RunEvent>): Promise<RunEvent[]> => lastValueFrom(events.pipe(toArray()))

/** Saves a checkpoint at a step, and restores it when training is done. */
const restoring = (step: number) =>
  definePlugin({
    kind: CALLBACK,
    name: 'restoring',
    summary: 'Restores the checkpoint of a step',
    options: z.strictObject({}),
    create: () => (events: Observable<RunEvent>) => {
      const saves = events.pipe(
        on('step.completed'),
        filter((event) => event.step === step),
        map((): Command => ({ type: 'save', label: 'best', because: 'test' })),
      )
      const restores = events.pipe(
        on('training.completed'),
        map((): Command => ({ type: 'restore', label: 'best', because: 'test' })),
      )
      return merge(saves, restores)
    },
  })

const configured = (directory: string, changes: object = {}) => ({ ...toyConfig(directory), ...changes })
const evaluations = (events: readonly RunEvent[]) =>
  events.flatMap((e) => (e.type === 'evaluation.completed' && e.split === 'validation' ? [e] : []))
const cardOf = (directory: string): string => readFileSync(join(directory, 'model/README.md'), 'utf8')
const row = (loss: number): string => `| loss | ${loss.toFixed(4)} |`

/** Loss of the saved model on the validation examples. */
async function savedLoss(directory: string): Promise<number> {
  const { scores } = await evaluateRun(directory, { split: 'validation', searchPaths })
  return scores['loss']!.value
}

describe('the scores of a saved model', () => {
  it('are those of the restored checkpoint', async () => {
    const directory = folder()
    const events = await all(run(configured(directory, { callback: restoring(12) })))
    const found = evaluations(events)
    const [at12, last] = [found.find(({ step }) => step === 12)!, found.at(-1)!]
    const loss = await savedLoss(directory)
    expect(last.step).toBe(24)
    expect(at12.scores['loss']!.value).toBeCloseTo(loss, 5)
    expect(cardOf(directory)).toContain(row(loss))
    expect(cardOf(directory)).not.toContain(row(last.scores['loss']!.value))
    const { value } = at12.scores['loss']!
    expect(events.at(-1)).toMatchObject({ restored: { step: 12, scores: { loss: { value } } } })
  })

  it('are computed for a restored checkpoint that was not evaluated', async () => {
    const directory = folder()
    const events = await all(run(configured(directory, { callback: restoring(10) })))
    const loss = await savedLoss(directory)
    const last = evaluations(events).at(-1)!
    expect([last.step, last.scores['loss']!.value]).toEqual([10, expect.closeTo(loss, 5)])
    expect(cardOf(directory)).toContain(row(loss))
  })

  it('are computed for last weights that were not evaluated', async () => {
    const directory = folder()
    const training = { ...toyConfig().training, evaluateEvery: 7 }
    const events = await all(run(configured(directory, { training, callback: [] })))
    expect(evaluations(events).map(({ step }) => step)).toEqual([7, 14, 21, 24])
    expect(cardOf(directory)).toContain(row(await savedLoss(directory)))
  })

  it('are the same after an interruption', async () => {
    const [whole, parts] = [folder(), folder()]
    await all(run(configured(whole)))
    const commands = new Subject<Command>()
    const stop = (event: RunEvent): void => {
      if (event.type === 'step.completed' && event.step === 24) commands.next({ type: 'stop', because: 'test' })
    }
    await all(run(configured(parts), { searchPaths, commands }).pipe(tap(stop)))
    await all(resume(parts, { searchPaths }))
    expect(cardOf(parts)).toBe(cardOf(whole))
    expect(cardOf(parts)).toContain(row(await savedLoss(parts)))
  })

  it('are left out if the run was never evaluated', async () => {
    const directory = folder()
    const training = { ...toyConfig().training, evaluateEvery: 100 }
    expect(evaluations(await all(run(configured(directory, { training, callback: [] }))))).toEqual([])
    expect(cardOf(directory)).not.toContain('| loss |')
  })
})
