// @ts-check
/** That a user's TypeScript program compiles with the settings that the docs name, and that the compiler checks the options of named plugins. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const folder = join(import.meta.dirname, 'dist/user-types')
after(() => rmSync(folder, { recursive: true, force: true }))

const PROGRAM = `import { run } from '@attune/trainer/node'
import lora from '@attune/adapter-lora'
import type {} from '@attune/source-csv'
import type {} from '@attune/tokenizer-wordpiece'
import type {} from '@attune/model-bert'
import type {} from '@attune/objective-sequence-classification'
import type {} from '@attune/optimizer-adamw'

export const events = run({
  data: { train: { use: 'csv', path: 'reviews.csv' } },
  tokenizer: { use: 'wordpiece', path: 'model' },
  model: { use: 'bert', from: 'model' },
  objective: { use: 'sequence-classification', text: 'review' },
  adapter: { use: lora, rank: 8, targets: 'all-linear' },
  optimizer: { use: 'adamw', weightDecay: 0.1 },
  training: { epochs: 2 },
})
`

/** Compiles the program with options. @param {Record<string, unknown>} options @param {string} [program] @returns {string} the compiler's errors */
function compile(options, program = PROGRAM) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const compilerOptions = {
    strict: true,
    target: 'ES2022',
    module: 'NodeNext',
    types: ['node'],
    noEmit: true,
    ...options,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['program.ts'] }))
  writeFileSync(join(folder, 'program.ts'), program)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript-native/bin/tsc'), '-p', folder, '--pretty', 'false'],
    {
      encoding: 'utf8',
    },
  ).stdout
}

for (const exactOptionalPropertyTypes of [true, false])
  test(`compiles with skipLibCheck and exactOptionalPropertyTypes ${exactOptionalPropertyTypes}`, () => {
    assert.equal(compile({ skipLibCheck: true, exactOptionalPropertyTypes }), '')
  })

test('compiles with module Preserve and moduleResolution Bundler', () => {
  assert.equal(compile({ skipLibCheck: true, module: 'Preserve', moduleResolution: 'Bundler' }), '')
})

test('reports an unknown option of a plugin that is named, where its module is imported', () => {
  const wrong = PROGRAM.replace('weightDecay: 0.1', 'weightDecai: 0.1')
  assert.match(compile({ skipLibCheck: true }, wrong), /program\.ts\(15,.*not assignable to type 'never'/)
  assert.equal(compile({ skipLibCheck: true }, wrong.replace(/^.*optimizer-adamw'\n/m, '')), '')
})

test('knows the plugins of the starter by name', () => {
  const program = PROGRAM.replace(/^import type .*\n/gm, '').replace(
    'import { run }',
    "import type {} from '@attune/starter'\nimport { run }",
  )
  assert.equal(compile({ skipLibCheck: true }, program), '')
  assert.match(
    compile({ skipLibCheck: true }, program.replace('weightDecay', 'weightDecai')),
    /not assignable to type 'never'/,
  )
})

test('reports a wrong type of an option of a plugin that is imported', () => {
  assert.match(compile({ skipLibCheck: true }, PROGRAM.replace('rank: 8', "rank: 'eight'")), /error TS\d+/)
})

test('has no errors in its declarations without skipLibCheck, with exactOptionalPropertyTypes', () => {
  const errors = compile({ skipLibCheck: false, exactOptionalPropertyTypes: true })
    .split('\n')
    .filter((line) => /packages\/|plugins\//.test(line))
  assert.deepEqual(
    errors.filter((line) => line.includes('error')),
    [],
  )
})
