import type { Conjunct } from './conjunct.js'
import type { FactTests } from './normal-form-types.js'
import type { Fact, Members } from './terms.js'

/** Schemas of a member by its name. */
export function memberSchemas(
  { properties, patterns, rest }: Members,
  name: string,
  matches: FactTests['matches'],
): readonly Conjunct[] {
  const own = properties.get(name)
  const byPattern = patterns.filter(([source]) => matches(source, name)).map(([, conjunct]) => conjunct)
  if (own !== undefined) return [own, ...byPattern]
  return byPattern.length > 0 || rest === undefined ? byPattern : [rest]
}

/** The strictest of several counts. */
export function countsIn<K extends 'string' | 'array' | 'object'>(
  facts: readonly Fact<K>[],
  min: string,
  max: string,
): readonly [min: number, max: number] {
  const values = (name: string): number[] =>
    facts.flatMap((fact) => (fact.name === name && 'value' in fact ? [fact.value as number] : []))
  return [Math.max(0, ...values(min)), Math.min(Infinity, ...values(max))]
}
