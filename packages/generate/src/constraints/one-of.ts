import { shortened } from '@attune/core'
import { type Conjunct, inverse } from './conjunct.js'
import { disjointness } from './disjoint-schemas.js'
import { isImpossible } from './impossible.js'
import type { NormalForm } from './normal-form.js'
import { badSchema } from './schema.js'
import type { Terms } from './terms.js'

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

/** Normal form of the values that are invalid under a branch. @throws AttuneError `BAD_SCHEMA` */
function without(branch: Conjunct, other: Conjunct, form: NormalForm): Terms {
  try {
    return form.termsOf([inverse(other)])
  } catch (error) {
    const { code, problem } = error as { readonly code?: unknown; readonly problem?: unknown }
    if (code !== 'BAD_SCHEMA') throw error
    const [first, second] = [shortened(branch.at), shortened(other.at)]
    throw badSchema(
      `the schemas of oneOf must be disjoint, and a value may be valid under both ${first} and ${second} (${String(problem)})`,
      branch.at,
      'Use `anyOf`, or require a property with a different `const` in each.',
    )
  }
}

/** Normal form of the values that are valid under exactly one branch. */
export function oneOfTerms(branches: readonly Conjunct[], form: NormalForm): Terms {
  const overlaps = overlapsOf(branches, form)
  return form.union(
    branches.map((branch, i) =>
      overlaps[i]!.reduce<Terms>(
        (terms, j) => form.meet(terms, without(branch, branches[j]!, form)),
        form.termsOf([branch]),
      ),
    ),
  )
}
