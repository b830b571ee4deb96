import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { type Command, OBJECTIVE, type Objective, type Tree, definePlugin, key } from '@attune/core'
import { normal } from '@attune/nn'
import { Subject, lastValueFrom, map } from 'rxjs'
import {
  type Tensor,
  add,
  argMin,
  cast,
  div,
  expandDims,
  matMul,
  maximum,
  min,
  mul,
  oneHot,
  scalar,
  square,
  sub,
  sum,
  zeros,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'
import type { RunConfig } from '../plan/run-config.js'
import { resume, run } from './run.js'
import { toyConfig, toyObjective, toyPlugins } from './toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-epochs-'))
afterAll(() => rmSync(temporary, { recursive: true }))
process.env['XDG_STATE_HOME'] = join(temporary, 'state')
let folders = 0
const folder = (): string => join(temporary, String(folders++))
const configured = (directory: string | undefined, objective: unknown): RunConfig =>
  ({ ...toyConfig(directory), objective }) as RunConfig

const CLUSTERS = 3

/** An objective with a clustering loss: three rounds of k-means on pooled vectors before each epoch; the loss pulls towards the centres. */
const clustered = (seen: number[]) =>
  definePlugin({
    kind: OBJECTIVE,
    name: 'clustered',
    summary: 'The toy task with a clustering loss',
    options: z.strictObject({}),
    needs: toyObjective.needs!,
    create: (_, given): Objective => {
      const base = toyObjective({}, given as never) as Objective
      const width = (given as { model: { hiddenSize: number } }).model.hiddenSize
      const apart = (x: Tensor, centres: Tensor): Tensor =>
        sum(square(sub(expandDims(x, 1), expandDims(centres, 0))), 2)
      return {
        ...base,
        trainingLoss({ params, mode, hyper, forward }, batch) {
          const outputs = forward(batch.inputs as never)
          const { losses, weights } = base.loss(base.head(params, outputs, mode, batch) as never, batch)
          const { centres } = hyper.memory as { centres: Tensor }
          return { losses: add(losses, mul(0.3, min(apart(outputs.pooled, centres), 1))), weights }
        },
        async beforeEpoch(pass, epoch, memory) {
          type State = Record<'centres' | 'sums' | 'counts' | 'distance', Tensor>
          const begin = (centres: Tensor): State => ({
            centres,
            sums: zeros([CLUSTERS, width]),
            counts: zeros([CLUSTERS]),
            distance: scalar(0),
          })
          const next = ({ sums, counts, centres }: State): Tensor => {
            const empty = cast(expandDims(counts.equal(0), 1), 'float32') as Tensor
            return add(div(sums, maximum(expandDims(counts, 1), 1)), mul(centres, empty))
          }
          let state: State | undefined
          const rounds: number[] = []
          for (let round = 0; round < 3; round++) {
            const before = state
            const start = (): State => {
              if (before !== undefined) return begin(next(before))
              return begin(
                memory === undefined ? normal(key(4), [CLUSTERS, width], 0.1) : add((memory as State).centres, 0),
              )
            }
            state = (await pass.fold<State>(start, ({ centres, sums, counts, distance }, { outputs }) => {
              const x = outputs().pooled
              const distances = apart(x, centres)
              const own = cast(oneHot(argMin(distances, 1) as never, CLUSTERS), 'float32') // [batch, clusters]
              return {
                centres,
                sums: add(sums, matMul(own, x, true)),
                counts: add(counts, sum(own, 0)),
                distance: add(distance, sum(min(distances, 1))),
              }
            })) as State
            if (before !== undefined) pass.release(before)
            const { distance } = await pass.read({ distance: state.distance })
            rounds.push(distance.values[0]!)
          }
          seen.push(epoch, ...rounds)
          const last = state!
          const made = await pass.fold<Record<string, Tensor>>(
            () => ({ centres: next(last) }),
            (all) => all,
            { limit: 0 },
          )
          pass.release(last)
          return made as Tree
        },
      } as Objective
    },
  })

describe('beforeEpoch', () => {
  it('computes three rounds of k-means whose distance never increases', async () => {
    const seen: number[] = []
    await lastValueFrom(run(configured(undefined, clustered(seen))))
    expect([seen[0], seen[4], seen[8], seen.length]).toEqual([0, 1, 2, 12])
    for (let epoch = 0; epoch < 3; epoch++) {
      const [a, b, c] = seen.slice(4 * epoch + 1, 4 * epoch + 4) as [number, number, number]
      expect([epoch, a, b, c, a >= b - 1e-5 && b >= c - 1e-5]).toEqual([epoch, a, b, c, true])
    }
    expect(seen[2]).toBeLessThan(seen[1]!)
  })

  it('replaces trained parameters by those that it returns, and leaves them to the optimizer', async () => {
    const found: number[][] = []
    const own = definePlugin({
      kind: OBJECTIVE,
      name: 'own-parameter',
      summary: 'The toy task with a parameter that is set before each epoch',
      options: z.strictObject({}),
      needs: toyObjective.needs!,
      create: (_, given): Objective => {
        const base = toyObjective({}, given as never) as Objective
        return {
          ...base,
          init: (from) => ({ ...base.init(from), own: zeros([2]) }),
          trainingLoss({ params, mode, forward }, batch) {
            const { losses, weights } = base.loss(
              base.head(params, forward(batch.inputs as never), mode, batch) as never,
              batch,
            )
            return { losses: add(losses, sum(params['own']!)), weights } // gradient 1: each step lowers it
          },
          async beforeEpoch(pass, epoch) {
            const made = await pass.fold<Record<string, Tensor>>(
              (trainable) => ({ before: add(trainable['own']!, 0), own: add(zeros([2]), epoch + 1) }),
              (all) => all,
              { limit: 0 },
            )
            const { before } = await pass.read({ before: made['before']! })
            pass.release({ before: made['before']! })
            found.push(Array.from(before.values, Number))
            return { params: { own: made['own']! } }
          },
        } as Objective
      },
    })
    await lastValueFrom(run(configured(undefined, own)))
    const [first, second, third] = found.map(([value]) => value!) as [number, number, number]
    expect(first).toBe(0)
    expect(second).toBeLessThan(1)
    expect(second).toBeGreaterThan(0)
    expect(third).toBeLessThan(2)
    expect(third).toBeGreaterThan(1.5)
  })

  it('is saved in checkpoints, so that a run resumed within an epoch matches bit for bit', async () => {
    const objective = clustered([])
    const config = (directory: string) => configured(directory, objective)
    const searchPaths = { folders: ['.'], registered: [...toyPlugins, objective] }
    const [whole, parts] = [folder(), folder()]
    await lastValueFrom(run(config(whole)))
    for (const [i, step] of [3, 11, 20, Infinity].entries()) {
      const commands = new Subject<Command>()
      const events = i === 0 ? run(config(parts), { commands }) : resume(parts, { searchPaths, commands })
      await lastValueFrom(
        events.pipe(
          map((event) => {
            if (event.type === 'step.completed' && event.step === step) commands.next({ type: 'stop', because: 'test' })
          }),
        ),
      )
    }
    expect(readFileSync(join(parts, 'model/model.safetensors'))).toEqual(
      readFileSync(join(whole, 'model/model.safetensors')),
    )
  })
})
