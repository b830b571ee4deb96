/** A part of a schema of which a constraint does not generate all valid values. Generated values are always valid. */
export interface Narrowing {
  /** The keyword that is narrowed. */
  readonly keyword: string
  /** The values that are generated, or that are not. */
  readonly how: string
  /** JSON pointer of the first schema with it. */
  readonly at: string
  /** Number of schemas with it. */
  readonly count: number
}

/** List of narrowings that is being made. */
export interface Narrowings {
  /** Adds a narrowing; the same one at the same pointer counts once. */
  note(keyword: string, at: string, how: string): void
  list(): readonly Narrowing[]
}

/** Creates an empty list. */
export function narrowings(): Narrowings {
  const found = new Map<string, { readonly keyword: string; readonly how: string; readonly at: Set<string> }>()
  return {
    note(keyword, at, how) {
      const name = `${keyword} ${how}`
      const own = found.get(name) ?? { keyword, how, at: new Set() }
      found.set(name, own)
      own.at.add(at)
    },
    list: () =>
      Array.from(found.values(), ({ keyword, how, at }) => ({
        keyword,
        how,
        at: at.values().next().value!,
        count: at.size,
      })),
  }
}
