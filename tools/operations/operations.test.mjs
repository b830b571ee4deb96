// @ts-check
/**
 * TensorFlow.js' own specs of its operations on each engine. `node operations.test.mjs --write` also writes the table of differences to
 * docs/concepts/engines.md.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { bundleSpecs } from './bundle-specs.mjs'
import { complaintsOf, tableOf } from './compare.mjs'
import { DIFFERENCES } from './differences.mjs'
import { format } from 'prettier'

const PAGE = join(import.meta.dirname, '../../docs/concepts/engines.md')
const TABLE = /(<!-- operations -->\n\n)[^]*?(\n\n<!-- \/operations -->)/

const folder = mkdtempSync(join(tmpdir(), 'attune-operations-'))
after(() => rmSync(folder, { recursive: true }))
const bundle = join(folder, 'specs.cjs')
await bundleSpecs(bundle)

/** @type {Record<string, import('./compare.mjs').Results>} */
const results = {}
for (const engine of Object.keys(DIFFERENCES))
  test(`${engine}: specs of TensorFlow.js pass, except known differences`, () => {
    const file = join(folder, `${engine}.json`)
    const program = join(import.meta.dirname, 'run-specs.mjs')
    const { status, stderr } = spawnSync(process.execPath, ['--no-warnings', program, engine, bundle, file], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    assert.equal(status, 0, stderr.slice(-4000))
    const found = (results[engine] = JSON.parse(readFileSync(file, 'utf8')))
    console.log(`${engine}: ${found.passed} passed, ${found.failures.length} failed`)
    assert.ok(found.passed > 3000, `expected more than 3000 specs to pass, got ${found.passed}`)
    assert.deepEqual(complaintsOf(engine, found), [])
  })

test('docs/concepts/engines.md shows these results', async () => {
  const page = readFileSync(PAGE, 'utf8')
  const table = (await format(tableOf(results), { parser: 'markdown' })).trim()
  console.log(table)
  const wanted = page.replace(TABLE, (_, before, after) => before + table + after)
  if (process.argv.includes('--write')) writeFileSync(PAGE, wanted)
  else
    assert.equal(page, wanted, 'expected the table of results; run `node tools/operations/operations.test.mjs --write`')
})
