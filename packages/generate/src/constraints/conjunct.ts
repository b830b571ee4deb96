import { isRecord } from '@attune/core'
import { type Schema, type Subschema, badSchema } from './schema.js'
import { excerpt } from '@attune/core'

/** A subschema under which a value must be valid, or invalid if it is negated. */
export interface Conjunct extends Subschema {
  readonly negated: boolean
}

const TRUE: Schema = Object.freeze({})
const FALSE: Schema = { not: TRUE }

/**
 * Returns a value as a subschema; `true` and `false` become `{}` and `{ "not": {} }`.
 * @throws AttuneError `BAD_SCHEMA` unless it is an object or a boolean
 */
export function conjunctOf(value: unknown, at: string, negated = false): Conjunct {
  if (typeof value === 'boolean') return { schema: value ? TRUE : FALSE, at, negated }
  if (isRecord(value)) return { schema: value, at, negated }
  throw badSchema(
    `a schema must be an object or a boolean, got ${excerpt(value)}`,
    at,
    'Define the value: `{ "type": … }`.',
  )
}

/** The schema under which no value is valid. */
export const never = (at: string): Conjunct => conjunctOf(false, at)

/** The inverse of a conjunct. */
export const inverse = (conjunct: Conjunct): Conjunct => ({ ...conjunct, negated: !conjunct.negated })
