// @ts-check
/** Tests of the lint rules: each rule rejects a line of code that breaks it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ESLint } from 'eslint'

const root = join(fileURLToPath(import.meta.url), '../../..')
const eslint = new ESLint({ cwd: root })

/** Lint rules that a file with this text violates. @param {string} path @param {string} text */
async function broken(path, text) {
  const [result] = await eslint.lintText(`${text}\n`, { filePath: join(root, path) })
  assert.ok(result, `${path} is ignored`)
  const rules = result.messages.map(({ ruleId, message }) => ruleId ?? message)
  return [...new Set(rules)].filter((rule) => rule !== '@typescript-eslint/no-unused-vars')
}

const imports = (/** @type {string} */ name) => `import { anything } from '${name}'\nexport const it = anything`
const FLOORS = '@nx/enforce-module-boundaries'
const IMPORTS = '@typescript-eslint/no-restricted-imports'
const SYNTAX = 'no-restricted-syntax'

/** @type {[title: string, path: string, text: string, rules: string[]][]} */
const CASES = [
  ['a plugin imports core', 'plugins/metric-f1/src/x.ts', imports('@attune/core'), []],
  ['a plugin imports nn', 'plugins/metric-f1/src/x.ts', imports('@attune/nn'), []],
  ['a plugin imports a plugin', 'plugins/metric-f1/src/x.ts', imports('@attune/metric-accuracy'), [FLOORS]],
  [
    'a plugin imports a plugin by path',
    'plugins/metric-f1/src/x.ts',
    imports('../../metric-accuracy/src/accuracy.js'),
    [FLOORS],
  ],
  [
    "a plugin re-exports a plugin's types",
    'plugins/metric-f1/src/x.ts',
    "export type * from '@attune/metric-accuracy'",
    [FLOORS],
  ],
  ['a plugin imports the trainer', 'plugins/metric-f1/src/x.ts', imports('@attune/trainer'), [FLOORS]],
  ['a plugin imports the testkit', 'plugins/metric-f1/src/x.ts', imports('@attune/testkit'), [FLOORS]],
  ["a plugin's test imports the testkit", 'plugins/metric-f1/src/x.test.ts', imports('@attune/testkit'), []],
  ["a plugin's test imports a plugin", 'plugins/metric-f1/src/x.test.ts', imports('@attune/metric-accuracy'), [FLOORS]],
  ['core imports nn', 'packages/core/src/x.ts', imports('@attune/nn'), [FLOORS]],
  ['core imports rxjs', 'packages/core/src/x.ts', imports('rxjs'), []],
  ['core imports a Node module', 'packages/core/src/x.ts', imports('node:fs'), [IMPORTS]],
  ['nn imports a Node module without its scheme', 'packages/nn/src/layers/x.ts', imports('fs/promises'), [IMPORTS]],
  ['data imports a Node module', 'packages/data/src/x.ts', imports('node:path'), [IMPORTS]],
  ['data imports a Node module for its files', 'packages/data/src/files/x.ts', imports('node:path'), []],
  ["data's test imports a Node module", 'packages/data/src/x.test.ts', imports('node:path'), []],
  ['a step imports a Node module', 'packages/trainer/src/step/x.ts', imports('node:path'), [IMPORTS]],
  ['a run imports a Node module', 'packages/trainer/src/run/x.ts', imports('node:path'), []],
  ['nn uses Buffer', 'packages/nn/src/x.ts', "export const it = Buffer.from('a')", ['no-restricted-globals']],
  ['data uses process', 'packages/data/src/x.ts', 'export const it = () => process.cwd()', ['no-restricted-globals']],
  ['files use process', 'packages/data/src/files/x.ts', 'export const it = () => process.cwd()', []],
  ['core imports a package that is not on its list', 'packages/core/src/x.ts', imports('prettier'), [FLOORS]],
  ['core imports TF.js', 'packages/core/src/x.ts', imports('@tensorflow/tfjs-core'), [IMPORTS]],
  ['core imports types of TF.js', 'packages/core/src/x.ts', "export type { Tensor } from '@tensorflow/tfjs-core'", []],
  ['weights imports files', 'packages/weights/src/x.ts', imports('@attune/files'), []],
  ['weights imports nn', 'packages/weights/src/x.ts', imports('@attune/nn'), [FLOORS]],
  ['weights imports TF.js', 'packages/weights/src/x.ts', imports('@tensorflow/tfjs-core'), [FLOORS]],
  ['the terminal imports text', 'packages/terminal/src/x.ts', imports('@attune/text'), [FLOORS]],
  ['nn imports the trainer', 'packages/nn/src/x.ts', imports('@attune/trainer'), [FLOORS]],
  ['the trainer imports a plugin', 'packages/trainer/src/x.ts', imports('@attune/metric-accuracy'), [FLOORS]],
  ['the trainer imports nn', 'packages/trainer/src/x.ts', imports('@attune/nn'), []],
  [
    'a plugin frees memory',
    'plugins/metric-f1/src/x.ts',
    'export const f = (x: { dispose(): void }) => x.dispose()',
    [SYNTAX],
  ],
  [
    'a plugin reads a tensor',
    'plugins/metric-f1/src/x.ts',
    'export const f = (x: { dataSync(): void }) => x.dataSync()',
    [SYNTAX],
  ],
  [
    'an engine frees memory',
    'plugins/engine-tfjs-cpu/src/x.ts',
    'export const f = (x: { dispose(): void }) => x.dispose()',
    [],
  ],
  [
    'a plugin tidies',
    'plugins/metric-f1/src/x.ts',
    imports('@tensorflow/tfjs-core').replaceAll('anything', 'tidy'),
    [IMPORTS],
  ],
  [
    "a plugin uses TF.js' randomness",
    'plugins/metric-f1/src/x.ts',
    imports('@tensorflow/tfjs-core').replaceAll('anything', 'randomNormal'),
    [IMPORTS],
  ],
  ['a plugin loads all of TF.js', 'plugins/metric-f1/src/x.ts', imports('@tensorflow/tfjs'), [IMPORTS]],
  ['a plugin is a class', 'plugins/metric-f1/src/x.ts', 'export class F1 {\n  readonly name = "f1"\n}', [SYNTAX]],
  ['a module holds state', 'packages/data/src/x.ts', 'let count = 0\nexport const next = () => count++', [SYNTAX]],
  [
    'a module exports state',
    'packages/data/src/x.ts',
    'export let count = 0\nexport const next = () => count++',
    [SYNTAX],
  ],
  ['a module holds a cache', 'packages/data/src/x.ts', 'export const cache = new Map<string, string>()', [SYNTAX]],
  ['a module holds a table', 'packages/data/src/x.ts', "export const table = new Map([['a', 1]])", []],
  [
    '`instanceof` of another package',
    'packages/data/src/x.ts',
    "import { Tensor } from '@tensorflow/tfjs-core'\nexport const is = (x: unknown) => x instanceof Tensor",
    [SYNTAX],
  ],
  [
    '`instanceof` of a built-in',
    'packages/data/src/x.ts',
    'export const is = (x: unknown) => x instanceof Int32Array',
    [],
  ],
  ['a library prints', 'packages/data/src/x.ts', "console.log('here')\nexport {}", ['no-console']],
  ['the console tracker prints', 'plugins/tracker-console/src/x.ts', "console.log('here')\nexport {}", []],
  ['`any`', 'packages/data/src/x.ts', 'export const f = (x: any) => x', ['@typescript-eslint/no-explicit-any']],
  [
    'a type imported as a value',
    'packages/data/src/x.ts',
    "import { Kind } from '@attune/core'\nexport type K = Kind<string>",
    ['@typescript-eslint/consistent-type-imports'],
  ],
  ['301 lines', 'packages/data/src/x.ts', 'export {}\n'.repeat(301).trim(), ['max-lines']],
  ['301 lines of a test', 'packages/data/src/x.test.ts', 'export {}\n'.repeat(301).trim(), []],
  ['301 lines of a model', 'plugins/model-bert/src/x.ts', 'export {}\n'.repeat(301).trim(), []],
  ['401 lines of a model', 'plugins/model-bert/src/x.ts', 'export {}\n'.repeat(401).trim(), ['max-lines']],
  [
    'a function of 41 lines',
    'packages/data/src/x.ts',
    `export function f(x: number) {\n${'  x++\n'.repeat(38)}  return x\n}`.replace('{\n', '{\n  x++\n'),
    ['max-lines-per-function'],
  ],
]

for (const [title, path, text, rules] of CASES)
  test(`${title}: ${rules.length === 0 ? 'allowed' : 'rejected'}`, async () =>
    assert.deepEqual(await broken(path, text), rules))
