import { SAMPLER, type Sampler, definePlugin, shuffled } from '@attune/core'
import { z } from 'zod'
import { describeSampler } from '../describe-sampler.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Order = Sampler['order']

/** Short examples first, shuffled among those of about the same length. */
const curriculum = definePlugin({
  kind: SAMPLER,
  name: 'curriculum',
  summary: 'Short examples first',
  options: z.strictObject({ step: z.int().min(1).max(99).default(8).describe('Lengths that count as the same') }),
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
const many = 'returns as many in every epoch'
const same = 'returns the same order from the same random numbers, and uses no others'
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

/** Samplers. */
export const samplers: readonly Specimen[] = [
  sound('short examples first', () => describeSampler(curriculum)),
  broken(
    'counts examples from 1',
    [indices, once],
    suite(
      (order) =>
        (...given) =>
          [...order(...given)].map((index) => index + 1),
    ),
  ),
  broken(
    'gives nothing for a single example',
    [indices, once],
    suite((order) => (epoch, data, random) => (data.count === 1 ? [] : order(epoch, data, random))),
  ),
  broken(
    'does not end',
    [indices, many, same, once],
    suite(() => endless),
  ),
  broken(
    'gives more in later epochs',
    [many],
    suite((order) => (epoch, data, random) => [...order(epoch, data, random), ...new Array<number>(epoch).fill(0)]),
  ),
  broken('begins where it ended before', [same], suite(turning)),
  broken(
    'leaves one out',
    [once],
    suite((order) => (epoch, data, random) => [...order(epoch, data, random)].slice(0, Math.max(1, data.count - 1))),
  ),
  broken(
    'says that it leaves examples out, and does not',
    ['does not return every example once: it leaves some out'],
    suite((order) => order, excused),
  ),
  broken('any options will do', uncheckedFails(5), () => describeSampler(unchecked(curriculum))),
]
