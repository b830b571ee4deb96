import { type Budget, shortened } from '@attune/core'
import { type Conjunct, conjunctOf } from './conjunct.js'
import { factTests } from './fact-tests.js'
import type { Narrowings } from './narrowings.js'
import type { Impossibility, NormalForm, Omissions } from './normal-form-types.js'
import { KEYWORDS } from './keywords.js'
import { isImpossible } from './impossible.js'
import { tooLarge } from './pattern-error.js'
import { type Documents, referenceResolver } from './references.js'
import { type Schema, badSchema } from './schema.js'
import { selfReference } from './self-reference.js'
import { type Fact, type Term, type Terms, canonical, everything, listed, typed } from './terms.js'
import { closeUnevaluated } from './unevaluated.js'

const MAX_DEPTH = 200
const MAX_TERMS = 4000

function omissionCounter(): Omissions {
  let omitted = 0
  return { count: () => omitted, add: () => void omitted++ }
}

/** Conjunction of two terms; `undefined` if no value satisfies both by their types. */
function meetTerms(a: Term, b: Term, { tests, budget }: Pick<NormalForm, 'tests' | 'budget'>): Terms {
  if (a.kind === 'values') return listed(a.values.filter((value) => tests.holds([b], value)))
  if (b.kind === 'values') return listed(b.values.filter((value) => tests.holds([a], value)))
  if (a.kind !== b.kind) return []
  if (a.facts.length === 0) return [b]
  if (b.facts.length === 0) return [a]
  budget.spend(5 * (a.facts.length + b.facts.length))
  const known = new Set<Fact>(a.facts)
  return [typed(a.kind, [...a.facts, ...b.facts.filter((fact) => !known.has(fact))] as never)]
}

/** Alternatives of a conjunction above which the most complicated ones are left out. */
const MAX_MET = 256

/** Leaves out alternatives that contradict themselves and, of too many, those with the most facts. */
function fewer(terms: Terms, most: number, form: NormalForm): Terms {
  const possible = terms.filter((term) => !isImpossible([term], form))
  if (possible.length <= most) return possible
  const size = (term: Term): number => (term.kind === 'values' ? 0 : term.facts.length)
  const kept = possible.toSorted((a, b) => size(a) - size(b)).slice(0, most)
  const facts = kept.flatMap((term): readonly Pick<Fact, 'at'>[] => (term.kind === 'values' ? [] : term.facts))
  const at = facts[0]?.at ?? '#'
  form.narrowed.note('allOf', at, `of more than ${MAX_MET} combinations of alternatives, the simplest are generated`)
  form.omissions.add()
  return kept
}

function algebra(
  { tests, budget }: Pick<NormalForm, 'tests' | 'budget'>,
  formOf: () => NormalForm,
): Pick<NormalForm, 'meet' | 'union'> {
  const union = (all: readonly Terms[]): Terms => {
    const seen = new Set<string>()
    const values: unknown[] = []
    const others: Term[] = []
    /** Types of which all values are among the terms. */
    const whole = new Set<Term['kind']>()
    for (const term of all.flat())
      if (term.kind === 'values')
        for (const value of term.values) {
          const name = canonical(value)
          budget.spend(50 + name.length)
          if (!seen.has(name)) values.push(value)
          seen.add(name)
        }
      else if (!whole.has(term.kind)) {
        others.push(term)
        if (term.facts.length === 0) whole.add(term.kind)
      }
    if (others.length > MAX_TERMS) throw tooLarge(`a schema has more than ${MAX_TERMS} alternatives`)
    budget.spend(20 * others.length)
    return [...listed(values), ...others]
  }
  return {
    union,
    meet(a, b) {
      if (a.length * b.length > 100 * MAX_TERMS) throw tooLarge('a schema combines too many alternatives')
      budget.spend(100 * a.length * b.length)
      const met = a.flatMap((first) => b.map((second) => meetTerms(first, second, { tests, budget })))
      const most = Math.max(MAX_MET, a.length, b.length)
      const terms = union(met)
      return terms.length > most ? fewer(terms, most, formOf()) : terms
    },
  }
}

/** Normal form of the keywords of one schema. @throws AttuneError `BAD_SCHEMA` */
function keywordTerms(conjunct: Conjunct, form: NormalForm): Terms {
  const own = KEYWORDS.filter(({ names }) => names.some((name) => Object.hasOwn(conjunct.schema, name)))
  if (!conjunct.negated) {
    const all = own.reduce<Terms>((terms, { yes }) => form.meet(terms, yes(conjunct, form)), everything())
    return closeUnevaluated(conjunct, all, form)
  }
  let dropped: string | undefined
  const parts = own.map(({ no, names }) => {
    const terms = no(conjunct, form)
    if (terms === undefined) dropped ??= names.find((name) => Object.hasOwn(conjunct.schema, name))
    return terms ?? []
  })
  for (const name of ['unevaluatedProperties', 'unevaluatedItems'])
    if (Object.hasOwn(conjunct.schema, name)) dropped ??= name
  const terms = form.union(parts)
  if (dropped !== undefined) {
    form.omissions.add()
    form.narrowed.note(
      dropped,
      conjunct.at,
      'values that violate only this keyword are not generated where it is negated',
    )
  }
  if (terms.length > 0 || dropped === undefined) return terms
  throw badSchema(
    `the inverse of the keyword ${shortened(dropped)} is not supported`,
    conjunct.at,
    'Express it without `not`, `if` or overlapping `oneOf`.',
  )
}

/** True if a schema says nothing but where to find another one. */
const isReference = (schema: Schema): boolean =>
  Object.hasOwn(schema, '$ref') &&
  Object.keys(schema).every((name) => name === '$ref' || !KEYWORDS.some(({ names }) => names.includes(name)))

/** Normal forms of single schemas, each computed once. */
function singleForms(
  { numberOf, budget, omissions }: Pick<NormalForm, 'numberOf' | 'budget' | 'omissions'>,
  convert: (conjunct: Conjunct) => Terms,
) {
  const known = new Map<number, Terms>()
  const partial = new Set<number>()
  const open = new Set<number>()
  return (conjunct: Conjunct): Terms => {
    const name = numberOf(conjunct)
    const before = known.get(name)
    if (before !== undefined && partial.has(name)) omissions.add()
    if (before !== undefined) return before
    if (open.has(name)) throw selfReference(conjunct.at)
    if (open.size > MAX_DEPTH)
      throw badSchema(`schemas may be nested at most ${MAX_DEPTH} deep`, conjunct.at, 'Flatten it.')
    budget.spend(500 + 20 * Object.keys(conjunct.schema).length)
    open.add(name)
    const omitted = omissions.count()
    let terms: Terms
    try {
      terms = convert(conjunct)
    } finally {
      open.delete(name)
    }
    if (omissions.count() > omitted) partial.add(name)
    budget.hold(200 + 50 * terms.length)
    known.set(name, terms)
    return terms
  }
}

/** Normal forms of several schemas together, each computed once. */
function jointForms(
  { numberOf, budget, omissions }: Pick<NormalForm, 'numberOf' | 'budget' | 'omissions'>,
  convert: (conjuncts: readonly Conjunct[]) => Terms,
) {
  const known = new Map<string, { readonly terms: Terms; readonly isPartial: boolean }>()
  const isTrue = numberOf(conjunctOf(true, '#'))
  return (conjuncts: readonly Conjunct[]): Terms => {
    const distinct = new Map(conjuncts.map((each) => [numberOf(each), each]))
    distinct.delete(isTrue)
    const name = [...distinct.keys()].sort((a, b) => a - b).join()
    budget.spend(20 + 10 * conjuncts.length)
    const before = known.get(name)
    if (before?.isPartial === true) omissions.add()
    if (before !== undefined) return before.terms
    const omitted = omissions.count()
    const terms = convert([...distinct.values()])
    budget.hold(200 + 50 * terms.length)
    known.set(name, { terms, isPartial: omissions.count() > omitted })
    return terms
  }
}

/** Creates the conversion for the schemas of one document. */
export function normalForm(root: Schema, budget: Budget, narrowed: Narrowings, documents: Documents): NormalForm {
  const numbers = new Map<Schema, number>()
  const numberOf = ({ schema, negated }: Conjunct): number => {
    const number = numbers.get(schema) ?? numbers.size
    numbers.set(schema, number)
    return 2 * number + (negated ? 1 : 0)
  }
  const omissions = omissionCounter()
  const alone = singleForms({ numberOf, budget, omissions }, (conjunct) => keywordTerms(conjunct, form))
  const together = jointForms({ numberOf, budget, omissions }, (conjuncts) =>
    conjuncts.reduce<Terms>((terms, each) => form.meet(terms, alone(each)), everything()),
  )
  const termsOf = (conjuncts: readonly Conjunct[]): Terms =>
    conjuncts.length === 1 ? alone(conjuncts[0]!) : together(conjuncts)
  const tests = factTests(budget, termsOf)
  const resolve = referenceResolver(root, budget, documents)
  const settled = (conjunct: Conjunct): Conjunct => {
    let at = conjunct
    for (let steps = 0; steps < MAX_DEPTH && isReference(at.schema); steps++) {
      const found = resolve(at.schema['$ref'], at)
      at = conjunctOf(found.schema, found.at, conjunct.negated)
    }
    return at
  }
  const impossible = new Map<Term, Impossibility>()
  const form: NormalForm = {
    ...algebra({ tests, budget }, () => form),
    impossible,
    narrowed,
    tests,
    budget,
    omissions,
    termsOf,
    resolve,
    numberOf,
    settled,
  }
  return form
}
