// @ts-check
/** Memory of compiled training steps: constant over hundreds of steps and over many lengths, and lower with gradient checkpointing. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'

/** @import { Job, Memory } from './step-memory.mjs' */

const program = join(import.meta.dirname, 'step-memory.mjs')

/** @param {Job} job @returns {Memory} */
function measure(job) {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', program, JSON.stringify(job)], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

it('gradient checkpointing takes at most about half the memory for twelve layers, with the same losses', () => {
  const job = { layers: 12, width: 128, rows: 16, lengths: [128], steps: 3 }
  const [kept, again] = [
    measure({ ...job, gradientCheckpointing: false }),
    measure({ ...job, gradientCheckpointing: true }),
  ]
  const [full, checkpointed] = [kept, again].map(({ peak, before }) => peak - before)
  console.log(
    `${full.toFixed()} MB without gradient checkpointing, ${checkpointed.toFixed()} MB with gradient checkpointing`,
  )
  for (const [i, loss] of again.losses.entries()) assert.ok(Math.abs(loss - kept.losses[i]) < 1e-4, `${loss}`)
  // With intermediates kept alive by a bad execution order, the ratio was 0.63; it should be 0.41.
  assert.ok(checkpointed < 0.55 * full, `expected less than 55 % of ${full} MB, got ${checkpointed} MB`)
})

it('five hundred steps take the memory of fifty, with as many tensors', () => {
  const STEPS = 500
  const job = { layers: 2, width: 64, rows: 8, lengths: [16, 32], steps: STEPS, gradientCheckpointing: false }
  const { resident, live, losses } = measure(job)
  assert.ok(Number.isFinite(losses.at(-1)))
  assert.equal(new Set(live.slice(1)).size, 1, `tensors alive: ${[...new Set(live)]}`)
  const growth = resident[STEPS - 1] - resident[STEPS / 10 - 1]
  console.log(`${growth.toFixed(1)} MB more after ${STEPS} steps than after ${STEPS / 10}`)
  // Leaked parameters alone would be 0.5 MB per step.
  assert.ok(growth < 25, `${growth} MB more`)
})

it('batches of twelve lengths take about the memory of the longest one, with one session that is compiled twice', () => {
  const lengths = Array.from({ length: 12 }, (_, i) => 8 * (12 - i))
  const job = { layers: 4, width: 128, rows: 16, gradientCheckpointing: false }
  const [longest, all] = [
    measure({ ...job, lengths: [lengths[0] ?? 0], steps: 24 }),
    measure({ ...job, lengths, steps: 24 }),
  ]
  const [one, twelve] = [longest, all].map(({ peak, before }) => peak - before)
  console.log(`${one.toFixed()} MB for one length, ${twelve.toFixed()} MB for twelve`)
  assert.deepEqual(
    [longest.sessions, all.sessions],
    [
      { compiled: 1, open: 1 },
      { compiled: 2, open: 1 },
    ],
  )
  // With one session for each length, the ratio was 6.1; with the traces of twelve lengths it should be 1.5.
  assert.ok(twelve < 2 * one, `expected less than 200 % of ${one} MB, got ${twelve} MB`)
})
