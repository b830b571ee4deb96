import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals'
import { isAttuneError } from '@attune/core'
import { lastValueFrom, toArray } from 'rxjs'
import { type Clock, makeClock } from './clock.test.fixture.js'
import type { Timing } from './connection.js'
import { type DownloadOptions, downloadWith } from './download.js'
import type { HubEvent, HubEvents } from './events.js'
import { startHub } from './hub-server.test.fixture.js'
import { type Fault, type HubServer, addRepository, sha256 } from './hub-state.test.fixture.js'

export const WEIGHTS = Buffer.alloc(300_000, 'weights of a model ')
export const CONFIG = Buffer.from('{"model_type":"toy"}')
export const FILES = {
  '.gitattributes': Buffer.from('*.safetensors filter=lfs\n'),
  'README.md': Buffer.from('# A toy\n'),
  'config.json': CONFIG,
  'model.safetensors': WEIGHTS,
  'onnx/model.onnx': Buffer.from('onnx'),
  'pytorch_model.bin': Buffer.from('a pickle'),
  'tokenizer.json': Buffer.from('{}'),
}
export const NEEDED = ['README.md', 'config.json', 'model.safetensors', 'tokenizer.json'] as const

/** Fixture of download tests: a Hub with one model, `org/toy`, and an empty cache. */
export interface Bench {
  hub: HubServer
  commit: string
  cache: string
  clock: Clock
  run(reference?: string, options?: DownloadOptions, timing?: Partial<Timing>): Promise<HubEvent[]>
  /** A path in the model's folder of the cache. */
  folder(...path: string[]): string
  /** Injects faults into the first requests for the weights, in order. */
  faultsOfWeights(...faults: readonly Fault[]): void
}

/** Registers hooks that create the fixture for each test of a file. */
export function prepareBench(): Bench {
  const bench = {
    clock: makeClock(),
    run: (reference = 'org/toy', options = {}, timing = {}) => {
      const all = { endpoint: bench.hub.endpoint, cache: bench.cache, environment: {}, ...options }
      return lastValueFrom(downloadWith(reference, all, { ...bench.clock, ...timing }).pipe(toArray()))
    },
    folder: (...path) => join(bench.cache, 'models--org--toy', ...path),
    faultsOfWeights: (...faults) => {
      const incomplete = bench.folder('blobs', `${sha256(WEIGHTS)}.attune.incomplete`)
      let bytes = 0
      const left = faults.map((fault): Fault => {
        const here = (bytes += fault.closeAfter ?? 0)
        const closeWhen = (): boolean => statSync(incomplete, { throwIfNoEntry: false })?.size === here
        return { ...(fault.closeAfter === undefined ? {} : { closeWhen }), onSilence: bench.clock.ring, ...fault }
      })
      bench.hub.fault = ({ host }) => (host === 'store' ? left.shift() : undefined)
    },
  } as Bench
  beforeAll(async () => void (bench.hub = await startHub()))
  afterAll(() => bench.hub.close())
  beforeEach(() => {
    bench.cache = mkdtempSync(join(tmpdir(), 'attune-hub-'))
    bench.clock.reset()
    bench.hub.seen.length = 0
    bench.hub.fault = () => undefined
    bench.hub.pageSize = 1000
    bench.commit = addRepository(bench.hub, 'org/toy', FILES)
  })
  afterEach(() => rmSync(bench.cache, { recursive: true }))
  return bench
}

export const completed = (events: readonly HubEvent[]): HubEvents['download.completed'] =>
  events.find((event) => event.type === 'download.completed') as unknown as HubEvents['download.completed']

/** Returns the error with which work fails, as the user sees it. */
export const failing = async (work: Promise<unknown>): Promise<{ code: string; problem: string; remedy: string }> => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isAttuneError(error)) throw error ?? new Error('it did not fail')
  return { code: error.code, problem: error.problem, remedy: error.remedy }
}
