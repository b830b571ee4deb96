import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { modelTypeOf } from './model-type.js'
import type { ModelFile } from './schema.js'
import { tokenizerOf } from './tokenizer-of.js'

/** Ids, type ids and flattened offsets; null where the library's are wrong. */
type Encoded = readonly [ids: number[], typeIds: number[], offsets: number[] | null] | null
interface Case {
  readonly name: string
  readonly json: Readonly<Record<string, unknown>>
  readonly refused?: true
  /** Own texts of the case, else the common ones. */
  readonly texts?: readonly string[] | null
  readonly encodings: readonly Encoded[]
  readonly pairs: readonly (readonly [text: string, pair: string, encoded: Encoded])[]
  readonly decoded: readonly (readonly [ids: number[], text: string])[]
}
const golden = JSON.parse(gunzipSync(readFileSync('golden/tokenizer-fields.json.gz')).toString()) as {
  readonly source: string
  readonly texts: readonly string[]
  readonly cases: readonly Case[]
}
const load = (json: Case['json']) =>
  tokenizerOf({ json, config: {} }, { name: 'x', type: (modelTypeOf(json) ?? 'BPE') as ModelFile['type'] })
const refused = expect.objectContaining({ code: 'BAD_TOKENIZER' })

/** True if a file is rejected with the right error. */
function isRefused(json: Case['json']): boolean {
  try {
    load(json)
    return false
  } catch (error) {
    return (error as { code?: unknown }).code === 'BAD_TOKENIZER'
  }
}

/** Checks one text, or a pair. */
function check(
  { encode }: ReturnType<typeof load>,
  name: string,
  text: string,
  pair: string | undefined,
  want: Encoded,
) {
  const encoded = (): Encoded => {
    const { ids, typeIds, offsets } = encode(text, { ...(pair === undefined ? {} : { pair }), offsets: true })
    return [[...ids], [...typeIds], want?.[2] == null ? null : offsets!.flat()]
  }
  if (want === null) expect(encoded).toThrow(refused)
  else expect([name, text, pair, encoded()]).toEqual([name, text, pair, want])
}

const sections = [...new Set(golden.cases.map(({ name }) => name.split(' ', 1)[0]!))]

describe.each(sections)(`fields of a tokenizer.json: %s`, (section) => {
  const cases = golden.cases.filter(({ name }) => name.startsWith(section))
  const read = cases.filter((each) => each.refused !== true)

  it(`match the ids and offsets of ${golden.source}`, () => {
    for (const { name, json, texts, encodings, pairs } of read) {
      const tokenizer = load(json)
      for (const [i, want] of encodings.entries()) check(tokenizer, name, (texts ?? golden.texts)[i]!, undefined, want)
      for (const [text, pair, want] of pairs) check(tokenizer, name, text, pair, want)
    }
  })

  it('match its decoded texts', () => {
    for (const { name, json, decoded } of read) {
      const { decode } = load(json)
      for (const [ids, text] of decoded) expect([name, ids, decode(ids)]).toEqual([name, ids, text])
    }
  })

  it('are rejected where it rejects them, or where they are not supported', () => {
    const accepted = cases.filter((each) => each.refused === true && !isRefused(each.json)).map(({ name }) => name)
    expect(accepted).toEqual([])
  })
})
