// @ts-check
/** Measures every optimizer and every loss against its reference and writes the tables of docs/measurements/training.md. */
import { join } from 'node:path'
import { ENGINE, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { format, resolveConfig } from 'prettier'
import { readFileSync, writeFileSync } from 'node:fs'
import { replacePart } from '../check/replace-part.mjs'
import { lossDeviation, lossPlugins } from './measure-losses.mjs'
import { root } from './measure-model.mjs'
import { deviation, optimizerPlugins, trainTiny, training, trainingDeviation } from './measure-optimizers.mjs'

const engines = await Promise.all(
  ['tfjs-cpu', 'onnxruntime'].map(async (name) =>
    (await findPlugin(ENGINE, userSpecifier(name), { folders: [root] })).plugin(),
  ),
)
for (const engine of engines) await engine.start()
const short = (/** @type {number} */ x) => (x === 0 ? '0' : x.toExponential(1))

const rows = []
for (const measured of await optimizerPlugins()) {
  const { name, goldens } = measured
  const expected = training.cases[name]
  const { losses, norms, values } =
    expected === undefined ? {} : trainingDeviation(await trainTiny(engines[1], measured), expected)
  const tiny = [losses, norms, values].map((each) => (each === undefined ? '—' : short(each)))
  for (const steps of goldens.length > 0 ? goldens : [undefined]) {
    const cells = [name, steps?.golden.source ?? '— (see the tests of the plugin)', steps?.golden.cases.length ?? '—']
    for (const engine of engines) cells.push(steps === undefined ? '—' : short(await deviation(engine, steps)))
    cells.push(...(steps === goldens.at(-1) ? tiny : ['', '', '']))
    rows.push(`| ${cells.join(' | ')} |`)
    console.log(cells.join('  '))
  }
}
const losses = []
for (const measured of await lossPlugins()) {
  const cells = [measured.name, measured.golden.source, measured.golden.cases.length]
  for (const engine of engines) cells.push(short(await lossDeviation(engine, measured)))
  losses.push(`| ${cells.join(' | ')} |`)
  console.log(cells.join('  '))
}
for (const engine of engines) await engine.close()

const path = join(root, 'docs/measurements/training.md')
const table = `| plugin | reference | cases | deviation, tfjs-cpu | deviation, onnxruntime | tiny BERT: losses | norms of updates | values of updates |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}`
const lossTable = `| plugin | reference | cases | deviation, tfjs-cpu | deviation, onnxruntime |
| --- | --- | --- | --- | --- |
${losses.join('\n')}`
let page = readFileSync(path, 'utf8')
for (const [part, content] of Object.entries({ optimizers: table, losses: lossTable })) {
  const text = replacePart(page, part, content)
  if (text === undefined) throw new Error(`${path} lacks <!-- ${part} --> and <!-- /${part} -->`)
  page = text
}
writeFileSync(path, await format(page, { ...(await resolveConfig(path)), filepath: path }))
