import type { Tokenizer } from '@attune/core'
import type { Constraint } from '../constraint.js'
import { conjunctOf } from './conjunct.js'
import { constrainTo } from './constrain-to-pattern.js'
import { type Narrowing, narrowings } from './narrowings.js'
import { constraintBudget } from './pattern-error.js'
import { type Schema, sizeOf } from './schema.js'
import { type SchemaOptions, schemaPattern } from './schema-pattern.js'

/** A constraint to a JSON Schema. */
export interface SchemaConstraint extends Constraint {
  /** Parts of the schema of which not every valid value is generated, by keyword. */
  readonly narrowed: readonly Narrowing[]
}

/**
 * Constrains the output to JSON that is valid under a JSON Schema (drafts 4 to 2020-12), in the spelling of `JSON.stringify`: compact,
 * or with one space after colons and commas.
 *
 * Supported are all keywords of types, numbers, strings, arrays and objects, `enum`, `const`, `allOf`, `anyOf`, `oneOf`, `not`, `if`,
 * `dependentRequired`, `dependentSchemas`, and `$ref` within the schema or to `documents`. A `pattern` may contain look-ahead outside
 * groups, and syntax without the `u` flag. Annotations and unknown keywords are ignored, as the
 * specification says. A keyword that cannot be enforced is rejected by name: `maxContains`, a `minContains` above 1, `$dynamicRef`, a
 * `multipleOf` such as 0.01, and inverses (under `not`, `if` or overlapping `oneOf`) of `format`, `multipleOf` and a few others.
 *
 * Generated values are always valid, but not every valid value can be generated; `narrowed` of the result lists the keywords of the
 * schema that are affected:
 * - Named properties come in the schema's order. Others follow them only if the schema has `additionalProperties` or
 *   `patternProperties`, or names no properties. Items follow a tuple only if the schema describes them.
 * - A definition occurs within itself at most `recursionDepth` times. Values without a schema have at most two levels of arrays and
 *   objects. Both are one less if the schema is too large otherwise.
 * - Integers have at most 21 digits; numbers are below 1e308. Bounded numbers have at most 15 digits near a bound, and no exponent
 *   between two bounds.
 * - `uniqueItems`: up to six listed items may come in any order. Other items have different first characters, in ascending order
 *   (digits, letters in either case, others), with at most one array, one object and one fractional number.
 * - Formats omit rare forms: leap seconds, quoted local parts, uncommon URI schemes. Unknown formats are ignored.
 * - Of more than 256 combinations of alternatives, the simplest are generated.
 * - Objects that are excluded by a negated `additionalProperties` or `patternProperties` alone are not generated.
 *
 * Values of unbounded length end at the token limit; see `tokenConstraint` for how. Source: Willard and Louf, Efficient Guided
 * Generation for Large Language Models, 2023, section 3.2: a schema as a regular expression.
 * @param endIds end-of-sequence tokens, needed to generate; allowed exactly after the complete value
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
): SchemaConstraint => {
  conjunctOf(schema, '#') // throws unless it is a schema
  const size = sizeOf(schema)
  const compile = (depths: SchemaOptions, freeDepth: number): SchemaConstraint => {
    const narrowed = narrowings()
    const budget = constraintBudget(size)
    const pattern = schemaPattern(schema, { ...options, ...depths }, budget, freeDepth, narrowed)
    return { ...constrainTo(pattern, tokenizer, endIds, 'the schema', budget), narrowed: narrowed.list() }
  }
  try {
    return compile({}, 2)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'PATTERN_TOO_LARGE') throw error
    return compile({ recursionDepth: options.recursionDepth ?? 1 }, 1)
  }
}
