// @ts-check
/** docs/fuzzing.md */
import { format, resolveConfig } from 'prettier'
import { root } from './seeds.mjs'
import { join } from 'node:path'

/** @import { Outcome } from './fuzz.mjs' */

const count = (/** @type {number} */ n) => n.toLocaleString('en-US')

/** @param {Outcome[]} outcomes @param {number} seed */
export async function report(outcomes, seed) {
  const total = outcomes.reduce((sum, { inputs }) => sum + inputs, 0)
  const rows = outcomes.map(({ name, inputs, accepted, refused, crashed, slow, grownMebibytes }) =>
    [name, count(inputs), count(accepted), count(refused), crashed, slow, Math.max(0, grownMebibytes).toFixed(1)].join(
      ' | ',
    ),
  )
  const text = `# Readers and broken files

Files come from others. Every reader was given sound files that had been broken on purpose, ${count(total)} in all: bits and bytes
changed, parts left out or there twice, lengths and counts that lie, keys renamed, doubled or put into each other thousands deep,
numbers and texts far too large. A reader may take a file or refuse it with an error that has a code and a remedy; anything else
counts as a crash. Slow is more than one second of processor time for one file. Memory is what stayed after the last nine tenths
of the inputs.

\`node tools/fuzz/run.mjs --inputs ${total} --seed ${seed} --write\` made this page; a few thousand inputs are tried in every test run.

| reader | inputs | accepted | refused | crashed | slow | memory, MiB |
| :-- | --: | --: | --: | --: | --: | --: |
${rows.map((row) => `| ${row} |`).join('\n')}
`
  const file = join(root, 'docs/fuzzing.md')
  return format(text, { ...(await resolveConfig(file)), filepath: file })
}
