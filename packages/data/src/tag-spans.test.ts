import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type TagScheme, schemeTags, tagSpans, tagTransitions, tagsOfSpans } from './index.js'

const golden = JSON.parse(readFileSync('golden/seqeval-spans.json', 'utf8')) as {
  readonly source: string
  readonly cases: readonly { readonly tags: string[]; readonly spans: [label: string, start: number, end: number][] }[]
}
const SCHEMES: readonly TagScheme[] = ['BIO', 'BIOES', 'BILOU']
const listed = (tags: readonly string[]) => tagSpans(tags).map(({ label, start, end }) => [label, start, end])

/** All sequences of some tags. */
const sequences = (tags: readonly string[], length: number): string[][] =>
  Array.from({ length }).reduce<string[][]>((all) => all.flatMap((each) => tags.map((tag) => [...each, tag])), [[]])

it(`tagSpans returns the spans of ${golden.source}, of inconsistent tags too`, () => {
  for (const { tags, spans } of golden.cases) expect([tags, listed(tags)]).toEqual([tags, spans])
})

it('tagSpans reads tags without a prefix, and hyphens in labels', () => {
  expect(listed(['NAME', 'NAME', 'O', 'NAME', '', 'CITY'])).toEqual([
    ['NAME', 0, 2],
    ['NAME', 3, 4],
    ['CITY', 5, 6],
  ])
  expect(listed(['B-GENE-x', 'I-GENE-x', 'B-GENE-x'])).toEqual([
    ['GENE-x', 0, 2],
    ['GENE-x', 2, 3],
  ])
})

describe.each(SCHEMES)('%s', (scheme) => {
  const tags = schemeTags(['X', 'Y'], scheme)
  const { start, end, next } = tagTransitions(tags, scheme)
  const isAllowed = (sequence: readonly string[]): boolean => {
    const at = sequence.map((tag) => tags.indexOf(tag))
    return start[at[0]!]! && end[at.at(-1)!]! && at.every((to, i) => i === 0 || next[at[i - 1]!]![to]!)
  }

  it('allows exactly the sequences that are the tags of their own spans', () => {
    for (const length of [1, 2, 3])
      for (const sequence of sequences(tags, length)) {
        const again = tagsOfSpans(tagSpans(sequence), length, scheme)
        expect([sequence, isAllowed(sequence)]).toEqual([sequence, again.join() === sequence.join()])
      }
  })

  it('keeps the spans of every other scheme', () => {
    for (const other of SCHEMES)
      for (const sequence of sequences(schemeTags(['X', 'Y'], other), 3))
        expect(listed(tagsOfSpans(tagSpans(sequence), 3, scheme))).toEqual(listed(sequence))
  })
})
