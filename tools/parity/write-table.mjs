// @ts-check
/**
 * Measures every golden case of every architecture on the compiled engine, saves each model with Attune, loads it with transformers (if the
 * environment variable PYTHON names a Python that has it), and writes docs/measurements/models.md.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENGINE, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { encodeSafetensors } from '@attune/weights'
import { goldenCases, measureModel, readCase, root } from './measure-model.mjs'

const python = process.env['PYTHON']
const saved = mkdtempSync(join(tmpdir(), 'attune-saved-'))
const engine = (await findPlugin(ENGINE, userSpecifier('onnxruntime'), { folders: [root] })).plugin()
await engine.start()

const rows = []
for (const folder of goldenCases()) {
  const { golden, model, objective, weights } = await readCase(folder)
  const name = `${golden.plugin}-${basename(folder)}`
  const into = join(saved, name)
  mkdirSync(into)
  writeFileSync(join(into, 'config.json'), JSON.stringify({ ...model.config, ...objective.config }))
  writeFileSync(join(into, 'model.safetensors'), encodeSafetensors(weights, { format: 'pt' }))
  const [{ batch, logits }] = golden.examples
  const { positions } = batch
  writeFileSync(
    join(into, 'example.json'),
    JSON.stringify({ inputs: batch.inputs, logits, ...(positions ? { positions } : {}) }),
  )
  rows.push({ name, golden, found: await measureModel(folder, engine) })
}
await engine.close()

/** @type {Record<string, { difference?: number, complaint?: string, absent?: boolean }>} */
const verdicts =
  python === undefined
    ? {}
    : JSON.parse(
        execFileSync(python, [fileURLToPath(new URL('verify_saved.py', import.meta.url)), saved], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        })
          .trim()
          .split('\n')
          .at(-1) ?? '{}',
      )
rmSync(saved, { recursive: true })

const short = (/** @type {number} */ x) => x.toExponential(1)
const verdict = (/** @type {string} */ name) => {
  const { difference, complaint, absent } = verdicts[name] ?? {}
  if (absent === true) return '— (no such class)'
  if (difference !== undefined) return `loads, logits within ${short(difference)}`
  return complaint === undefined ? 'not tried' : `complains: ${complaint}`
}
const table = rows.map(({ name, golden, found }) =>
  [
    golden.plugin,
    `${golden.architecture} (${name.slice(golden.plugin.length + 1)})`,
    found.parameters.toLocaleString('en'),
    short(found.logits),
    short(found.gradients),
    short(found.weights),
    verdict(name),
  ].join(' | '),
)
const sources = [...new Set(rows.map(({ golden }) => golden.source))].join('; ')
writeFileSync(
  join(root, 'docs/measurements/models.md'),
  `# Model architectures

Each row compares a tiny randomly initialized model between Attune with engine onnxruntime (float32) and the reference, ${sources}.
\`node tools/parity/write-table.mjs\` measures and writes this table. The tests require each row to be within 10⁻⁴ (logits), 10⁻³ (gradients,
relative to a tensor's norm) and 5·10⁻⁵ (weights after five steps of AdamW), on this engine and on the TF.js reference engine.

| plugin | architecture (case) | parameters | logits differ by | gradients differ by | weights differ by | loading the saved model in transformers |
| --- | --- | --- | --- | --- | --- | --- |
${table.map((row) => `| ${row} |`).join('\n')}
`,
)
console.log(`${rows.length} cases, ${Object.keys(verdicts).length} of them loaded by transformers`)
