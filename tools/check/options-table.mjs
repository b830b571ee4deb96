// @ts-check
/** Table of a plugin's options, generated from their JSON Schema. */
import { table } from './table.mjs'

/**
 * The subset of JSON Schema that options use.
 * @typedef {{
 *   type?: string, enum?: unknown[], const?: unknown, anyOf?: Schema[], items?: Schema, properties?: Record<string, Schema>,
 *   additionalProperties?: boolean | Schema, minimum?: number, maximum?: number, exclusiveMinimum?: number,
 *   exclusiveMaximum?: number, minItems?: number, minLength?: number, default?: unknown, description?: string, required?: string[]
 * }} Schema
 */

const isBound = (/** @type {number | undefined} */ value) =>
  value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER

/** A range in mathematical notation: `in [0, 1)`, `> 0`, `≥ 1`. @param {Schema} schema */
function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
  const closedBelow = isBound(minimum)
  const closedAbove = isBound(maximum)
  const low = closedBelow ? minimum : exclusiveMinimum
  const high = closedAbove ? maximum : exclusiveMaximum
  if (low !== undefined && high !== undefined)
    return ` in ${closedBelow ? '[' : '('}${low}, ${high}${closedAbove ? ']' : ')'}`
  if (low !== undefined) return ` ${closedBelow ? '≥' : '>'} ${low}`
  if (high !== undefined) return ` ${closedAbove ? '≤' : '<'} ${high}`
  return ''
}

/** Describes the values of an option. @param {Schema} schema @returns {string} */
export function valuesOf(schema) {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.anyOf !== undefined) return schema.anyOf.map(valuesOf).join(' or ')
  if (schema.type === 'number') return `number${rangeOf(schema)}`
  if (schema.type === 'integer') return `integer${rangeOf(schema)}`
  if (schema.type === 'boolean') return '`true` or `false`'
  if (schema.type === 'string') return 'text'
  if (schema.type === 'array') return `list of ${valuesOf(schema.items ?? {})}`
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object')
    return `record of ${valuesOf(schema.additionalProperties)}`
  return schema.type === 'object' ? 'record' : 'any'
}

/** @param {Schema} schema @param {string} prefix @returns {string[][]} */
const rowsOf = ({ properties = {}, required = [] }, prefix = '') =>
  Object.entries(properties).flatMap(([name, option]) => [
    [
      `\`${prefix}${name}\``,
      valuesOf(option),
      option.default !== undefined
        ? `\`${JSON.stringify(option.default)}\``
        : required.includes(name)
          ? 'required'
          : 'none',
      option.description ?? '',
    ],
    ...rowsOf(option, `${prefix}${name}.`),
  ])

/** One row per option, or a sentence if there are none. @param {unknown} schema the JSON Schema of the options */
export function optionsTable(schema) {
  const rows = rowsOf(/** @type {Schema} */ (schema))
  return rows.length === 0 ? 'It has no options.' : table(['option', 'values', 'default', 'what it is'], rows)
}
