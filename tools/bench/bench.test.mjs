// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trainingStep } from '@attune/trainer'
import { profile } from '@tensorflow/tfjs-core'
import { check, measure } from './measure.mjs'
import { PEERS, absent } from './peers.mjs'
import { matrixOperations } from './operations.mjs'
import { COLUMNS, circumstances, differences, markdown, merged, tableRows, targets } from './report.mjs'
import { ints, subjectOf } from './subject.mjs'
import { CHECKS, WORKLOADS } from './workloads.mjs'

/** @typedef {import('./workloads.mjs').Workload} Workload */
const silent = () => undefined
const CHECK = /** @type {Workload} */ (CHECKS['bert'])
const LORA = [CHECKS['gpt2'], CHECKS['llama']].map((each) => /** @type {Workload} */ (each))
const [attune, pytorch, cpu] = ['attune', 'pytorch', 'tfjs-cpu'].map((each) => PEERS.find(({ name }) => name === each))
assert.ok(attune && pytorch && cpu)

/** @param {readonly number[]} numbers */
const product = (numbers) => numbers.reduce((all, n) => all * n, 1)

/** Floating-point operations of all matrix products in Attune's step on the reference backend. @param {Workload} workload */
async function productsOf(workload) {
  /** @type {import('@attune/core').Engine} */
  const engine = (await import('@attune/engine-tfjs-cpu')).default()
  await engine.start()
  const { model: plain, objective, adapter, optimizer, fresh, batchOf } = await subjectOf(workload, engine)
  const { model, trainable, frozen } = await adapter.adapt(plain, fresh())
  const step = trainingStep({ model, objective, optimizer })
  /** @returns {import('@attune/core').HostArray} */
  const scalar = (/** @type {number} */ n) => ({ shape: [], dtype: 'float32', values: Float32Array.of(n) })
  const hyper = { learningRate: scalar(0), step: scalar(1), steps: scalar(1), seed: ints([2], (i) => i), scheduled: {} }
  const state = { trainable, optimizer: optimizer.init(trainable) }
  const [batch, inputs] = [engine.put(batchOf(1)), engine.put(hyper)]
  const take = () => /** @type {any} */ (step(state, frozen, batch, inputs))
  take() // the first step also inspects the layers
  const { kernels } = await profile(take)
  return kernels
    .filter(({ name, outputShapes: [out] }) => name === 'BatchMatMul' && out?.at(-1) !== 1) // one column: a sum
    .reduce((sum, { inputShapes: [a, b], outputShapes: [out] }) => {
      const [ofA, ofB, ofOut] = [a, b, out].map((shape) => product(shape ?? []))
      const inner = Math.sqrt((ofA * ofB) / (ofOut * product((out ?? []).slice(0, -2))))
      return sum + 2 * ofOut * inner
    }, 0)
}

test('two engines have the same losses, and a peer with different losses ends the run', async () => {
  const losses = await check(CHECK, [attune, cpu], silent)
  assert.equal(losses['attune']?.length, CHECK.rounds)
  const steps = losses['attune'] ?? []
  const wrong = {
    ...cpu,
    name: 'wrong',
    command: (/** @type {any} */ given) => cpu.command({ ...given, workload: { ...CHECK, length: 8 } }),
  }
  await assert.rejects(check(CHECK, [attune, wrong], silent), /wrong does different work/)
  assert.ok(steps.every(Number.isFinite))
})

test('LoRA has the same losses in Attune, PyTorch and the stock WASM backend, and they depend on the update', async (t) => {
  const stock = PEERS.find(({ name }) => name === 'tfjs-wasm-stock')
  assert.ok(stock)
  const there = [attune, stock, pytorch].filter((peer) => {
    const why = absent(peer)
    if (why !== undefined) t.diagnostic(`${peer.name}: ${why}`)
    return why === undefined
  })
  // The second LoRA factor starts at zero: large steps make four of them visible.
  for (const workload of LORA.map((each) => ({ ...each, learningRate: 5e-2 }))) {
    const losses = await check(workload, there, (text) => t.diagnostic(text))
    assert.deepEqual(
      Object.keys(losses),
      there.map(({ name }) => name),
    )
    const still = await check({ ...workload, learningRate: 1e-6 }, [attune], silent)
    const [moved, unmoved] = [losses, still].map((of) => /** @type {readonly number[]} */ (of['attune']))
    const most = Math.max(...(moved ?? []).map((loss, step) => Math.abs(loss / Number(unmoved?.[step]) - 1)))
    assert.ok(most > 2e-3, 'the losses do not depend on the update')
  }
})

test('a peer that cannot run the check is reported, and the others continue', async () => {
  const broken = {
    ...cpu,
    name: 'broken',
    command: () => [process.execPath, '-e', 'throw new Error("no such library")'],
  }
  /** @type {string[]} */
  const said = []
  const losses = await check(CHECK, [broken, cpu], (text) => said.push(text))
  assert.deepEqual(Object.keys(losses), ['tfjs-cpu'])
  assert.match(said[0] ?? '', /no such library/)
})

test('measures the configured fraction of steps for each peer, reports one that cannot start, and lists all in the tables', async () => {
  const broken = {
    ...pytorch,
    name: 'broken',
    command: () => [process.execPath, '-e', 'throw new Error("no such library")'],
  }
  const slow = { ...cpu, fraction: 0.5 }
  const measured = await measure(CHECK, [attune, slow, broken], { log: silent, withRate: true })
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
  const text = markdown([{ ...measured, circumstances: circumstances(measured) }])
  for (const word of ['a tiny encoder', 'tfjs-cpu', 'GFLOP/s', process.versions.node])
    assert.ok(text.includes(word), word)
})

test('measures inference', async () => {
  const { rows } = await measure({ ...CHECK, task: 'infer', rounds: 1 }, [attune, cpu], { log: silent, withRate: true })
  assert.ok(rows.every(({ failure, peakBytes }) => failure === undefined && Number(peakBytes) > 0))
})

test('measures generation in generated tokens', async () => {
  const model = {
    plugin: 'gpt2',
    model_type: 'gpt2',
    vocab_size: 50,
    n_embd: 16,
    n_layer: 1,
    n_head: 2,
    n_positions: 64,
  }
  const workload = /** @type {const} */ ({ ...CHECK, task: 'write', batch: 2, length: 12, rounds: 2, model })
  const measured = await measure(workload, [attune, { ...cpu, tasks: ['write'] }], { log: silent, withRate: true })
  assert.deepEqual(
    measured.rows.map(({ peer, steps, failure }) => [peer, steps, failure]),
    [
      ['attune', 2, undefined],
      ['tfjs-cpu', 1, undefined],
    ],
  )
  assert.deepEqual(differences(measured), ['All generated the same texts.'])
  const other = {
    ...cpu,
    name: 'other',
    tasks: /** @type {const} */ (['write']),
    command: (/** @type {any} */ given) => cpu.command({ ...given, workload: { ...workload, length: 11 } }),
  }
  const unlike = await measure(workload, [attune, { ...other, fraction: 1 }], { log: silent, withRate: true })
  assert.deepEqual(differences(unlike), ['Texts that differ from those of attune: other in 2 of 2.'])
  assert.ok(markdown([{ ...unlike, circumstances: circumstances(unlike) }]).includes('other in 2 of 2'))
  const [row] = measured.rows
  assert.ok(Math.abs(Number(row?.tokensPerSecond) - 24_000 / Number(row?.median)) < 1e-6)
})

test('the targets compare what was measured, and skip what was not', () => {
  const [first] = WORKLOADS
  assert.ok(first)
  const row = { about: '', fastest: 1, slowest: 1, steps: 1, tokensPerSecond: 1, firstStepSeconds: 2, rateShare: 0.5 }
  const rows = [
    { ...row, peer: 'attune', median: 80, peakBytes: 10 },
    { ...row, peer: 'pytorch', median: 100, peakBytes: 9 },
    { ...row, peer: 'tfjs-wasm', failure: 'absent' },
  ]
  assert.deepEqual(
    targets([{ workload: first, rate: 1, rows }]).map(({ measured, met }) => [measured, met]),
    [
      ['0.80 ×', true],
      ['1.11 ×', false],
      ['2.0 s', true],
    ],
  )
})

test('LoRA has the same targets, and both WASM backends have one', () => {
  const row = { about: '', fastest: 1, slowest: 1, steps: 1, tokensPerSecond: 1, firstStepSeconds: 9, rateShare: 0.9 }
  const rows = ['attune', 'pytorch', 'tfjs-node', 'tfjs-wasm', 'tfjs-wasm-stock'].map((peer, i) => ({
    ...row,
    peer,
    median: [10, 12, 15, 250, 400][i] ?? 0,
    peakBytes: 10,
  }))
  for (const name of ['3', '4']) {
    const workload = WORKLOADS.find((each) => each.name === name)
    assert.ok(workload)
    assert.deepEqual(
      targets([{ workload, rate: 1, rows }]).map(({ target, measured, met }) => [target.split(': ')[1], measured, met]),
      [
        ['at most 0.9 × the step time of PyTorch eager', '0.83 ×', true],
        ['at least 2 × as fast as tfjs-node', '1.50 ×', false],
        ['at least 30 × as fast as TF.js WASM as shipped', '40.00 ×', true],
        ['at least 30 × as fast as TF.js WASM with the kernels of its plugin', '25.00 ×', false],
        ['no more memory than PyTorch', '1.00 ×', true],
      ],
    )
  }
})

test('a new measurement replaces that of the same workload; the others keep their dates', () => {
  const at = (/** @type {string} */ date) => ({ ...circumstances({ workload: CHECK, rate: 1, rows: [] }), date })
  const record = (/** @type {string} */ name, /** @type {string} */ date) => ({
    workload: { ...CHECK, name },
    rate: 1,
    rows: [],
    circumstances: at(date),
  })
  const all = merged(
    [record('1', 'then'), record('5a', 'then'), record('2', 'then')],
    [record('3', 'now'), record('2', 'now')],
  )
  const found = all.map(({ workload, circumstances: { date } }) => [workload.name, date])
  assert.deepEqual(found, [
    ['1', 'then'],
    ['2', 'now'],
    ['3', 'now'],
    ['5a', 'then'],
  ])
  const page = markdown(all)
  assert.equal(page.match(/Measured on then/g)?.length, 2)
  assert.equal(page.match(/Measured on now/g)?.length, 2)
})

test('counts the operations of the layers: 2 × parameters per token, plus attention', () => {
  const forward = Number(matrixOperations({ ...CHECK, task: 'infer' }))
  assert.equal(matrixOperations(CHECK), 3 * forward)
  const { batch, length } = CHECK
  const [layers, hidden, inner] = [2, 32, 64]
  const linear = 2 * batch * length * (4 * hidden * hidden + 2 * hidden * inner)
  const attention = batch * 2 * (2 * length * length * hidden)
  // In the last layer, a classifier needs the keys and values of all tokens, but everything else only for the first.
  const last =
    2 * batch * (2 * length * hidden * hidden + 2 * hidden * hidden + 2 * hidden * inner) + attention / length
  assert.equal(forward, (layers - 1) * (linear + attention) + last)
})

test('counts the operations of the matrix products in a LoRA step', async () => {
  for (const workload of LORA) assert.equal(matrixOperations(workload), await productsOf(workload), workload.title)
})

test('a peer that is not available has a reason', (t) => {
  for (const peer of PEERS) {
    const why = absent(peer)
    if (why !== undefined) t.diagnostic(`${peer.name}: ${why}`)
    assert.ok(why === undefined || /install|build/.test(why))
  }
})
