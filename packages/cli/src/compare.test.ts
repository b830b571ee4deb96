import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'

const root = mkdtempSync(join(tmpdir(), 'attune-compare-'))
const { attune, close } = commandsIn(root)
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})
const model = fileURLToPath(new URL('../../../examples/models/debian-bert', import.meta.url))

const WORDS = { mail: ['letter', 'reply', 'sender', 'attachment', 'inbox'], games: ['player', 'level', 'score', 'puzzle', 'arcade'] } // prettier-ignore
const texts = (domain: keyof typeof WORDS, from: number, count: number): string[] =>
  Array.from(
    { length: count },
    (_, i) => `the ${WORDS[domain][(from + i) % 5]} and ${WORDS[domain][(from + 2 * i) % 5]}`,
  )
const rows = (given: readonly string[]): string => given.map((body) => `${JSON.stringify({ body })}\n`).join('')
writeFileSync(join(root, 'mail.jsonl'), rows(texts('mail', 0, 100)))
writeFileSync(join(root, 'more-mail.jsonl.gz'), gzipSync(rows(texts('mail', 3, 50))))
writeFileSync(join(root, 'games.txt'), texts('games', 0, 60).join('\n'))

interface Found {
  readonly compared: number
  readonly rows: object
  readonly vocabulary: { readonly jaccard: number; readonly unseen: number }
  readonly features: readonly { readonly features: string; readonly distance: number; readonly pValue: number }[]
}
const compare = async (...args: readonly string[]): Promise<Found> =>
  JSON.parse((await attune(['data', 'compare', ...args, '--field', 'body', '--json'])).out) as Found

describe('attune data compare', () => {
  it('separates two domains, by words and by an encoder, and shows bars', async () => {
    const found = await compare('mail.jsonl', 'games.txt', '--model', model, '--rows', '40')
    expect(found).toMatchObject({ compared: 40, rows: { source: 100, target: 60 } })
    expect(found.vocabulary.jaccard).toBeCloseTo(2 / 12, 10) // "the" and "and" of 12 words
    expect(found.vocabulary.unseen).toBeCloseTo(0.5, 10)
    expect(found.features.map(({ features }) => features)).toEqual(['words', model])
    for (const { distance, pValue } of found.features) expect([distance, pValue]).toEqual([2, 0.002])
    const { out, err } = await attune(['data', 'compare', 'mail.jsonl', 'games.txt', '--field', 'body'])
    expect(err).toBe('')
    expect(out).toMatch(/^50 texts of each: mail\.jsonl \(source, 100 texts\) and games\.txt \(target, 60 texts\)/)
    expect(out).toMatch(/words +2\.00 +█{12} +0\.0 % /)
  })

  it('finds two files of one domain alike, and repeats its numbers for a seed', async () => {
    const found = await compare('mail.jsonl', 'more-mail.jsonl.gz', '--seed', '3')
    expect(found.vocabulary).toMatchObject({ jaccard: 1, unseen: 0 })
    expect(found.features[0]!.pValue).toBeGreaterThan(0.05)
    expect(await compare('mail.jsonl', 'more-mail.jsonl.gz', '--seed', '3')).toEqual(found)
  })

  it('rejects small files, blank texts, and rows without the field', async () => {
    const { err } = await attune(['data', 'compare', 'mail.jsonl', 'games.txt'])
    expect(err).toMatch(/BAD_ROW[^]*expected a value in field "text"/)
    writeFileSync(join(root, 'blank.txt'), ' \n\n')
    expect((await attune(['data', 'compare', 'mail.jsonl', 'blank.txt', '--field', 'body'])).err).toMatch(
      /EMPTY_DATASET[^]*blank\.txt: no row has a text/,
    )
    writeFileSync(join(root, 'few.txt'), 'one\ntwo\n')
    const few = await attune(['data', 'compare', 'mail.jsonl', 'few.txt', '--field', 'body'])
    expect(few.err).toMatch(/TOO_FEW_EXAMPLES[^]*got 100 in mail\.jsonl and 2 in few\.txt/)
  })
})
