// @ts-check
/**
 * Runs the suites of peers on Attune and writes docs/measurements/compatibility.md: `node tools/compatibility/run.mjs`, after a build.
 * Packages of peers come from npm. PYTHON names a Python with torch, transformers, peft and sentence-transformers; without it, the suites
 * that start Python are not run, and the page says so.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { root } from '../check/packages.mjs'
import { table } from '../check/table.mjs'
import { csvFiles } from './csv-files.mjs'
import { goldenTests, nodeTests } from './node-tests.mjs'

/** @typedef {import('./suite.mjs').SuiteResult} SuiteResult */

const PAGE = join(root, 'docs/measurements/compatibility.md')

/** @type {readonly import('./suite.mjs').Suite[]} */
const SUITES = [
  csvFiles,
  goldenTests('Chat templates and Jinja', 'Jinja2 3.1 and transformers 5', 'packages/text', 'jinja|chat'),
  goldenTests('Tokenizer files', 'tokenizers 0.23 and transformers 5', 'packages/text', 'tokenize'),
  goldenTests('JSON Schema', 'ajv 8 and the JSON Schema test suite', 'packages/generate', 'schema'),
  goldenTests('Sentence embeddings', 'sentence-transformers 6', 'packages/cli', 'sentence-embeddings'),
  nodeTests('Sentence models that Attune trained', 'sentence-transformers 6', [
    'tools/parity/sentence-transformers.test.mjs',
  ]),
  nodeTests('Operations of each engine', 'the specs of TensorFlow.js 4.22', ['tools/operations/operations.test.mjs']),
  nodeTests('Model architectures', 'transformers 5, golden files', ['tools/parity/models.test.mjs']),
  nodeTests('Saved models', 'transformers 5', ['tools/parity/saved.test.mjs']),
  nodeTests('LoRA adapters', 'peft 0.21', ['tools/parity/lora.test.mjs']),
  nodeTests('Exported ONNX graphs', 'transformers.js 4.3', [
    'tools/transformers-js/graphs.test.mjs',
    'tools/transformers-js/pipelines.test.mjs',
  ]),
]

/** @param {readonly SuiteResult[]} results */
const page = (results) => `# Compatibility

What other projects compute, and what Attune computes for the same inputs. \`node tools/compatibility/run.mjs\` writes this page.

${table(
  ['suite', 'against', 'cases', 'passed', 'failed'],
  results.map(({ suite, against, cases, failed }) =>
    [suite, against, cases, cases - failed.length, failed.length].map(String),
  ),
)}

## Differences

${
  results.every(({ failed }) => failed.length === 0)
    ? 'None.'
    : table(
        ['suite', 'case', 'reason'],
        results.flatMap(({ suite, failed }) => failed.map(({ name, reason }) => [suite, name, reason])),
      )
}

Known differences between the engines stand in the table of [Engines](../concepts/engines.md), and what of JSON Schema is not compiled in
[JSON Schemas](schemas.md). Suites with golden files compare with values that the other project computed once, by the scripts in
\`tools/golden\`.
`

const results = []
for (const suite of SUITES) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-compatibility-'))
  for (const result of await suite(folder)) {
    results.push(result)
    console.log(`${result.suite}: ${result.cases - result.failed.length} passed, ${result.failed.length} failed`)
  }
  rmSync(folder, { recursive: true })
}
writeFileSync(PAGE, await format(page(results), { ...(await resolveConfig(PAGE)), filepath: PAGE }))
console.log(
  `${results.reduce((sum, { cases, failed }) => sum + cases - failed.length, 0)} passed, ${results.reduce((sum, { failed }) => sum + failed.length, 0)} failed`,
)
