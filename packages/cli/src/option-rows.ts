import { type OptionsSchema, scheduledOptions } from '@attune/core'
import { jsonSchemaOf } from '@attune/resolve'

/** A plugin's option as a row of a table. */
export interface OptionRow {
  readonly name: string
  /** Its type and range, as in `number, ≥ 0, < 1`. */
  readonly type: string
  /** Default as JSON; empty if the option is required, or optional without a default. */
  readonly default: string
  readonly required: boolean
  /** True if it may follow a schedule. */
  readonly scheduled: boolean
  readonly description: string
}

interface JsonSchema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly exclusiveMaximum?: number
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly default?: unknown
  readonly description?: string
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map(String).join(' | ')
  if (schema.const !== undefined) return String(schema.const)
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' | ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`
  const bounds = [
    ['≥', schema.minimum],
    ['>', schema.exclusiveMinimum],
    ['≤', schema.maximum],
    ['<', schema.exclusiveMaximum],
  ] as const
  const stated = bounds.filter(([, bound]) => bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER)
  return [schema.type ?? 'any', ...stated.map(([sign, bound]) => `${sign} ${bound}`)].join(', ')
}

/** Rows for the options of a schema, in its order. */
export function optionRows(options: OptionsSchema): OptionRow[] {
  const { properties, required } = jsonSchemaOf(options)
  return Object.entries(properties as Readonly<Record<string, JsonSchema>>).map(([name, option]) => ({
    name,
    type: typeOf(option),
    default: option.default === undefined ? '' : JSON.stringify(option.default),
    required: required.includes(name),
    scheduled: scheduledOptions({ options }).includes(name),
    description: option.description ?? '',
  }))
}
