import { excerpt } from '@attune/core'
import { type Conjunct, conjunctOf, inverse } from './conjunct.js'
import { absent, namesOf, recordOf } from './container-keywords.js'
import { isImpossible } from './impossible.js'
import { notOneOfTerms, oneOfTerms } from './one-of.js'
import type { Keyword } from './normal-form-types.js'
import type { NormalForm } from './normal-form-types.js'
import { badSchema } from './schema.js'
import { type Fact, type Terms, everything, exceptKind, typed } from './terms.js'

function branchesOf({ schema, at }: Conjunct, keyword: string): Conjunct[] {
  const branches = schema[keyword]
  if (!Array.isArray(branches)) throw badSchema(`${keyword} must be an array of schemas`, at, 'List the schemas.')
  return branches.map((branch, i) => conjunctOf(branch, `${at}/${keyword}/${i}`))
}

const alone = ({ termsOf }: NormalForm, conjunct: Conjunct): Terms => termsOf([conjunct])

/** Numbers of alternatives above which those that contradict themselves are dropped. */
const MANY = 16

const all = (conjuncts: readonly Conjunct[], form: NormalForm): Terms =>
  conjuncts.reduce<Terms>((terms, each) => {
    const met = form.meet(terms, alone(form, each))
    return met.length > MANY ? met.filter((term) => !isImpossible([term], form)) : met
  }, everything())

const any = (conjuncts: readonly Conjunct[], form: NormalForm): Terms =>
  form.union(conjuncts.map((each) => alone(form, each)))

const reference = (keyword: string): Keyword => {
  const target = ({ schema, at, negated }: Conjunct, form: NormalForm, flip: boolean): Terms => {
    const found = form.resolve(schema[keyword], { schema, at })
    return alone(form, conjunctOf(found.schema, found.at, flip ? negated : false))
  }
  return {
    names: [keyword],
    yes: (conjunct, form) => target(conjunct, form, false),
    no: (conjunct, form) => target(conjunct, form, true),
  }
}

const not: Keyword = {
  names: ['not'],
  yes: ({ schema, at }, form) => alone(form, conjunctOf(schema['not'], `${at}/not`, true)),
  no: ({ schema, at }, form) => alone(form, conjunctOf(schema['not'], `${at}/not`)),
}

/** `if`, `then` and `else`: both valid, or the condition invalid and the alternative valid. */
const condition: Keyword = {
  names: ['if'],
  yes({ schema, at }, form) {
    const branch = (keyword: string): Terms =>
      schema[keyword] === undefined ? everything() : alone(form, conjunctOf(schema[keyword], `${at}/${keyword}`))
    if (schema['then'] === undefined && schema['else'] === undefined) return everything()
    const own = conjunctOf(schema['if'], `${at}/if`)
    return form.union([
      form.meet(alone(form, own), branch('then')),
      form.meet(alone(form, inverse(own)), branch('else')),
    ])
  },
  no({ schema, at }, form) {
    const own = conjunctOf(schema['if'], `${at}/if`)
    const branch = (keyword: string): Terms =>
      schema[keyword] === undefined ? [] : alone(form, conjunctOf(schema[keyword], `${at}/${keyword}`, true))
    return form.union([
      form.meet(alone(form, own), branch('then')),
      form.meet(alone(form, inverse(own)), branch('else')),
    ])
  },
}

/** Objects whose member implies more, and all other values. */
function dependent(keyword: string, names: (value: unknown, at: string) => readonly string[] | Conjunct): Keyword {
  const entry = ({ at }: Conjunct, name: string, value: unknown, form: NormalForm): Terms => {
    const needs = names(value, `${at}/${keyword}/${name}`)
    const present: Fact<'object'> = { name: 'required', value: name, at }
    const further =
      'schema' in needs ? [] : needs.map((each): Fact<'object'> => ({ name: 'required', value: each, at }))
    const implied: Terms = [typed('object', [present, ...further])]
    return form.union([
      exceptKind('object'),
      [typed('object', [absent(name, at)])],
      'schema' in needs ? form.meet(implied, alone(form, needs)) : implied,
    ])
  }
  return {
    names: [keyword],
    yes: (conjunct, form) =>
      Object.entries(recordOf(conjunct, keyword)).reduce<Terms>(
        (terms, [name, value]) => form.meet(terms, entry(conjunct, name, value, form)),
        everything(),
      ),
    no: () => undefined,
  }
}

/** Keywords that a newer draft defines in a way that cannot be enforced. */
const refused = (keyword: string): Keyword => {
  const refuse = ({ at, schema }: Conjunct): never => {
    throw badSchema(
      `the keyword ${keyword} is not supported, got ${excerpt(schema[keyword])}`,
      at,
      'Remove it and validate the value afterwards.',
    )
  }
  return { names: [keyword], yes: refuse, no: refuse }
}

/** Keywords that combine schemas. */
export const COMBINING: readonly Keyword[] = [
  reference('$ref'),
  refused('$dynamicRef'),
  refused('$recursiveRef'),
  {
    names: ['allOf'],
    yes: (conjunct, form) => all(branchesOf(conjunct, 'allOf'), form),
    no: (conjunct, form) => any(branchesOf(conjunct, 'allOf').map(inverse), form),
  },
  {
    names: ['anyOf'],
    yes: (conjunct, form) => any(branchesOf(conjunct, 'anyOf'), form),
    no: (conjunct, form) => all(branchesOf(conjunct, 'anyOf').map(inverse), form),
  },
  {
    names: ['oneOf'],
    yes: (conjunct, form) => oneOfTerms(branchesOf(conjunct, 'oneOf'), form),
    no: (conjunct, form) => notOneOfTerms(branchesOf(conjunct, 'oneOf'), form),
  },
  not,
  condition,
  dependent('dependentRequired', (value, at) => namesOf(value, 'dependentRequired', at)),
  dependent('dependentSchemas', (value, at) => conjunctOf(value, at)),
  dependent('dependencies', (value, at) =>
    Array.isArray(value) ? namesOf(value, 'dependencies', at) : conjunctOf(value, at),
  ),
]
