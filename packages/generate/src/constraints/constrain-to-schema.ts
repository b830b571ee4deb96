import type { Tokenizer } from '@attune/core'
import type { Constraint } from '../constraint.js'
import { constrainTo } from './constrain-to-pattern.js'
import { constraintBudget } from './pattern-error.js'
import { type Schema, sizeOf } from './schema.js'
import { type SchemaOptions, schemaPattern } from './schema-pattern.js'

/**
 * The constraint that what is written is JSON that a JSON Schema accepts, spelled as `JSON.stringify` does: compact, or with
 * one space after colons and commas.
 *
 * Objects have the properties that the schema names, in its order, and no others. Known are `type` (one or several),
 * `properties`, `required`, `additionalProperties` (true or false, and none are written), `items`, `minItems`, `maxItems`,
 * `minLength`, `maxLength`, `pattern`, `format` (date, date-time, uuid, email), bounds of integers, a minimum of 0 of numbers,
 * `enum`, `const`, `anyOf`, `oneOf` of schemas that can be told apart, and `$ref` into the schema. All else is refused, by
 * name. Integers have at most 21 digits, and numbers are below 1e308.
 *
 * A text that is long without bound ends with the limit of tokens: see `tokenConstraint` on what happens near it. Source:
 * Willard and Louf, Efficient Guided Generation for Large Language Models, 2023, section 3.2: a schema as an expression.
 * @param endIds the tokens that end a text, which are allowed exactly after the whole value
 * @throws AttuneError `BAD_SCHEMA`, `BAD_PATTERN` for a `pattern` that is not regular; `PATTERN_TOO_LARGE`, also while writing;
 *   `NOT_SPELLABLE` if no value fits or the vocabulary lacks the signs; `BAD_ARGUMENT`, `UNKNOWN_DECODER`
 */
export const constrainToSchema = (
  schema: Schema,
  tokenizer: Tokenizer,
  endIds: Iterable<number>,
  options: SchemaOptions = {},
): Constraint => {
  const budget = constraintBudget(sizeOf(schema))
  return constrainTo(schemaPattern(schema, options, budget), tokenizer, endIds, 'the schema', budget)
}
