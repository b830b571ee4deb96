// Writes train.jsonl and validation.jsonl: pairs of sentences about where animals are, with their relation.
//   node examples/entailment/prepare.mjs
import { writeFileSync } from 'node:fs'
import { key, stream } from '@attune/core'

const ANIMALS = ['cat', 'dog', 'hen', 'fox', 'owl', 'mouse']
const SPOTS = ['on the table', 'under the chair', 'in the box', 'behind the door']

/** @type {<T>(from: readonly T[], random: () => number) => T} */
const pick = (from, random) => from[Math.floor(random() * from.length)]

/** A premise about two animals; the hypothesis repeats it, contradicts it, or is about a third one. @param {() => number} random */
function example(random) {
  const first = pick(ANIMALS, random)
  const second = pick(
    ANIMALS.filter((animal) => animal !== first),
    random,
  )
  const spots = { [first]: pick(SPOTS, random), [second]: pick(SPOTS, random) }
  const label = pick(['entailment', 'contradiction', 'neutral'], random)
  const known = pick([first, second], random)
  const third = pick(
    ANIMALS.filter((animal) => !(animal in spots)),
    random,
  )
  const other = pick(
    SPOTS.filter((spot) => spot !== spots[known]),
    random,
  )
  const hypothesis = {
    entailment: `the ${known} is ${spots[known]}`,
    contradiction: `the ${known} is ${other}`,
    neutral: `the ${third} is ${pick(SPOTS, random)}`,
  }
  const premise = `the ${first} is ${spots[first]} and the ${second} is ${spots[second]}`
  return { premise, hypothesis: hypothesis[label], label }
}

for (const [seed, [name, count]] of Object.entries({ train: 6000, validation: 600 }).entries()) {
  const random = stream(key(seed))
  const rows = Array.from({ length: count }, () => JSON.stringify(example(random)))
  writeFileSync(new URL(`${name}.jsonl`, import.meta.url), `${rows.join('\n')}\n`)
}
