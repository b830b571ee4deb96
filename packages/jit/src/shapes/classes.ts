/**
 * A partition of the positions of a graph (its dimensions, or its constants) into classes: positions of one class have
 * had equal values in every graph so far.
 */
export interface Classes {
  /** Class of each position. */
  readonly of: readonly number[]
  /** For each class, its first position. */
  readonly first: readonly number[]
  /** For each class, its value in the first graph, by which it is compared. */
  readonly key: readonly string[]
  /** For each class, true if its value differs between graphs. */
  readonly varies: readonly boolean[]
}

/** Groups positions by a key and describes the groups. */
function group(names: readonly string[], describe: (position: number) => { key: string; varies: boolean }): Classes {
  const known = new Map<string, number>()
  const first: number[] = []
  const of = names.map((name, position) => {
    const found = known.get(name) ?? known.size
    if (found === known.size) {
      known.set(name, found)
      first.push(position)
    }
    return found
  })
  const described = first.map(describe)
  return { of, first, key: described.map(({ key }) => key), varies: described.map(({ varies }) => varies) }
}

/** Classes of the first graph, from the value of each position. */
export const classesOf = (keys: readonly string[]): Classes =>
  group(keys, (position) => ({ key: keys[position]!, varies: false }))

/** Splits the classes that do not hold in another graph. Returns the same object if all hold. */
export function refine(classes: Classes, keys: readonly string[]): Classes {
  const { of, first, key, varies } = classes
  const holds = keys.every((each, i) => each === (varies[of[i]!] ? keys[first[of[i]!]!] : key[of[i]!]))
  if (holds) return classes
  return group(
    keys.map((each, i) => `${of[i]} ${each}`),
    (position) => {
      const kind = of[position]!
      return { key: key[kind]!, varies: varies[kind]! || keys[position] !== key[kind] }
    },
  )
}
