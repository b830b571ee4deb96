import type { Example } from '@attune/core'

/** The member that answers for each group of examples, by index, and the one for other groups. */
export interface Selection {
  /** Field of an example that holds its group. */
  readonly field: string
  readonly members: Readonly<Record<string, number>>
  readonly otherwise: number
}

/** Group of an example; the empty string for one without the field. */
export const groupOf = (example: Example, field: string): string =>
  Object.hasOwn(example, field) ? String(example[field]) : ''

/** Index of the member with the highest accuracy; of equally accurate ones, the one with the lower log-loss. */
function bestOf(rows: readonly number[], labels: readonly number[], members: readonly (readonly number[][])[]): number {
  const scores = members.map((member) => {
    const right = rows.filter((i) => member[i]!.indexOf(Math.max(...member[i]!)) === labels[i]).length
    const logs = rows.reduce((sum, i) => sum + Math.log(Math.max(Number.MIN_VALUE, member[i]![labels[i]!] ?? 0)), 0)
    return [right, logs] as const
  })
  return scores.reduce((best, [right, logs], m) => {
    const [most, highest] = scores[best]!
    return right > most || (right === most && logs > highest) ? m : best
  }, 0)
}

/**
 * Selects the best member of each group of held-out rows, and the best of all rows for groups that they do not contain.
 * @param labels class id of each row
 * @param members probabilities of each member, by row
 */
export function selectByGroup(
  field: string,
  rows: readonly Example[],
  labels: readonly number[],
  members: readonly (readonly number[][])[],
): Selection {
  const groups = new Map<string, number[]>()
  for (const [i, row] of rows.entries()) {
    const group = groupOf(row, field)
    groups.set(group, [...(groups.get(group) ?? []), i])
  }
  const chosen = [...groups].map(([group, own]) => [group, bestOf(own, labels, members)] as const)
  return { field, members: Object.fromEntries(chosen), otherwise: bestOf([...rows.keys()], labels, members) }
}

/** Probabilities of the member that is selected for the group of an example. */
export const selected = (
  members: readonly (readonly number[])[],
  { field, members: chosen, otherwise }: Selection,
  example: Example,
): number[] => {
  const group = groupOf(example, field)
  return [...members[Object.hasOwn(chosen, group) ? chosen[group]! : otherwise]!]
}

/** Probabilities of the most confident member: the one whose most probable class has the highest probability; of equal ones the first. */
export function mostConfident(members: readonly (readonly number[])[]): number[] {
  const tops = members.map((member) => Math.max(...member))
  return [...members[tops.indexOf(Math.max(...tops))]!]
}
