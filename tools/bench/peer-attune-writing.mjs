// @ts-check
/** One peer: Attune's generator on an engine. For each number on standard input, it generates greedily from that number's prompt. */
import { createInterface } from 'node:readline'
import { readFileSync, writeFileSync } from 'node:fs'
import * as core from '@attune/core'
import { generator } from '@attune/generate'
import { decodeSafetensors, encodeSafetensors, optionsFromConfig } from '@attune/weights'
import { lastValueFrom, toArray } from 'rxjs'
import { PROMPT, checksum, promptOf } from './workloads.mjs'

/** @typedef {import('./workloads.mjs').Workload} Workload */
/** @type {{ engine: string, writing?: object, workload: Workload, weights: string, create: boolean }} */
const { engine: engineModule, writing, workload, weights, create } = JSON.parse(process.argv[2] ?? '{}')
const { plugin: pluginName, ...config } = workload.model
const engine = (await import(engineModule)).default()
await engine.start()
const plugin = (await import(`@attune/model-${pluginName}`)).default
/** @type {core.Model} */
const model = plugin(optionsFromConfig(plugin.options, config))
if (create) {
  const params = engine.compile(() => model.init(core.key(1)))()
  writeFileSync(weights, encodeSafetensors(await engine.read(params), { format: 'pt' }))
  process.exit()
}
const params = engine.put(decodeSafetensors(readFileSync(weights), weights).tensors)
/** @type {any} */
const tokenizer = { special: {}, decode: () => '' }
const writer = generator({ engine, model, params, tokenizer })
const options = { maximumNewTokens: workload.length, minimumNewTokens: workload.length, ...writing }

/** @param {object} value */
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
say({ ready: `${engine.device}, prompts of ${PROMPT} tokens` })
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'rate') say({ rate: NaN })
  else if (line === 'end') {
    say({ peakBytes: process.resourceUsage().maxRSS * 1024 })
    process.exit()
  } else {
    const prompts = Array.from({ length: workload.batch }, (_, row) => promptOf(Number(line) + row, config.vocab_size))
    const begun = performance.now()
    const events = await lastValueFrom(writer.generate(prompts, options).pipe(toArray()))
    const milliseconds = performance.now() - begun
    const texts = events.flatMap((event) => (event.type === 'finished' ? [event.ids] : []))
    say({ milliseconds, value: checksum(texts.flat()) })
  }
}
