// @ts-check
/** That no reader crashes on some broken files, and that the tool would notice if one did. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { AttuneError } from '@attune/core'
import { attempt, fuzz } from './fuzz.mjs'
import { changedBytes, lengthsIn } from './mutate-bytes.mjs'
import { changedJson, changedText } from './mutate-json.mjs'
import { allTargets } from './targets.mjs'

const INPUTS = 150

it('readers take broken files or refuse them', async () => {
  const { targets, close } = await allTargets()
  try {
    for (const target of targets) {
      const { name, accepted, refused, crashed, slow, crashes } = await fuzz(target, { seed: 3, inputs: INPUTS })
      assert.deepEqual({ name, crashed, slow, crashes }, { name, crashed: 0, slow: 0, crashes: [] })
      assert.equal(accepted + refused, INPUTS)
      assert.ok(refused > 0, `${name} refused nothing: its inputs are not broken`)
    }
  } finally {
    close()
  }
})

it('crashes, refusals and slow inputs are told apart, and an input can be read again', async () => {
  const target = {
    name: 'three fates',
    read(/** @type {() => number} */ random) {
      const fate = Math.floor(random() * 3)
      if (fate === 0) throw new AttuneError('BAD_FILE', 'it is bad', 'Fetch it again.')
      if (fate === 1) throw new TypeError('undefined is not a function')
    },
  }
  const { accepted, refused, crashed, crashes } = await fuzz(target, { seed: 1, inputs: 300 })
  for (const count of [accepted, refused, crashed]) assert.ok(count > 60, `${count} of 300`)
  assert.equal(accepted + refused + crashed, 300)
  assert.equal(crashes.length, 1)
  const again = await attempt(target, 1, crashes[0]?.input ?? -1)
  assert.ok(again?.error instanceof TypeError)
  const lazy = { name: 'lazy', read: () => spin(1100) }
  assert.equal((await fuzz(lazy, { seed: 1, inputs: 1 })).slow, 1)
})

/** Uses the processor for so long. @param {number} milliseconds */
function spin(milliseconds) {
  const start = process.cpuUsage()
  for (let used = 0; used < milliseconds;) {
    const { user, system } = process.cpuUsage(start)
    used = (user + system) / 1000
  }
}

it('changes depend on the numbers that are drawn, and leave the seed as it was', () => {
  const seed = Buffer.from('GGUF\x03\0\0\0\x05\0\0\0\0\0\0\0abcdefghijklmnop')
  const copy = Buffer.from(seed)
  assert.deepEqual(lengthsIn(seed), [8])
  const draws = [0.1, 0.7, 0.3, 0.9, 0.45]
  const drawn = () => {
    let at = 0
    return () => draws[at++ % draws.length]
  }
  assert.deepEqual(changedBytes(seed, [8], drawn()), changedBytes(seed, [8], drawn()))
  assert.deepEqual(seed, copy)
  const text = '{"a":{"b":[1,2,3]},"c":"d"}'
  assert.deepEqual(changedJson(text, drawn()), changedJson(text, drawn()))
  assert.equal(changedText(text, drawn()), changedText(text, drawn()))
})
