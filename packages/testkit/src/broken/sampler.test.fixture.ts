import { SAMPLER, type Sampler, definePlugin, shuffled } from '@attune/core'
import { z } from 'zod'
import { describeSampler } from '../describe-sampler.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Order = Sampler['order']

/** Curriculum: short examples first, shuffled among those of similar length. */
const curriculum = definePlugin({
  kind: SAMPLER,
  name: 'curriculum',
  summary: 'Short examples first',
  options: z.strictObject({ step: z.int().min(1).max(99).default(8).describe('Width of a length bucket') }),
  create: ({ step }): Sampler => ({
    order: (_epoch, { count, length }, random) =>
      shuffled([...Array(count).keys()], random).sort(
        (a, b) => Math.floor(length(a) / step) - Math.floor(length(b) / step),
      ),
  }),
})

const suite =
  (change: (order: Order) => Order, manifest: Readonly<Record<string, unknown>> = {}) =>
  (): void =>
    describeSampler(altered<Sampler>(curriculum, ({ order }) => ({ order: change(order) }), manifest))

const indices = 'returns indices of examples, at least one'
const many = 'returns the same number of indices in every epoch'
const same = 'returns the same order for the same random stream, and uses no other randomness'
const once = 'returns every example once'
const excused = { exceptions: { complete: 'it leaves some out' } }

const turning = (order: Order): Order => {
  let turn = 0
  return (epoch, data, random) => {
    for (let i = 0; i < turn; i++) random()
    turn++
    return order(epoch, data, random)
  }
}

function* endless(): Generator<number, void> {
  for (;;) yield 0
}

/** Sampler specimens. */
export const samplers: readonly Specimen[] = [
  valid('short examples first', () => describeSampler(curriculum)),
  broken(
    'returns indices from 1',
    [indices, once],
    suite(
      (order) =>
        (...given) =>
          [...order(...given)].map((index) => index + 1),
    ),
  ),
  broken(
    'returns nothing for a single example',
    [indices, once],
    suite((order) => (epoch, data, random) => (data.count === 1 ? [] : order(epoch, data, random))),
  ),
  broken(
    'does not end',
    [indices, many, same, once],
    suite(() => endless),
  ),
  broken(
    'returns more indices in later epochs',
    [many],
    suite((order) => (epoch, data, random) => [...order(epoch, data, random), ...new Array<number>(epoch).fill(0)]),
  ),
  broken('continues the random stream of the last call', [same], suite(turning)),
  broken(
    'omits an example',
    [once],
    suite((order) => (epoch, data, random) => [...order(epoch, data, random)].slice(0, Math.max(1, data.count - 1))),
  ),
  broken(
    'omits no examples although its exception says so',
    ['does not return every example once: it leaves some out'],
    suite((order) => order, excused),
  ),
  broken('accepts any options', uncheckedFails(5), () => describeSampler(unchecked(curriculum))),
]
