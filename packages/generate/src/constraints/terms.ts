import type { Conjunct } from './conjunct.js'

/** JSON types whose values are not listed one by one. */
export type Kind = 'number' | 'string' | 'array' | 'object'

/** Schemas of the members of an object, from one schema object: `additionalProperties` depends on its neighbours. */
export interface Members {
  readonly properties: ReadonlyMap<string, Conjunct>
  readonly patterns: readonly (readonly [source: string, conjunct: Conjunct])[]
  readonly rest?: Conjunct
  /** True if the schema names properties, so that others are not generated unless it says so. */
  readonly named: boolean
  /** True if the schema is under a negation, which does not evaluate members. */
  readonly silent?: boolean
}

/** Schemas of the items of an array, from one schema object. */
export interface Items {
  readonly prefix: readonly Conjunct[]
  readonly rest?: Conjunct
}

/** Facts of several names with one type of value. */
type Named<N extends string, V> = N extends string ? { readonly name: N; readonly value: V } : never

/** Facts about values of one JSON type: normalized keywords. */
export interface Facts {
  readonly number:
    | { readonly name: 'integer' }
    | { readonly name: 'fraction' }
    | Named<'minimum' | 'maximum' | 'above' | 'below' | 'multipleOf', number>
  readonly string: Named<'pattern' | 'notPattern' | 'format' | 'not', string> | Named<'minLength' | 'maxLength', number>
  readonly array:
    | Named<'items', Items>
    | Named<'minItems' | 'maxItems', number>
    | Named<'contains', Conjunct>
    | { readonly name: 'uniqueItems' }
  readonly object:
    | Named<'members', Members>
    | Named<'minProperties' | 'maxProperties', number>
    | Named<'required', string>
    | Named<'propertyNames', Conjunct>
}

/** A fact with the JSON pointer of its schema. */
export type Fact<K extends Kind = Kind> = Facts[K] & { readonly at: string }

/** Values of one JSON type for which all facts hold. */
export type TypedTerm = { [K in Kind]: { readonly kind: K; readonly facts: readonly Fact<K>[] } }[Kind]

/** Listed values. */
export interface ValuesTerm {
  readonly kind: 'values'
  readonly values: readonly unknown[]
}

/** One alternative of the normal form of a schema. */
export type Term = ValuesTerm | TypedTerm

/** Normal form of a schema: its values are those of any term. */
export type Terms = readonly Term[]

/** A term of one type. */
export const typed = <K extends Kind>(kind: K, facts: readonly Fact<K>[] = []): Term =>
  ({ kind, facts }) as unknown as Term

/** A term of listed values. */
export const listed = (values: readonly unknown[]): Terms => (values.length === 0 ? [] : [{ kind: 'values', values }])

const KINDS: readonly Kind[] = ['number', 'string', 'array', 'object']
const SINGLES: readonly unknown[] = [null, true, false]

/** Normal form of all JSON values. */
export const everything = (): Terms => [...listed(SINGLES), ...KINDS.map((kind) => typed(kind))]

/** Normal form of all values that are not of one type. */
export const exceptKind = (kind: Kind): Terms => everything().filter((term) => term.kind !== kind)

/** Normal form of the values that satisfy facts about one type or are of another type. */
export const when = <K extends Kind>(kind: K, facts: readonly Fact<K>[]): Terms =>
  everything().map((term) => (term.kind === kind ? typed(kind, facts) : term))

/** JSON type of a value as a kind; `values` for null and booleans. */
export const kindOf = (value: unknown): Kind | 'values' =>
  typeof value === 'number' || typeof value === 'string'
    ? (typeof value as Kind)
    : Array.isArray(value)
      ? 'array'
      : typeof value === 'object' && value !== null
        ? 'object'
        : 'values'

/** JSON of a value with sorted names: equal values have equal texts. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical((value as Record<string, unknown>)[name])}`).join()}}`
}
