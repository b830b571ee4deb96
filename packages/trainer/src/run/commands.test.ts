import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from '@jest/globals'
import { CALLBACK, type Callback, type Command, type RunEvent, definePlugin, on } from '@attune/core'
import { filter, lastValueFrom, map, toArray } from 'rxjs'
import { z } from 'zod'
import { handlersOf } from './commands.js'
import { resume, run } from './run.js'
import { countingConfig, countingPlaces } from './counting.test.fixture.js'
import { toyConfig } from './toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-commands-'))
afterAll(() => rmSync(temporary, { recursive: true }))
const program = fileURLToPath(new URL('./counting.test.fixture.js', import.meta.url))

interface Line {
  readonly type: string
  readonly step?: number
}

/** Reads the events of a run's history, without those after a checkpoint from which the run was resumed. */
function eventsIn(directory: string): readonly Line[] {
  const lines = readFileSync(join(directory, 'events.jsonl'), 'utf8').trim().split('\n')
  const kept: Line[] = []
  for (const line of lines.map((each) => JSON.parse(each) as Line & { checkpoint?: string })) {
    if (line.type !== 'run.resumed') kept.push(line)
    else {
      const saved = kept.findLastIndex(({ type, step }) => type === 'command.given' && step === line.step)
      kept.splice(saved + 1)
    }
  }
  return kept
}
const own = (directory: string): readonly object[] =>
  eventsIn(directory)
    .filter(({ type }) => type.startsWith('counting.'))
    .map((event) => ({ ...event, at: 0 }))

/** Runs the program in a folder and kills it after `lines` lines. Resolves to true if it was killed. */
const killedAfter = (directory: string, lines: number): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.split('\n').length > lines) child.kill('SIGKILL')
    })
    child.on('exit', (_, signal) => resolve(signal === 'SIGKILL'))
  })

const giving = (command: unknown, handles?: Callback['handles']) =>
  definePlugin({
    kind: CALLBACK,
    name: 'giving',
    summary: 'Emits one command at step 2',
    options: z.strictObject({}),
    create: (): Callback => {
      const callback: Callback = (events) =>
        events.pipe(
          on('step.completed'),
          filter(({ step }) => step === 2),
          map(() => command as Command),
        )
      return handles === undefined ? callback : Object.assign(callback, { handles })
    },
  })
const runWith = (...callback: ReturnType<typeof giving>[]): Promise<RunEvent[]> =>
  lastValueFrom(run({ ...toyConfig(), callback }).pipe(toArray()))

describe('custom events and commands of a callback', () => {
  it('are logged and replayed after every kill and resume', async () => {
    const [whole, killed] = [join(temporary, 'whole'), join(temporary, 'killed')]
    await lastValueFrom(run(countingConfig(whole)))
    const expected = own(whole)
    expect(expected).toHaveLength(8 + 3)
    expect(expected).toContainEqual({ type: 'counting.counted', at: 0, step: 24, recorded: 7 })
    expect(expected).toContainEqual(expect.objectContaining({ type: 'counting.measured', step: 21, tensors: 4 }))
    expect([await killedAfter(killed, 8), await killedAfter(killed, 7)]).toEqual([true, true])
    await lastValueFrom(resume(killed, { searchPaths: countingPlaces }))
    expect(own(killed)).toEqual(expected)
  })

  it('record custom events, also after training', async () => {
    const event = { type: 'mine.noted', values: [1, 2] }
    const events = await runWith(giving({ type: 'record', because: 'a note', event }))
    expect(events.find(({ type }) => (type as string) === 'mine.noted')).toMatchObject(event)
  })

  it.each([
    ['an event type of the run itself', { type: 'run.completed', step: 1 }],
    ['no type', { step: 1 }],
  ])('are rejected with %s', async (_, event) => {
    await expect(runWith(giving({ type: 'record', because: 'a test', event }))).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
    })
  })

  it('are rejected if no callback handles them, with the known commands', async () => {
    const other = giving({ type: 'save', because: 'a test' }, { 'mine.act': () => undefined } as never)
    await expect(runWith(giving({ type: 'mine.atc', because: 'a test' }), other)).rejects.toMatchObject({
      code: 'UNKNOWN_COMMAND',
      problem: expect.stringMatching(/\(stop, save, .*, record, mine\.act\), got "mine\.atc"/) as unknown,
      remedy: expect.stringContaining('Write "mine.act"') as unknown,
    })
  })

  it('await an asynchronous handler, whose error fails the run', async () => {
    const handler = async (): Promise<void> => {
      await Promise.resolve()
      throw new Error('the handler broke')
    }
    const failing = giving({ type: 'mine.act', because: 'a test' }, { 'mine.act': handler } as never)
    await expect(runWith(failing)).rejects.toThrow('the handler broke')
  })

  it('reject a second handler of a command, and a handler of a built-in command', async () => {
    const handles = { 'mine.act': () => undefined } as never
    const twice = [giving({}, handles), giving({}, handles)]
    await expect(runWith(...twice)).rejects.toMatchObject({ code: 'COMMAND_HANDLED_TWICE' })
    const builtIn = Object.assign((() => undefined) as never, { handles: { save: () => undefined } }) as Callback
    expect(() => handlersOf([builtIn])).toThrow('the command "save", which is a built-in command')
  })
})
