// @ts-check
/**
 * One peer: greedy generation with @huggingface/transformers in JavaScript, with the protocol of peer-attune-writing.mjs.
 * ATTUNE_TRANSFORMERS_JS is the folder of that package; the Python in PYTHON_ONNX first exports the weights to ONNX.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { PROMPT, checksum, promptOf } from './workloads.mjs'

/** @typedef {import('./workloads.mjs').Workload} Workload */
/** @type {{ workload: Workload, weights: string, threads: number }} */
const { workload, weights, threads } = JSON.parse(process.argv[2] ?? '{}')
const folder = mkdtempSync(join(tmpdir(), 'attune-onnx-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
const model = join(folder, 'model')
const exporter = fileURLToPath(new URL('export_onnx.py', import.meta.url))
const given = JSON.stringify({ workload, weights })
execFileSync(process.env['PYTHON_ONNX'] ?? 'python3', [exporter, given, model], { stdio: ['ignore', 'ignore', 'pipe'] })
mkdirSync(join(model, 'onnx'))
for (const name of readdirSync(model))
  if (/\.onnx(_data)?$/.test(name)) renameSync(join(model, name), join(model, 'onnx', name))

const entry = join(process.env['ATTUNE_TRANSFORMERS_JS'] ?? '', 'dist/transformers.node.mjs')
const { AutoModelForCausalLM, Tensor, env } = await import(pathToFileURL(entry).href)
Object.assign(env, { localModelPath: folder, allowRemoteModels: false })
const network = await AutoModelForCausalLM.from_pretrained('model', {
  dtype: 'fp32',
  session_options: { intraOpNumThreads: threads },
})

/** @param {object} value */
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
say({ ready: `@huggingface/transformers ${env.version} on ONNX Runtime, ${threads} threads` })
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'rate') say({ rate: NaN })
  else if (line === 'end') {
    say({ peakBytes: process.resourceUsage().maxRSS * 1024 })
    process.exit()
  } else {
    const rows = Array.from({ length: workload.batch }, (_, row) =>
      promptOf(Number(line) + row, workload.model.vocab_size),
    )
    const size = [workload.batch, PROMPT]
    const integers = (/** @type {readonly number[]} */ values) => new Tensor('int64', values.map(BigInt), size)
    const begun = performance.now()
    const written = await network.generate({
      inputs: integers(rows.flat()),
      attention_mask: integers(rows.flat().map(() => 1)),
      do_sample: false,
      max_new_tokens: workload.length,
      min_new_tokens: workload.length,
    })
    const milliseconds = performance.now() - begun
    const texts = written.tolist().map((/** @type {readonly bigint[]} */ row) => row.slice(PROMPT).map(Number))
    say({ milliseconds, value: checksum(texts.flat()) })
  }
}
