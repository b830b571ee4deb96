import { type AnyPlugin, isAttuneError } from '@attune/core'
import { jsonSchemaOf } from '@attune/resolve'
import { requireExceptions } from './exceptions.js'
import { describe, expect, it } from './runner.js'

interface JsonSchema {
  readonly type?: string
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly exclusiveMaximum?: number
  readonly minLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly enum?: readonly unknown[]
  readonly description?: string
}

/** Longest list that is built to exceed a maximum length. */
const MAX_LIST_LENGTH = 100

/** Values just outside a schema; for a union, outside its single form that is not null. */
function outside(schema: JsonSchema): unknown[] {
  const forms = schema.anyOf?.filter(({ type }) => type !== 'null') ?? []
  const values: unknown[] = forms.length === 1 ? outside(forms[0]!) : []
  if (schema.minimum !== undefined) values.push(schema.minimum - 1)
  if (schema.exclusiveMinimum !== undefined) values.push(schema.exclusiveMinimum)
  if (schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER) values.push(schema.maximum + 1)
  if (schema.exclusiveMaximum !== undefined) values.push(schema.exclusiveMaximum)
  if (schema.enum !== undefined) values.push('not-one-of-these')
  if (schema.type === 'number' || schema.type === 'integer') values.push('a word', Number.NaN)
  if (schema.type === 'integer') values.push(0.5)
  if (schema.type === 'boolean') values.push('a word')
  if (schema.type === 'string') values.push(1, ...((schema.minLength ?? 0) > 0 ? [''] : []))
  if (schema.type === 'array') values.push('a word', ...listsOutside(schema))
  return values
}

/** Lists that are too short, too long, or have an invalid element. */
function listsOutside({ minItems = 0, maxItems = MAX_LIST_LENGTH, items = {} }: JsonSchema): unknown[] {
  return [
    ...(minItems > 0 ? [[]] : []),
    ...(maxItems < MAX_LIST_LENGTH ? [Array.from({ length: maxItems + 1 }, (_, i) => i)] : []),
    ...outside(items).map((item) => [item]),
  ]
}

const thrownBy = (call: () => unknown): unknown => {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

/** Contract of the manifest and options of any plugin. */
export function describeOptions(plugin: AnyPlugin, valid: Readonly<Record<string, unknown>> = {}): void {
  describe('manifest and options', () => {
    const { properties } = jsonSchemaOf(plugin.options)
    const options = Object.entries(properties as Readonly<Record<string, JsonSchema>>)
    const refused = options.flatMap(([name, option]) => outside(option).map((value) => [name, value] as const))

    it('has a kebab-case name and a summary', () => {
      expect(plugin.name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
      expect(plugin.summary.length).toBeGreaterThan(10)
    })

    it('describes every option', () => {
      expect(options.filter(([, option]) => !option.description).map(([name]) => name)).toEqual([])
    })

    it('declares only exceptions that its kind allows', () => requireExceptions(plugin))

    it('rejects an unknown option by name', () => {
      const error = thrownBy(() => plugin({ ...valid, noSuchOption: 1 }))
      expect(isAttuneError(error) && error.code).toBe('BAD_OPTIONS')
      expect(String(error)).toContain('noSuchOption')
    })

    it(`rejects each of ${refused.length} out-of-bounds values with the name of the option`, () => {
      for (const [name, value] of refused) {
        const error = thrownBy(() => plugin({ ...valid, [name]: value }))
        expect([name, value, isAttuneError(error) && error.code]).toEqual([name, value, 'BAD_OPTIONS'])
        expect(String(error)).toContain(name)
      }
    })
  })
}
