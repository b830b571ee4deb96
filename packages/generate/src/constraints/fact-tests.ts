import { type Budget, isRecord } from '@attune/core'
import type { Conjunct } from './conjunct.js'
import { FORMATS } from './json-formats.js'
import { textTest } from './character-graph.js'
import { memberSchemas } from './facts.js'
import type { FactTests } from './normal-form-types.js'
import { containing, wholePattern } from './parse-pattern.js'
import { type Fact, type Facts, type Terms, canonical, kindOf } from './terms.js'

function numberHolds(fact: Fact<'number'>, value: number): boolean {
  if (fact.name === 'integer') return Number.isInteger(value)
  if (fact.name === 'fraction') return !Number.isInteger(value)
  if (fact.name === 'minimum') return value >= fact.value
  if (fact.name === 'maximum') return value <= fact.value
  if (fact.name === 'above') return value > fact.value
  if (fact.name === 'below') return value < fact.value
  return Number.isInteger(value / fact.value)
}

const characters = (text: string): number => Array.from(text).length

function stringHolds(fact: Fact<'string'>, value: string, { matches }: FactTests, format: FactTests['matches']) {
  if (fact.name === 'pattern') return matches(fact.value, value)
  if (fact.name === 'notPattern') return !matches(fact.value, value)
  if (fact.name === 'format') return format(fact.value, value)
  if (fact.name === 'not') return value !== fact.value
  return fact.name === 'minLength' ? characters(value) >= fact.value : characters(value) <= fact.value
}

function arrayHolds(fact: Fact<'array'>, value: readonly unknown[], { isValid }: FactTests): boolean {
  if (fact.name === 'minItems') return value.length >= fact.value
  if (fact.name === 'maxItems') return value.length <= fact.value
  if (fact.name === 'contains') return value.some((each) => isValid(each, [fact.value]))
  if (fact.name === 'uniqueItems') return new Set(value.map(canonical)).size === value.length
  const { prefix, rest } = fact.value
  return value.every((each, i) => {
    const own = prefix[i] ?? rest
    return own === undefined || isValid(each, [own])
  })
}

function objectHolds(fact: Fact<'object'>, value: Record<string, unknown>, { isValid, matches }: FactTests): boolean {
  const names = Object.keys(value)
  if (fact.name === 'required') return Object.hasOwn(value, fact.value)
  if (fact.name === 'minProperties') return names.length >= fact.value
  if (fact.name === 'maxProperties') return names.length <= fact.value
  if (fact.name === 'propertyNames') return names.every((name) => isValid(name, [fact.value]))
  return names.every((name) => isValid(value[name], memberSchemas(fact.value, name, matches)))
}

/** Creates the tests of listed values against facts. */
export function factTests(budget: Budget, termsOf: (conjuncts: readonly Conjunct[]) => Terms): FactTests {
  const known = new Map<string, (text: string) => boolean>()
  const test = (name: string, make: () => (text: string) => boolean): ((text: string) => boolean) => {
    const own = known.get(name) ?? make()
    known.set(name, own)
    return own
  }
  const format = (name: string, text: string): boolean =>
    test(`format ${name}`, () => textTest(wholePattern(FORMATS[name]!), budget))(text)
  const holdsFact = (fact: Facts[keyof Facts], value: unknown): boolean => {
    budget.spend(50)
    if (typeof value === 'number') return numberHolds(fact as Fact<'number'>, value)
    if (typeof value === 'string') return stringHolds(fact as Fact<'string'>, value, tests, format)
    if (Array.isArray(value)) return arrayHolds(fact as Fact<'array'>, value, tests)
    return isRecord(value) && objectHolds(fact as Fact<'object'>, value, tests)
  }
  const tests: FactTests = {
    isValid: (value, conjuncts) => tests.holds(termsOf(conjuncts), value),
    matches: (source, text) => test(`pattern ${source}`, () => textTest(containing(source, budget), budget))(text),
    holds(terms, value) {
      const kind = kindOf(value)
      let name: string | undefined
      return terms.some((term) => {
        if (term.kind === 'values') {
          budget.spend(50 * term.values.length)
          name ??= canonical(value)
          return term.values.some((each) => kindOf(each) === kind && canonical(each) === name)
        }
        return term.kind === kind && term.facts.every((fact) => holdsFact(fact, value))
      })
    },
  }
  return tests
}
