// @ts-check
/** Runs all readers on some malformed inputs, and tests that the fuzzer detects crashes, strays and excessive costs. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { key, stream } from '@attune/core'
import { campaign, listTargets } from './campaign.mjs'
import { runChild } from './children.mjs'
import { ggufOf } from './gguf-file.mjs'
import { grownInput } from './grow.mjs'
import { encoded, fromJson, sizeOf, toJson } from './input.mjs'
import { changedBytes, lengthsIn } from './mutate-bytes.mjs'
import { changedInput } from './mutate.mjs'
import { population } from './population.mjs'
import { targetModules } from './targets.mjs'

/** @import { Named } from './child.mjs' */
/** @import { Input } from './input.mjs' */

/** Inputs per reader. */
const INPUTS = 50
const FIXTURE = new URL('targets.test.fixture.mjs', import.meta.url).href

const work = mkdtempSync(join(tmpdir(), 'attune-fuzz-test-'))
after(() => rmSync(work, { recursive: true }))

/** Runs readers and returns the outcomes. @param {readonly Named[]} targets @param {Partial<import('./campaign.mjs').Options>} options */
const feed = (targets, options) =>
  campaign(targets, {
    seed: 3,
    inputs: 20,
    growth: 0,
    keep: join(work, 'keep'),
    jobs: 1,
    perChild: 100,
    limitSeconds: 60,
    ...options,
  })

/** Runs one reader of the fixture. @param {string} name @param {Partial<import('./campaign.mjs').Options>} [options] */
async function feedOne(name, options = {}) {
  const [outcome] = await feed([{ module: FIXTURE, name }], options)
  assert.ok(outcome)
  return { ...outcome.counts, findings: outcome.findings }
}

/** Reads one input of the fixture. @param {string} name @param {{ number: number } | { file: string }} input */
async function readOne(name, input) {
  /** @type {any} */
  let result
  const target = { module: FIXTURE, name }
  const task = /** @type {const} */ ({ do: 'read', target, seed: 3, ...input, work, limitSeconds: 60 })
  await runChild(task, work, (message) => void (result = message))
  return result
}

/** A repeating sequence of numbers, the same for each call. */
function drawn() {
  const draws = [0.1, 0.7, 0.3, 0.9, 0.45, 0.02, 0.61]
  let at = 0
  return () => draws[at++ % draws.length] ?? 0
}

it('all readers accept or refuse malformed inputs at a bounded cost', async () => {
  const targets = await listTargets(targetModules())
  assert.ok(targets.length > 70, `${targets.length} readers`)
  const outcomes = await feed(targets, { inputs: INPUTS, jobs: 2, perChild: Math.ceil(targets.length / 2) })
  for (const { name, counts, findings } of outcomes) {
    const { inputs, accepted, refused } = counts
    assert.deepEqual({ name, findings }, { name, findings: [] })
    assert.equal(accepted + refused, inputs, name)
    assert.equal(inputs, INPUTS, name)
  }
  const refused = outcomes.reduce((sum, { counts }) => sum + counts.refused, 0)
  assert.ok(
    refused > (targets.length * INPUTS) / 5,
    `expected more refused inputs than ${refused}: they are not malformed`,
  )
})

describe('the fuzzer', () => {
  it('counts accepted, refused and crashed inputs, and reports each crash once', async () => {
    const { accepted, refused, crashed, inputs, findings } = await feedOne('three fates', { inputs: 300 })
    for (const count of [accepted, refused, crashed]) assert.ok(count > 60, `${count} of 300`)
    assert.deepEqual([accepted + refused + crashed, inputs, findings.length], [300, 300, 1])
    assert.match(String(findings[0]?.what), /^TypeError: undefined is not a function\n.*fixture\.mjs/s)
  })

  it('reports an error without a page, or an unhandled one, as a crash', async () => {
    const { crashed, findings } = await feedOne('refused without a page')
    assert.deepEqual([crashed, findings.length], [20, 1])
    assert.equal((await feedOne('error that nobody receives')).crashed, 20)
  })

  it('allows a reader to open the files of its input, compressed according to their names', async () => {
    const { accepted, inputs, findings } = await feedOne('files of its own', { inputs: 50 })
    assert.deepEqual({ accepted, inputs, findings }, { accepted: 50, inputs: 50, findings: [] })
  })

  it('reports a reader that takes too much memory', async () => {
    const { large, largestMemory } = await feedOne('memory', { inputs: 1 })
    assert.ok(largestMemory > 550e6, `${largestMemory} bytes`)
    assert.equal(large, 1)
  })

  it('counts the steps of budgets', async () => {
    assert.equal((await readOne('budget', { number: 0 })).cost.steps, 70)
  })

  it('reports a slow reader with its hottest function, and can replay the input', async () => {
    const { slow, findings } = await feedOne('slow', { inputs: 1 })
    const [{ kind, what, file, number } = assert.fail('expected a finding')] = findings
    assert.deepEqual([slow, findings.length, kind, number], [1, 1, 'slow', 0])
    assert.match(what, /, in read \(tools\/fuzz\/targets\.test\.fixture\.mjs:\d+\)/)
    for (const input of [{ number: 0 }, { file: file ?? '' }]) {
      const { fate, cost } = await readOne('slow', input)
      assert.equal(fate, 'accepted')
      assert.ok(cost.seconds > 0.4 && cost.bytes === 28_001, JSON.stringify(cost))
    }
  })

  it('grows inputs while there is time for growth', async () => {
    const keep = join(work, 'kept')
    const { accepted, next } = await feedOne('costly in a linear way', { inputs: 100, growth: 1, keep })
    assert.equal(accepted, 100)
    assert.deepEqual(readdirSync(join(keep, 'costly-in-a-linear-way')), ['largest.json', 'slowest.json'])
    assert.ok(next > 40 && next < 70, `expected about half of 100 inputs from the seed, got ${next}`)
  })

  it('aborts a reader that ends its process or does not return, and continues with the next', async () => {
    const names = ['endless loop', 'promise that never settles', 'death of the process', 'files of its own']
    const targets = names.map((name) => ({ module: FIXTURE, name }))
    const outcomes = await feed(targets, { limitSeconds: 2, inputs: 200 })
    const [loop, promise, death, last] = outcomes.map(({ counts, findings }) => ({ ...counts, findings }))
    assert.deepEqual([loop?.slow, loop?.crashed, loop?.findings[0]?.kind], [3, 0, 'died'])
    assert.deepEqual([promise?.crashed, death?.crashed, last?.accepted], [3, 3, 200])
    const number = loop?.findings[0]?.number
    assert.ok(number !== undefined && loop !== undefined && loop.inputs >= number + 1, `input ${number}`)
  })
})

it('reports forbidden actions of a reader', async () => {
  const { STRAYS } = await import('./targets.test.fixture.mjs')
  const outcomes = await feed(
    STRAYS.map((name) => ({ module: FIXTURE, name })),
    { inputs: 2 },
  )
  for (const { name, counts, findings } of outcomes) {
    const found = findings.map(({ kind, what }) => `${kind}: ${what}`)
    assert.ok(counts.strayed > 0, `${name}: ${JSON.stringify(counts)}`)
    assert.match(found[0] ?? '', new RegExp(`^strayed: (after the last input: )?${name.split(' ')[0]}: `), name)
  }
  assert.ok(!existsSync(join(work, 'beside')))
})

it('generates inputs that depend only on seed and number, and saves them without loss', async () => {
  const [first, second] = [await readOne('three fates', { number: 5 }), await readOne('three fates', { number: 5 })]
  assert.equal(first.fate, second.fate)
  const input = { text: 'a\ud800\u0000"', bytes: Buffer.from([0, 255, 128]) }
  assert.deepEqual(fromJson(JSON.parse(JSON.stringify(toJson(input)))), input)
  assert.equal(
    encoded({ 'a.gz': 'x'.repeat(1000) })
      .get('a.gz')
      ?.subarray(0, 2)
      .toString('hex'),
    '1f8b',
  )
})

it('mutates a copy, depending only on the random numbers', () => {
  const bytes = Buffer.from('GGUF\x03\0\0\0\x05\0\0\0\0\0\0\0abcdefghijklmnop')
  const copy = Buffer.from(bytes)
  assert.deepEqual(lengthsIn(bytes), [8])
  assert.deepEqual(changedBytes(bytes, drawn()), changedBytes(bytes, drawn()))
  const input = { json: '{"a":{"b":[1,2,3]},"c":"d"}', text: 'one two\nthree', bytes }
  for (const change of [
    changedInput,
    (/** @type {Input} */ given, /** @type {() => number} */ random) => grownInput(given, given, 5000, random),
  ]) {
    const before = JSON.stringify(toJson(input))
    assert.deepEqual(change(input, drawn()), change(input, drawn()))
    assert.equal(JSON.stringify(toJson(input)), before)
  }
  assert.deepEqual(bytes, copy)
})

it('grows inputs up to the requested size', () => {
  let seed = 1
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647
  /** @type {Input} */
  let input = { json: '{"a":[{"b":"c"}]}', text: 'some words', bytes: Buffer.alloc(20) }
  let longest = 0
  for (let i = 0; i < 500; i++) {
    const grown = grownInput(input, input, 20_000, random)
    assert.ok(sizeOf(grown) <= 22_000, `${sizeOf(grown)}`)
    if (sizeOf(grown) > 0) input = grown
    longest = Math.max(longest, sizeOf(grown))
  }
  assert.ok(longest > 10_000, `expected more than 10,000 characters, got ${longest}`)
})

it('finds inputs with a quadratic cost in a run of spaces', () => {
  const random = stream(key(7))
  const kept = population()
  const ratio = { first: 0, best: 0 }
  const offer = (/** @type {Input} */ input) => {
    const runs = String(input.text).match(/\s+(?=\S)/g) ?? []
    const steps = runs.reduce((sum, { length }) => sum + length ** 2, 0)
    kept.offer(input, { bytes: sizeOf(input), seconds: 0, memory: 0, steps })
    ratio.best = Math.max(ratio.best, steps / (sizeOf(input) + 1000))
    ratio.first ||= ratio.best
  }
  offer({ text: 'some words, and more words' })
  for (let i = 0; i < 400; i++) {
    const parent = kept.sample(20_000, random)
    assert.ok(parent)
    offer(grownInput(parent, kept.sample(20_000, random) ?? parent, 20_000, random))
  }
  assert.ok(ratio.best > 1e5 * ratio.first, JSON.stringify(ratio))
})

it('keeps the inputs with the highest cost per byte for each order of magnitude', () => {
  const kept = population()
  const cost = (/** @type {number} */ bytes, /** @type {number} */ steps) => ({ bytes, seconds: 0, memory: 0, steps })
  const text = (/** @type {number} */ length) => ({ text: 'x'.repeat(length) })
  for (let steps = 1; steps <= 3; steps++) kept.offer(text(50), cost(50, 1e6 * steps))
  assert.ok(!kept.wants(text(60), cost(60, 10)))
  assert.ok(kept.wants(text(60), cost(60, 1e7)))
  assert.ok(kept.wants(text(500), cost(500, 10)), 'the first of its size must be kept')
  assert.deepEqual(kept.sample(100, () => 0)?.text, 'x'.repeat(50))
})

it('writes a valid GGUF file from JSON', () => {
  const bytes = ggufOf(
    '{"a":"b","c":[1,2],"d":1.5}',
    '[{"name":"t","shape":[2],"type":0,"offset":0}]',
    Buffer.alloc(32),
  )
  assert.equal(bytes.subarray(0, 4).toString(), 'GGUF')
  assert.deepEqual([bytes.readUInt32LE(4), bytes.readBigUInt64LE(8), bytes.readBigUInt64LE(16)], [3, 1n, 3n])
})

it('docs/measurements/fuzzing.md lists every reader', async () => {
  const text = readFileSync(new URL('../../docs/measurements/fuzzing.md', import.meta.url), 'utf8')
  const missing = (await listTargets(targetModules())).filter(({ name }) => !text.includes(`| ${name} `))
  assert.deepEqual(missing, [])
})
