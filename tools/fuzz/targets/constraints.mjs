// @ts-check
/** Constraints on generated text: JSON Schemas, regular expressions and keywords, for three types of vocabularies. */
import { constrainToPattern, constrainToSchema, requireKeywords } from '@attune/generate'
import { tokenizerOf } from '@attune/text'
import { asText } from '../input.mjs'
import { parsedContainer } from '../mutate-json.mjs'
import { changedInput } from '../mutate.mjs'
import { pick } from '../random.mjs'
import { goldenJson } from '../seeds.mjs'
import { expression } from '../tokenizer-steps.mjs'

/** @import { Tokenizer } from '@attune/core' */
/** @import { Constraint } from '@attune/generate' */
/** @import { Target } from '../target.mjs' */

const SCHEMAS = [
  {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 20 },
      age: { type: 'integer', minimum: 0, maximum: 150 },
      tags: { type: 'array', items: { enum: ['a', 'b', null, 1.5] }, minItems: 1, maxItems: 3 },
      when: { type: 'string', format: 'date' },
      more: { $ref: '#/$defs/more' },
    },
    required: ['name', 'more'],
    additionalProperties: false,
    $defs: { more: { anyOf: [{ type: 'null' }, { type: 'string', pattern: '^[a-z]{2,5}$' }, { const: { a: [1] } }] } },
  },
  { oneOf: [{ type: 'number', minimum: 0 }, { type: ['boolean', 'null'] }, { type: 'string' }] },
]
const PATTERNS = ['[a-z]+(-[a-z]+)*', '\\d{4}-\\d{2}-\\d{2}', '(yes|no|perhaps), .{1,40}', '(?:[A-Z]\\w* ){2,4}\\.']
const KEYWORDS = [['tea'], ['one', 'two', 'three'], ['naïve', '東京']]

/** Number of generation steps after a constraint is created. */
const STEPS = 20

/** Generates some tokens, always the middle one of those allowed. @param {Constraint} constraint @param {number} end */
function generate(constraint, end) {
  for (let [step, state] = [0, 0]; step < STEPS; step++) {
    const allowed = constraint.allowed(state, STEPS - step)
    const ids = [...allowed.keys()].filter((id) => allowed[id] === 1)
    if (ids.length === 0) throw new Error(`no token is allowed in state ${state}`)
    const id = ids[Math.floor(ids.length / 2)] ?? end
    if (id === end) return
    state = constraint.next(state, id)
  }
}

/** Tokenizers with their end tokens: byte-level, with byte fallback, and without. */
const vocabularies = () =>
  ['byte-level', 'fallback', 'wordpiece'].map((name) => {
    const json = goldenJson(`generate/golden/tokens-${name}.json`).tokenizer
    const tokenizer = tokenizerOf({ json, config: {} }, { name, type: json.model.type })
    return { tokenizer, end: Number(json.added_tokens.at(0)?.id ?? 0) }
  })

/** @returns {Target[]} */
export function targets() {
  const known = vocabularies()
  /** @param {string} name @param {string} part @param {readonly string[]} seeds @param {(text: string, tokenizer: Tokenizer, ends: number[]) => Constraint} make @param {Partial<Target>} [other] @returns {Target} */
  const target = (name, part, seeds, make, other = {}) => ({
    name,
    valid: seeds.map((text) => ({ [part]: text, vocabulary: '0' })),
    make: (random) => ({
      ...changedInput({ [part]: pick(seeds, random) }, random),
      vocabulary: pick(['0', '1', '2'], random),
    }),
    read(input) {
      const { tokenizer, end } = known[(Number.parseInt(String(input.vocabulary), 10) || 0) % 3] ?? known[0]
      generate(make(String(input[part]), tokenizer, [end]), end)
    },
    ...other,
  })
  return [
    target(
      'JSON Schema of a constraint',
      'schema',
      SCHEMAS.map((schema) => JSON.stringify(schema)),
      (text, tokenizer, ends) => constrainToSchema(parsedContainer(text) ?? { const: text }, tokenizer, ends),
    ),
    target('regular expression of a constraint', 'pattern', PATTERNS, constrainToPattern, {
      make(random) {
        const pattern = random() < 0.5 ? expression(random) : pick(PATTERNS, random)
        const changed = random() < 0.3 ? { pattern } : changedInput({ pattern }, random)
        return { ...changed, vocabulary: pick(['0', '1', '2'], random) }
      },
    }),
    target(
      'keywords of a constraint',
      'keywords',
      KEYWORDS.map((words) => JSON.stringify(words)),
      (text, tokenizer, ends) =>
        requireKeywords(Object.values(parsedContainer(text) ?? [text]).map(asText), tokenizer, ends),
    ),
  ]
}
