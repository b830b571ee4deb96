// @ts-check
/** Kills runs of pairs of engine, adapter and callbacks with SIGKILL; `node tools/kill/run.mjs` covers all combinations. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { deriveKey, key, stream } from '@attune/core'
import { killRuns } from './kill.mjs'
import { runTypes } from './run-types.mjs'

const temporary = mkdtempSync(join(tmpdir(), 'attune-kill-'))
after(() => rmSync(temporary, { recursive: true }))

describe('a run that is killed twice and resumed ends with the weights of an uninterrupted run', async () => {
  const types = await runTypes(false)
  for (const [number, type] of types.entries())
    it(type.name, async () => {
      const random = stream(deriveKey(key(12), type.name))
      const folder = join(temporary, String(number))
      const { killed, whole, ended } = await killRuns(type, { folder, kills: 2, random })
      assert.deepEqual({ killed, ended: [...new Set(ended)] }, { killed: 2, ended: [whole] })
      rmSync(folder, { recursive: true })
    })
})
