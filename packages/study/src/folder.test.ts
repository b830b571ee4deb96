import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { RunEvent } from '@attune/core'
import { openFolder } from './folder.js'

const root = mkdtempSync(join(tmpdir(), 'attune-folder-'))
afterAll(() => rmSync(root, { recursive: true }))
let folders = 0
const directory = (): string => join(root, String(folders++))
const event = (step: number): RunEvent => ({
  type: 'trial.scored',
  trial: 0,
  step,
  values: { loss: NaN },
  seconds: 1,
  at: 5,
})
const settings = { seed: 1, study: { trials: 3, goals: ['loss'] } }
const code = (expected: string, problem: RegExp) =>
  expect.objectContaining({ code: expected, problem: expect.stringMatching(problem) })

describe('openFolder', () => {
  it('keeps events and drops the incomplete last line of a killed process', async () => {
    const path = directory()
    const first = await openFolder(path, 'study', settings, [])
    first.append(event(1))
    await first.close()
    appendFileSync(join(path, 'trials.jsonl'), '{"type":"trial.sc')
    const second = await openFolder(path, 'study', settings, [])
    expect(second.events).toEqual([event(1)])
    second.append(event(2))
    await second.close()
    const third = await openFolder(path, 'study', settings, [])
    expect(third.events).toEqual([event(1), event(2)])
    await third.close()
  })

  it('rejects changed settings by name, except those that may change', async () => {
    const path = directory()
    await (await openFolder(path, 'study', settings, [])).close()
    const other = { seed: 2, study: { trials: 4, goals: ['accuracy'] } }
    await expect(openFolder(path, 'study', other, ['study.trials'])).rejects.toThrow(
      code('STUDY_CHANGED', /seed, study.goals differ$/),
    )
    await (
      await openFolder(path, 'study', { ...settings, study: { trials: 9, goals: ['loss'] } }, ['study.trials'])
    ).close()
  })

  it('rejects a folder that is in use, one with other files, and one whose files were edited', async () => {
    const path = directory()
    const open = await openFolder(path, 'study', settings, [])
    await expect(openFolder(path, 'study', settings, [])).rejects.toThrow(code('STUDY_IN_USE', /is using the study/))
    await open.close()
    const other = mkdtempSync(join(root, 'other-'))
    writeFileSync(join(other, 'file'), '')
    await expect(openFolder(other, 'study', settings, [])).rejects.toThrow(code('STUDY_EXISTS', /is not empty/))
    writeFileSync(
      join(path, 'study.json'),
      readFileSync(join(path, 'study.json'), 'utf8').replace('"trials": 3', '"trials": 4'),
    )
    await expect(openFolder(path, 'study', settings, [])).rejects.toThrow(
      code('STUDY_DAMAGED', /study.json is damaged/),
    )
    expect(existsSync(join(path, 'study.lock'))).toBe(false)
  })

  it('rejects a log with a complete line that is not an event', async () => {
    const path = directory()
    await (await openFolder(path, 'study', settings, [])).close()
    writeFileSync(join(path, 'trials.jsonl'), '{"type":1}\n')
    await expect(openFolder(path, 'study', settings, [])).rejects.toThrow(
      code('STUDY_DAMAGED', /trials.jsonl is damaged: line 1/),
    )
  })
})
