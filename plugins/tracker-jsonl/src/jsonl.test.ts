import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type RunEvent, parseEvent } from '@attune/core'
import { describeTracker } from '@attune/testkit'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { Subject, of } from 'rxjs'
import { jsonl } from './jsonl.js'

describeTracker(jsonl)

const started = (directory?: string): RunEvent => ({
  type: 'run.started',
  at: 1,
  seed: 7,
  steps: 10,
  epochs: 1,
  examples: 10,
  parameters: 10,
  trainableParameters: 10,
  engine: 'none',
  scores: { loss: 'minimize', accuracy: 'maximize' },
  ...(directory === undefined ? {} : { directory }),
})
const warned = (message: string): RunEvent => ({ type: 'run.warned', at: 2, step: 1, message })

describe('the event log', () => {
  const home = process.cwd()
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'attune-jsonl-'))
  })
  afterEach(() => {
    jest.restoreAllMocks()
    process.chdir(home)
    rmSync(directory, { recursive: true })
  })
  const text = (name = 'events.jsonl'): string => readFileSync(join(directory, name), 'utf8')
  const read = (name?: string): unknown[] =>
    text(name)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)

  it('holds every event in order, including those before the start', () => {
    const events = [warned('early'), started(directory), warned('two\nlines “quoted”')]
    jsonl()(of(...events))
    expect(read()).toEqual(events)
  })

  it('is written event by event, without waiting for the end', () => {
    const events = new Subject<RunEvent>()
    jsonl()(events)
    events.next(started(directory))
    expect(read()).toHaveLength(1)
    events.next(warned('now'))
    expect(read()).toHaveLength(2)
  })

  it('is appended to, never emptied', () => {
    jsonl()(of(started(directory)))
    jsonl()(of(started(directory), warned('again')))
    expect(read()).toEqual([started(directory), started(directory), warned('again')])
  })

  it('keeps a partial line separate from later ones', () => {
    writeFileSync(join(directory, 'events.jsonl'), '{"type":"run.warned"}\n{"type":"run.wa')
    jsonl()(of(started(directory)))
    expect(text()).toBe(`{"type":"run.warned"}\n{"type":"run.wa\n${JSON.stringify(started(directory))}\n`)
  })

  it('encodes numbers that JSON lacks', () => {
    const evaluation: RunEvent = {
      type: 'evaluation.completed',
      at: 3,
      step: 1,
      split: 'validation',
      scores: { loss: { value: NaN }, a: { value: Infinity }, b: { value: -Infinity }, c: { value: 0.5 } },
      examples: 1,
      seconds: 1,
    }
    jsonl()(of(started(directory), evaluation))
    expect(read()[1]).toMatchObject({ scores: { loss: { value: { number: 'NaN' } }, c: { value: 0.5 } } })
    expect(parseEvent(text().split('\n')[1] ?? '')).toEqual(evaluation)
  })

  it('is not written if the run writes its own log there, but is elsewhere', () => {
    const keeping = { ...started(directory), log: join(directory, 'events.jsonl') } as RunEvent
    jsonl()(of(warned('early'), keeping, warned('late')))
    expect(existsSync(join(directory, 'events.jsonl'))).toBe(false)
    jsonl({ path: 'copy.jsonl' })(of(keeping, warned('late')))
    expect(read('copy.jsonl')).toEqual([keeping, warned('late')])
  })

  it('is written to `path`: in the run’s directory, in the working directory, or at an absolute path', () => {
    jsonl({ path: 'logs/run.jsonl' })(of(started(directory)))
    jsonl({ path: join(directory, 'absolute.jsonl') })(of(started()))
    process.chdir(directory)
    jsonl()(of(started()))
    expect(read('logs/run.jsonl')).toEqual([started(directory)])
    expect(read('absolute.jsonl')).toEqual([started()])
    expect(read('events.jsonl')).toEqual([started()])
  })

  it('is not created for a run that never starts', () => {
    process.chdir(directory)
    jsonl()(of(warned('early')))
    expect(existsSync(join(directory, 'events.jsonl'))).toBe(false)
  })

  it('reports a disk error once, continues, and writes again when possible', () => {
    const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true)
    const blocked = join(directory, 'blocked')
    writeFileSync(blocked, 'a file where a folder is needed')
    const events = new Subject<RunEvent>()
    jsonl()(events)
    events.next(started(blocked))
    events.next(warned('lost'))
    expect(stderr.mock.calls).toHaveLength(1)
    expect(stderr.mock.calls[0]![0]).toMatch(/tracker jsonl: events are missing from events\.jsonl: E/)
    rmSync(blocked)
    mkdirSync(blocked)
    events.next(warned('kept'))
    expect(read('blocked/events.jsonl')).toEqual([warned('kept')])
  })

  it('survives an event that cannot be serialized as JSON', () => {
    const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true)
    jsonl()(of(started(directory), { type: 'odd', at: 2, count: 1n } as unknown as RunEvent, warned('after')))
    expect(read()).toEqual([started(directory), warned('after')])
    expect(stderr.mock.calls).toHaveLength(1)
  })

  it('has only complete lines after kill -9, and a resumed run appends to them', async () => {
    const program = `
      import { Subject } from 'rxjs'
      import { jsonl } from ${JSON.stringify(new URL('./jsonl.js', import.meta.url).href)}
      const events = new Subject()
      jsonl()(events)
      events.next(${JSON.stringify(started(directory))})
      for (let step = 1; ; step++) {
        events.next({ type: 'run.warned', at: step, step, message: 'x'.repeat(step % 5000) })
        if (step % 100 === 0) {
          process.stdout.write(step + '\\n')
          await new Promise(setImmediate)
        }
      }`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let reported = 0
    for await (const chunk of child.stdout) {
      reported = Math.max(reported, ...String(chunk).trim().split('\n').map(Number))
      if (reported >= 2000 && child.exitCode === null) {
        child.kill('SIGKILL')
        break
      }
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    jsonl()(of(started(directory)))
    const lines = read() as { step?: number }[]
    expect(lines.length).toBeGreaterThanOrEqual(reported + 2)
    expect(lines.slice(1, -1).map(({ step }) => step)).toEqual(lines.slice(1, -1).map((_, i) => i + 1))
    expect(text().endsWith('\n')).toBe(true)
  })
})
