// @ts-check
/** Table of a plugin's options, generated from their JSON Schema. */
import { table } from './table.mjs'

/**
 * The subset of JSON Schema that options use.
 * @typedef {{
 *   type?: string | string[], enum?: unknown[], const?: unknown, anyOf?: Schema[], items?: Schema, properties?: Record<string, Schema>,
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

/** Values in parentheses if there are alternatives. @param {Schema} schema @returns {string} */
const grouped = (schema) => (/ or /.test(valuesOf(schema)) ? `(${valuesOf(schema)})` : valuesOf(schema))

/** Describes the values of an option. @param {Schema} schema @returns {string} */
export function valuesOf(schema) {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(valuesOf))].join(' or ')
  if (Array.isArray(schema.type)) return schema.type.map((type) => valuesOf({ ...schema, type })).join(' or ')
  if (schema.type === 'number') return `number${rangeOf(schema)}`
  if (schema.type === 'integer') return `integer${rangeOf(schema)}`
  if (schema.type === 'boolean') return '`true` or `false`'
  if (schema.type === 'string') return 'text'
  if (schema.type === 'null') return '`null`'
  if (schema.type === 'array') return `list of ${grouped(schema.items ?? {})}`
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object')
    return `record of ${grouped(schema.additionalProperties)}`
  if (schema.type === 'object' && schema.properties !== undefined)
    return `\`{ ${Object.keys(schema.properties).join(', ')} }\``
  return schema.type === 'object' ? 'record' : 'any'
}

/** The object schemas that a value may have: the schema itself, its alternatives, and the values of a list or a record. @param {Schema} schema @returns {Schema[]} */
export const objectsIn = (schema) => [
  ...(schema.properties === undefined ? [] : [schema]),
  ...(schema.anyOf ?? []).flatMap(objectsIn),
  ...(schema.items === undefined ? [] : objectsIn(schema.items)),
  ...(typeof schema.additionalProperties === 'object' ? objectsIn(schema.additionalProperties) : []),
]

/** The default of an option as a cell. @param {Schema} option @param {boolean} required */
export function defaultOf(option, required) {
  if (option.default !== undefined) return `\`${JSON.stringify(option.default)}\``
  return required ? 'required' : 'none'
}

/** One row per option, including options of nested records. @param {Schema} schema @param {string} prefix @returns {string[][]} */
export const optionRows = ({ properties = {}, required = [] }, prefix = '') =>
  Object.entries(properties).flatMap(([name, option]) => [
    [
      `\`${prefix}${name}\``,
      option.properties === undefined ? valuesOf(option) : 'record',
      defaultOf(option, required.includes(name)),
      option.description ?? '',
    ],
    ...optionRows(option, `${prefix}${name}.`),
  ])

/** One row per option, or a sentence if there are none. @param {unknown} schema the JSON Schema of the options */
export function optionsTable(schema) {
  const rows = optionRows(/** @type {Schema} */ (schema))
  return rows.length === 0 ? 'It has no options.' : table(['option', 'values', 'default', 'what it is'], rows)
}
