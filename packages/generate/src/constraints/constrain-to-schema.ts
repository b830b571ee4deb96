import { AttuneError, type Tokenizer } from '@attune/core'
import type { Constraint } from '../constraint.js'
import { constrainTo } from './constrain-to-pattern.js'
import { constraintBudget } from './pattern-error.js'
import { type Schema, sizeOf } from './schema.js'
import { type SchemaOptions, schemaPattern } from './schema-pattern.js'

/** States of the automaton of a schema: about 100 MB. */
const MAX_STATES = 300_000

/**
 * Constrains the output to JSON that is valid under a JSON Schema, in the spelling of `JSON.stringify`: compact, or with one space
 * after colons and commas.
 *
 * Objects have the properties that the schema names, in its order, and no others. Supported keywords: `type` (one or several),
 * `properties`, `required`, `additionalProperties` (true or false; none are generated), `items`, `minItems`, `maxItems`,
 * `minLength`, `maxLength`, `pattern`, `format` (date, date-time, uuid, email), bounds of integers, a minimum of 0 for numbers,
 * `enum`, `const`, `anyOf`, `oneOf` of disjoint schemas, and `$ref` within the schema. Any other keyword is rejected by name.
 * Integers have at most 21 digits; numbers are below 1e308.
 *
 * Values of unbounded length end at the token limit; see `tokenConstraint` for how. Source: Willard and Louf, Efficient Guided
 * Generation for Large Language Models, 2023, section 3.2: a schema as a regular expression.
 * @param endIds end-of-sequence tokens, allowed exactly after the complete value
 * @throws AttuneError `BAD_SCHEMA`; `BAD_PATTERN` for a `pattern` that is not regular; `PATTERN_TOO_LARGE`, also during generation;
 *   `NOT_SPELLABLE` if no value is valid or the vocabulary lacks punctuation; `BAD_ARGUMENT`, `UNKNOWN_DECODER`
 *
 * @example
 * ```ts
 * import { constrainToSchema } from '@attune/generate'
 * import { tinyTokenizer } from '@attune/testkit/tiny'
 * const tokenizer = tinyTokenizer()
 * const schema = { type: 'object', properties: { name: { type: 'string' }, age: { type: 'integer' } }, required: ['name'] }
 * const person = constrainToSchema(schema, tokenizer, [tokenizer.special.end!])
 * const first = [...person.allowed(0, 40)].flatMap((allowed, id) => (allowed === 1 ? [tokenizer.token(id)] : []))
 * console.log(first.join('')) // {
 * ```
 */
export const constrainToSchema = (
  schema: Schema,
  tokenizer: Tokenizer,
  endIds: Iterable<number>,
  options: SchemaOptions = {},
): Constraint => {
  const size = sizeOf(schema)
  const compile = (depths: SchemaOptions, freeDepth: number): Constraint => {
    const budget = constraintBudget(size)
    const pattern = schemaPattern(schema, { ...options, ...depths }, budget, freeDepth)
    return constrainTo(pattern, tokenizer, endIds, 'the schema', budget, MAX_STATES)
  }
  try {
    return compile({}, 2)
  } catch (error) {
    if (!(error instanceof AttuneError) || error.code !== 'PATTERN_TOO_LARGE') throw error
    return compile({ recursionDepth: options.recursionDepth ?? 1 }, 1)
  }
}
