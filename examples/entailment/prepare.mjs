// Writes train.jsonl and validation.jsonl: pairs of sentences about where an animal is, with their relation.
//   node examples/entailment/prepare.mjs
import { writeFileSync } from 'node:fs'
import { key, stream } from '@attune/core'

const ANIMALS = ['cat', 'dog', 'hen', 'fox', 'owl', 'mouse']
const SPOTS = ['on the table', 'under the chair', 'in the box', 'behind the door']
const LABELS = ['entailment', 'contradiction', 'neutral']

const pick = (from, random) => from[Math.floor(random() * from.length)]
const other = (from, than, random) =>
  pick(
    from.filter((each) => each !== than),
    random,
  )

/** A premise, and a hypothesis that repeats it, names another location, or is about another animal. */
function example(random) {
  const [animal, spot, label] = [pick(ANIMALS, random), pick(SPOTS, random), pick(LABELS, random)]
  const hypothesis = {
    entailment: `${spot} is the ${animal}`,
    contradiction: `${other(SPOTS, spot, random)} is the ${animal}`,
    neutral: `${pick(SPOTS, random)} is the ${other(ANIMALS, animal, random)}`,
  }
  return { premise: `the ${animal} is ${spot}`, hypothesis: hypothesis[label], label }
}

for (const [seed, [name, count]] of Object.entries({ train: 6000, validation: 600 }).entries()) {
  const random = stream(key(seed))
  const rows = Array.from({ length: count }, () => JSON.stringify(example(random)))
  writeFileSync(new URL(`${name}.jsonl`, import.meta.url), `${rows.join('\n')}\n`)
}
