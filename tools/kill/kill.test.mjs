// @ts-check
/**
 * Kills runs with SIGKILL and resumes them: every adapter, optimizer and regularizer on the compiled engine, and sets of callbacks on every
 * engine at random moments. `node tools/kill/run.mjs` does so more often, and writes a report.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { deriveKey, key, stream } from '@attune/core'
import { killRuns, killTogether } from './kill.mjs'
import { root, typesOfEngines, typesOfTechniques } from './run-types.mjs'
import { TECHNIQUES, namesIn } from './techniques.mjs'

const temporary = mkdtempSync(join(tmpdir(), 'attune-kill-'))
after(() => rmSync(temporary, { recursive: true }))

for (const kind of /** @type {const} */ (['adapter', 'optimizer', 'regularizer']))
  it(`every ${kind} in plugins is in a run that is killed`, () => {
    const named = Object.entries(TECHNIQUES).flatMap(([adapter, technique]) =>
      kind === 'adapter' ? [adapter] : namesIn(technique[kind]),
    )
    const folders = readdirSync(join(root, 'plugins')).filter((name) => name.startsWith(`${kind}-`))
    const missing = folders.map((name) => name.slice(kind.length + 1)).filter((name) => !named.includes(name))
    assert.deepEqual(missing, [])
  })

describe('a run that is killed while it trains and resumed ends with the weights of an uninterrupted run', () => {
  /** @type {Awaited<ReturnType<typeof killTogether>>} */
  let ends
  before(async () => {
    ends = await killTogether(typesOfTechniques(), join(temporary, 'together'))
  })
  for (const [name, { optimizer, regularizer }] of Object.entries(TECHNIQUES))
    it(`with ${[name, ...namesIn(optimizer), ...namesIn(regularizer)].join(', ')}`, () => {
      const { whole, resumed, wasTraining } = /** @type {any} */ (ends.get(name))
      assert.deepEqual({ wasTraining, resumed }, { wasTraining: true, resumed: whole })
    })
})

describe('a run that is killed twice and resumed ends with the weights of an uninterrupted run', async () => {
  for (const [number, type] of (await typesOfEngines()).entries())
    it(type.name, async () => {
      const random = stream(deriveKey(key(12), type.name))
      const folder = join(temporary, String(number))
      const { killed, whole, ended } = await killRuns(type, { folder, kills: 2, random })
      assert.deepEqual({ killed, ended: [...new Set(ended)] }, { killed: 2, ended: [whole] })
      rmSync(folder, { recursive: true })
    })
})
