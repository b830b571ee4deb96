import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from '@jest/globals'
import { type Trial, key, stream } from '@attune/core'
import { lastValueFrom } from 'rxjs'
import { study } from './study.js'
import { killedConfig, tinyData } from './tiny.test.fixture.js'

const program = fileURLToPath(new URL('./kill.test.fixture.js', import.meta.url))
const folder = tinyData()
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the program to its end, or kills it once it has printed `lines` lines. Resolves to its output. */
const child = (directory: string, parallel: number, lines = Infinity): Promise<{ output: string; killed: boolean }> =>
  new Promise((resolve) => {
    const args = [program, folder, directory, String(parallel)]
    const process_ = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    process_.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.split('\n').length > lines) process_.kill('SIGKILL')
    })
    process_.on('exit', (_, signal) => resolve({ output, killed: signal === 'SIGKILL' }))
  })

/** Runs a study to its end and returns its trials without their timings. */
async function tableOf(directory: string, parallel = 1): Promise<readonly Omit<Trial, 'seconds'>[]> {
  const last = await lastValueFrom(study(killedConfig(directory, parallel), { baseDirectory: folder }))
  return last.type === 'study.completed' ? last.trials.map(({ seconds: _, ...trial }) => trial) : []
}

describe('a study killed with SIGKILL', () => {
  it('repeats its suggestions and ends with the trials of an uninterrupted study, some of them pruned', async () => {
    const whole = await tableOf('whole')
    expect(new Set(whole.map(({ state }) => state))).toEqual(new Set(['completed', 'pruned']))
    const random = stream(key(11))
    let kills = 0
    for (let attempt = 0; attempt < 5; attempt++)
      if ((await child('killed', 1, 2 + Math.floor(random() * 9))).killed) kills++
    expect(kills).toBeGreaterThanOrEqual(3)
    expect(await tableOf('killed')).toEqual(whole)
  })

  it('terminates its trial processes and resumes with the same choices', async () => {
    const killed = await child('parallel', 2, 5)
    expect(killed.killed).toBe(true)
    const choices = async (directory: string) => (await tableOf(directory)).map(({ id, choice }) => [id, choice])
    expect(await choices('parallel')).toEqual(await choices('killed'))
  })
})
