import type { OptionsSchema } from '@attune/core'
import { z } from 'zod'

/** JSON Schema of each option of a plugin by name, in the order of the schema, and the names of the options without a default. */
export interface OptionsJsonSchema {
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly required: readonly string[]
}

/** Metadata by way of the schema's own method: before zod 4.2, each copy of zod had a registry of its own. */
const metadata = { get: (schema: z.ZodType) => schema.meta?.() } as unknown as typeof z.globalRegistry
const SETTINGS = { io: 'input', unrepresentable: 'any', metadata } as const

/**
 * JSON Schema of a plugin's options, as they are given. Each option is converted by the copy of zod that made it: a plugin may have
 * another 4.x version than this package, and conversion differs between versions.
 */
export function jsonSchemaOf({ shape }: OptionsSchema): OptionsJsonSchema {
  const options = Object.entries(shape as Readonly<Record<string, z.ZodType>>)
  const schemas = options.map(([, option]) => option.toJSONSchema?.(SETTINGS) ?? z.toJSONSchema(option, SETTINGS))
  return {
    properties: Object.fromEntries(options.map(([name], index) => [name, schemas[index] ?? {}])),
    required: options.filter(([, option]) => option._zod.optin === undefined).map(([name]) => name),
  }
}
