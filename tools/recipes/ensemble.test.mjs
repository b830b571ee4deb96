// @ts-check
/** The commands of examples/ensemble on a slice of the data, in this process. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { buildProgram } from '@attune/cli'
import { evaluateRun } from '@attune/trainer/node'
import { root } from '../check/packages.mjs'

const temporary = mkdtempSync(join(tmpdir(), 'attune-ensemble-'))
after(() => rmSync(temporary, { recursive: true }))

/** @param {string[]} args */
const attune = (...args) => buildProgram().exitOverride().parseAsync(args, { from: 'user' })

test('the ensemble of two seeds evaluates like a run, and its loss is at most the mean of its members', async () => {
  const file = join(temporary, 'rows.jsonl')
  const rows = gunzipSync(readFileSync(join(root, 'examples/spam/train.jsonl.gz')))
    .toString()
    .split('\n')
  writeFileSync(file, rows.slice(0, 96).join('\n'))
  const data = ['train', 'validation', 'test'].map((split) => `data.${split}={ use: jsonl, path: ${file} }`)
  const small = [...data, 'training.epochs=2', 'tracker=[]'].flatMap((setting) => ['--set', setting])
  const members = ['7', '8'].map((seed) => join(temporary, seed))
  for (const [i, member] of members.entries())
    await attune(
      'train',
      join(root, 'examples/ensemble/config.yaml'),
      '--seed',
      String(7 + i),
      '--directory',
      member,
      ...small,
    )
  const together = join(temporary, 'ensemble')
  await attune('ensemble', ...members, '--method', 'average', '--output', together)
  const losses = []
  for (const folder of [...members, together]) losses.push((await evaluateRun(folder)).scores['loss']?.value ?? NaN)
  const [first = NaN, second = NaN, loss = NaN] = losses
  // The logarithm is concave: the loss of the mean probabilities is at most the mean loss.
  assert.ok(loss <= (first + second) / 2 + 1e-6, String(losses))
  assert.notEqual(first, second)
})
