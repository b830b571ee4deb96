// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trainingStep } from '@attune/trainer'
import { profile } from '@tensorflow/tfjs-core'
import { check, measure } from './measure.mjs'
import { PEERS, absent } from './peers.mjs'
import { matrixOperations } from './operations.mjs'
import { COLUMNS, bars, circumstances, differences, markdown, merged, tableRows } from './report.mjs'
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

/** The operations of all products of matrices that Attune's step takes on the reference backend. @param {Workload} workload */
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
  take() // the first looks besides which layers there are
  const { kernels } = await profile(take)
  return kernels
    .filter(({ name, outputShapes: [out] }) => name === 'BatchMatMul' && out?.at(-1) !== 1) // one column: a sum
    .reduce((sum, { inputShapes: [a, b], outputShapes: [out] }) => {
      const [ofA, ofB, ofOut] = [a, b, out].map((shape) => product(shape ?? []))
      const inner = Math.sqrt((ofA * ofB) / (ofOut * product((out ?? []).slice(0, -2))))
      return sum + 2 * ofOut * inner
    }, 0)
}

test('two engines have the same losses, and a peer that does other work ends the run', async () => {
  const losses = await check(CHECK, [attune, cpu], silent)
  assert.equal(losses['attune']?.length, CHECK.rounds)
  const steps = losses['attune'] ?? []
  const wrong = {
    ...cpu,
    name: 'wrong',
    command: (/** @type {any} */ given) => cpu.command({ ...given, workload: { ...CHECK, length: 8 } }),
  }
  await assert.rejects(check(CHECK, [attune, wrong], silent), /wrong does other work/)
  assert.ok(steps.every(Number.isFinite))
})

test('the losses of LoRA are the same in Attune, PyTorch and the stock WASM backend, and move with the update', async (t) => {
  const stock = PEERS.find(({ name }) => name === 'tfjs-wasm-stock')
  assert.ok(stock)
  const there = [attune, stock, pytorch].filter((peer) => {
    const why = absent(peer)
    if (why !== undefined) t.diagnostic(`${peer.name}: ${why}`)
    return why === undefined
  })
  // The factors' second one begins at zeros: it takes large steps for four of them to be seen.
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

test('a peer that cannot take the check is named, and the others go on', async () => {
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

test('every peer takes its share of the steps, one that cannot start is named, and the tables hold all', async () => {
  const broken = {
    ...pytorch,
    name: 'broken',
    command: () => [process.execPath, '-e', 'throw new Error("no such library")'],
  }
  const slow = { ...cpu, share: 0.5 }
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

test('inference is measured too', async () => {
  const { rows } = await measure({ ...CHECK, task: 'infer', rounds: 1 }, [attune, cpu], { log: silent, withRate: true })
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
  const workload = /** @type {const} */ ({ ...CHECK, task: 'write', batch: 2, length: 12, rounds: 2, model })
  const measured = await measure(workload, [attune, { ...cpu, tasks: ['write'] }], { log: silent, withRate: true })
  assert.deepEqual(
    measured.rows.map(({ peer, steps, failure }) => [peer, steps, failure]),
    [
      ['attune', 2, undefined],
      ['tfjs-cpu', 1, undefined],
    ],
  )
  assert.deepEqual(differences(measured), ['All wrote the same texts.'])
  const other = {
    ...cpu,
    name: 'other',
    tasks: /** @type {const} */ (['write']),
    command: (/** @type {any} */ given) => cpu.command({ ...given, workload: { ...workload, length: 11 } }),
  }
  const unlike = await measure(workload, [attune, { ...other, share: 1 }], { log: silent, withRate: true })
  assert.deepEqual(differences(unlike), ['Other texts than attune wrote: other in 2 of 2.'])
  assert.ok(markdown([{ ...unlike, circumstances: circumstances(unlike) }]).includes('other in 2 of 2'))
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

test('LoRA has the same bars, and both WASM backends have one', () => {
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
      bars([{ workload, rate: 1, rows }]).map(({ bar, found, met }) => [bar.split(': ')[1], found, met]),
      [
        ['at most 0.9 × the step time of PyTorch eager', '0.83 ×', true],
        ['at least 2 × as fast as tfjs-node', '1.50 ×', false],
        ['at least 30 × as fast as TF.js WASM as shipped', '40.00 ×', true],
        ['at least 30 × as fast as TF.js WASM with the kernels of its plugin here', '25.00 ×', false],
        ['no more memory than PyTorch', '1.00 ×', true],
      ],
    )
  }
})

test('what is measured anew takes the place of the same workload, and the rest keeps its own date', () => {
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

test('operations are those of the layers: 2 × parameters for each token, attention besides', () => {
  const forward = Number(matrixOperations({ ...CHECK, task: 'infer' }))
  assert.equal(matrixOperations(CHECK), 3 * forward)
  const { batch, length } = CHECK
  const [layers, hidden, inner] = [2, 32, 64]
  const linear = 2 * batch * length * (4 * hidden * hidden + 2 * hidden * inner)
  const attention = batch * 2 * (2 * length * length * hidden)
  // Of the last layer a classifier needs the keys and values of all tokens, and the rest of the first.
  const last =
    2 * batch * (2 * length * hidden * hidden + 2 * hidden * hidden + 2 * hidden * inner) + attention / length
  assert.equal(forward, (layers - 1) * (linear + attention) + last)
})

test('operations of a step of LoRA are those of the products that are taken', async () => {
  for (const workload of LORA) assert.equal(matrixOperations(workload), await productsOf(workload), workload.title)
})

test('a peer that is absent is absent for a reason', (t) => {
  for (const peer of PEERS) {
    const why = absent(peer)
    if (why !== undefined) t.diagnostic(`${peer.name}: ${why}`)
    assert.ok(why === undefined || /install|build/.test(why))
  }
})
