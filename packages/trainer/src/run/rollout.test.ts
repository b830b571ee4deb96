import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, it } from '@jest/globals'
import { type Command, MODEL, OBJECTIVE, type RunEvent, TOKENIZER, definePlugin } from '@attune/core'
import { Subject, lastValueFrom, tap, toArray } from 'rxjs'
import { z } from 'zod'
import { estimateRun } from './estimate-run.js'
import { planSchedules } from './plan-schedules.js'
import { resume, run } from './run.js'
import { toyConfig, toyObjective, toyPlugins } from './toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-rollout-'))
afterAll(() => rmSync(temporary, { recursive: true }))
process.env['XDG_STATE_HOME'] = join(temporary, 'state')

/** Trains several steps on the model's own predictions, of which a random tenth is flipped. */
const toyRollout = definePlugin({
  kind: OBJECTIVE,
  name: 'toy-rollout',
  summary: 'Pseudo-labels',
  options: z.strictObject({ milliseconds: z.number().default(0) }),
  needs: { tokenizer: TOKENIZER, model: MODEL },
  create({ milliseconds }, given) {
    const base = toyObjective({}, given)
    return {
      ...base,
      updatesPerRollout: 3,
      async rollout(items: readonly object[], { predict, random, report }) {
        await setTimeout(milliseconds)
        const views = await predict(items as never)
        const labels = views.map(({ label }) => Number((label === 'a') === random() < 0.1))
        report({ ones: labels.reduce((a, b) => a + b, 0) })
        return items.map((item, i) => ({ ...item, label: labels[i]! }))
      },
    }
  },
})

const searchPaths = { folders: ['.'], registered: [...toyPlugins, toyRollout] }
const configOf = (name: string) => ({ ...toyConfig(join(temporary, name)), objective: { use: toyRollout } })
const weights = (name: string): string => readFileSync(join(temporary, name, 'model/model.safetensors')).toString('hex')
const progress = (name: string, step: number) =>
  (JSON.parse(readFileSync(join(temporary, name, `checkpoints/${step}/progress.json`), 'utf8')) as { progress: { rollout?: unknown[] } }).progress // prettier-ignore

async function interruptedAt(name: string, step: number): Promise<void> {
  const commands = new Subject<Command>()
  const stop = (event: RunEvent): void => {
    if (event.type === 'step.completed' && event.step === step) commands.next({ type: 'stop', because: 'test' })
  }
  await lastValueFrom(run(configOf(name) as never, { searchPaths, commands }).pipe(tap(stop)))
}

describe('several steps on each rollout', () => {
  let all: readonly RunEvent[] = []
  const stepsOf = (events: readonly RunEvent[]) =>
    events.flatMap((event) => (event.type === 'step.completed' ? [[event.step, event.loss]] : []))

  it('run once per batch, with the weights and random numbers of its first step', async () => {
    all = await lastValueFrom(run(configOf('whole') as never, { searchPaths }).pipe(toArray()))
    const rollouts = all.flatMap((event) => (event.type === 'rollout.completed' ? [event.step] : []))
    const steps = stepsOf(all)
    expect(rollouts).toEqual(steps.flatMap(([step]) => ((step! - 1) % 3 === 0 ? [step] : [])))
    expect(all.find(({ type }) => type === 'step.completed')).toMatchObject({ steps: steps.length })
  })

  it('are counted by the estimate and the plan of schedules as by the run', async () => {
    const config = configOf('planned') as never
    const steps = stepsOf(all).length
    const { shapes, ...estimate } = await estimateRun(config, { searchPaths })
    const ofEpoch = shapes.reduce((sum, shape) => sum + shape.steps, 0)
    expect([estimate.steps, ofEpoch * toyConfig().training.epochs]).toEqual([steps, expect.closeTo(steps, 8)])
    expect((await planSchedules(config, { searchPaths })).steps).toBe(steps)
  })

  it('are in the time of the estimate, which measures three of them', async () => {
    const objective = { use: toyRollout, milliseconds: 200 }
    const { rollouts, setupSeconds, seconds } = await estimateRun({ ...configOf('timed'), objective } as never, {
      searchPaths,
    })
    const count = stepsOf(all).length / 3
    expect(rollouts).toEqual({ count, seconds: expect.closeTo(0.2, 1) })
    expect(seconds! - setupSeconds).toBeGreaterThan(count * 0.2)
  })

  it.each([4, 5, 6])('resume bit for bit from step %i', async (step) => {
    const name = `stopped-${step}`
    await interruptedAt(name, step)
    expect(progress(name, step).rollout === undefined).toBe(step % 3 === 0)
    const rest = await lastValueFrom(resume(join(temporary, name), { searchPaths }).pipe(toArray()))
    expect(stepsOf(rest)).toEqual(stepsOf(all).slice(step))
    expect(weights(name)).toBe(weights('whole'))
  })
})
