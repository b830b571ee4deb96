// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, measure } from './measure.mjs'
import { PEERS, absent } from './peers.mjs'
import { COLUMNS, bars, circumstances, markdown, tableRows } from './report.mjs'
import { CHECK, WORKLOADS, matrixOperations } from './workloads.mjs'

const silent = () => undefined
const [attune, pytorch] = PEERS
const cpu = PEERS.find(({ name }) => name === 'tfjs-cpu')
assert.ok(attune && pytorch && cpu)

test('two engines have the same losses, and a peer that does other work ends the run', async () => {
  const losses = await check([attune, cpu], silent)
  assert.equal(losses['attune']?.length, CHECK.rounds)
  const steps = losses['attune'] ?? []
  const wrong = {
    ...cpu,
    name: 'wrong',
    command: (/** @type {any} */ given) => cpu.command({ ...given, workload: { ...CHECK, length: 8 } }),
  }
  await assert.rejects(check([attune, wrong], silent), /wrong does other work/)
  assert.ok(steps.every(Number.isFinite))
})

test('every peer takes its share of the steps, one that cannot start is named, and the tables hold all', async () => {
  const broken = {
    ...pytorch,
    name: 'broken',
    command: () => [process.execPath, '-e', 'throw new Error("no such library")'],
  }
  const slow = { ...cpu, share: 0.5 }
  const measured = await measure({ ...CHECK, dropout: 0.1 }, [attune, slow, broken], silent)
  assert.deepEqual(
    measured.rows.map(({ peer, steps }) => [peer, steps]),
    [
      ['attune', CHECK.rounds],
      ['tfjs-cpu', CHECK.rounds / 2],
      ['broken', undefined],
    ],
  )
  assert.ok(Number(measured.rate) > 0)
  const rows = tableRows(measured)
  assert.ok(rows.every((row) => row.length === COLUMNS.length))
  assert.equal(rows[0]?.at(-1), '1.00 ×')
  assert.match(rows[2]?.[1] ?? '', /broken ended/)
  const text = markdown([measured], circumstances([measured]))
  for (const word of ['a tiny encoder', 'tfjs-cpu', 'GFLOP/s', process.versions.node])
    assert.ok(text.includes(word), word)
})

test('inference is measured too', async () => {
  const { rows } = await measure({ ...CHECK, task: 'infer', rounds: 1 }, [attune, cpu], silent)
  assert.ok(rows.every(({ failure, peakBytes }) => failure === undefined && Number(peakBytes) > 0))
})

test('writing is measured too, in tokens written', async () => {
  const model = {
    plugin: 'gpt2',
    model_type: 'gpt2',
    vocab_size: 50,
    n_embd: 16,
    n_layer: 1,
    n_head: 2,
    n_positions: 64,
  }
  /** @type {string[]} */
  const said = []
  const workload = /** @type {const} */ ({ ...CHECK, task: 'write', batch: 2, length: 12, rounds: 2, model })
  const measured = await measure(workload, [attune, { ...cpu, tasks: ['write'] }], (text) => said.push(text))
  assert.deepEqual(
    measured.rows.map(({ peer, steps, failure }) => [peer, steps, failure]),
    [
      ['attune', 2, undefined],
      ['tfjs-cpu', 1, undefined],
    ],
  )
  assert.equal(said.filter((text) => text.includes('different texts')).length, 0)
  const [row] = measured.rows
  assert.ok(Math.abs(Number(row?.tokensPerSecond) - 24_000 / Number(row?.median)) < 1e-6)
})

test('the bars compare what was measured, and leave out what was not', () => {
  const [first] = WORKLOADS
  assert.ok(first)
  const row = { about: '', fastest: 1, slowest: 1, steps: 1, tokensPerSecond: 1, firstStepSeconds: 2, rateShare: 0.5 }
  const rows = [
    { ...row, peer: 'attune', median: 80, peakBytes: 10 },
    { ...row, peer: 'pytorch', median: 100, peakBytes: 9 },
    { ...row, peer: 'tfjs-wasm', failure: 'absent' },
  ]
  assert.deepEqual(
    bars([{ workload: first, rate: 1, rows }]).map(({ found, met }) => [found, met]),
    [
      ['0.80 ×', true],
      ['1.11 ×', false],
      ['2.0 s', true],
    ],
  )
})

test('operations are those of the layers: 2 × parameters for each token, attention besides', () => {
  const forward = Number(matrixOperations({ ...CHECK, task: 'infer' }))
  assert.equal(matrixOperations(CHECK), 3 * forward)
  const { batch, length } = CHECK
  const [layers, hidden, inner] = [2, 32, 64]
  const linear = 2 * batch * length * layers * (4 * hidden * hidden + 2 * hidden * inner)
  const attention = layers * batch * 2 * (2 * length * length * hidden)
  assert.equal(forward, linear + attention)
})

test('a peer that is absent is absent for a reason', (t) => {
  for (const peer of PEERS) {
    const why = absent(peer)
    if (why !== undefined) t.diagnostic(`${peer.name}: ${why}`)
    assert.ok(why === undefined || /install|build/.test(why))
  }
})
