import { shortened } from '@attune/core'
import { type Conjunct, inverse } from './conjunct.js'
import { disjointness } from './disjoint-schemas.js'
import { isImpossible } from './impossible.js'
import type { NormalForm } from './normal-form-types.js'
import { badSchema } from './schema.js'
import { type Terms, everything } from './terms.js'

/** Pairs of branches that a value may satisfy together, by branch. */
function overlapsOf(branches: readonly Conjunct[], form: NormalForm): readonly (readonly number[])[] {
  const { listApart, areDisjoint } = disjointness(form)
  const overlaps = branches.map((): number[] => [])
  if (listApart(branches)) return overlaps
  branches.forEach((first, i) => {
    for (let j = i + 1; j < branches.length; j++) {
      const second = branches[j]!
      if (areDisjoint(first, second)) continue
      const omitted = form.omissions.count()
      const both = form.meet(form.termsOf([first]), form.termsOf([second]))
      if (isImpossible(both, form) && form.omissions.count() === omitted) continue
      overlaps[i]!.push(j)
      overlaps[j]!.push(i)
    }
  })
  return overlaps
}

const overlapping = (branch: Conjunct, other: Conjunct, why: string): Error =>
  badSchema(
    `the schemas of oneOf must be disjoint, and a value may be valid under both ${shortened(branch.at)} and ${shortened(other.at)} (${why})`,
    branch.at,
    'Use `anyOf`, or require a property with a different `const` in each.',
  )

/** Normal form of the values of `terms`, from a branch, that are invalid under another one. @throws AttuneError `BAD_SCHEMA` */
function without(terms: Terms, branch: Conjunct, other: Conjunct, form: NormalForm): Terms {
  const omitted = form.omissions.count()
  try {
    const rest = form.meet(terms, form.termsOf([inverse(other)]))
    // Values of a type must not vanish only because some inverses cannot be expressed.
    const isLost = terms.some(({ kind }) => rest.every((term) => term.kind !== kind))
    if (!isLost || form.omissions.count() === omitted) return rest
  } catch (error) {
    const { code, problem } = error as { readonly code?: unknown; readonly problem?: unknown }
    if (code !== 'BAD_SCHEMA') throw error
    throw overlapping(branch, other, String(problem))
  }
  throw overlapping(branch, other, 'the inverse of a keyword is not supported')
}

/** Normal form of the values that are valid under exactly one branch. */
export function oneOfTerms(branches: readonly Conjunct[], form: NormalForm): Terms {
  const overlaps = overlapsOf(branches, form)
  return form.union(
    branches.map((branch, i) =>
      overlaps[i]!.reduce<Terms>((terms, j) => without(terms, branch, branches[j]!, form), form.termsOf([branch])),
    ),
  )
}

/** Normal form of the values that are valid under no branch, or under two of them. */
export function notOneOfTerms(branches: readonly Conjunct[], form: NormalForm): Terms {
  const none = branches.reduce<Terms>(
    (terms, branch) => form.meet(terms, form.termsOf([inverse(branch)])),
    everything(),
  )
  const pairs = overlapsOf(branches, form).flatMap((others, i) =>
    others.filter((j) => j > i).map((j) => form.meet(form.termsOf([branches[i]!]), form.termsOf([branches[j]!]))),
  )
  return form.union([none, ...pairs])
}
