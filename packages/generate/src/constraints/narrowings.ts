/** A part of a schema of which a constraint does not generate all valid values. Generated values are always valid. */
export interface Narrowing {
  /** The keyword that is narrowed. */
  readonly keyword: string
  /** What is generated, and what is not. */
  readonly how: string
  /** JSON pointer of the first schema with it. */
  readonly at: string
  /** Number of schemas with it. */
  readonly count: number
}

/** List of narrowings that is being made. */
export interface Narrowings {
  /** Adds a narrowing; the same one at the same place counts once. */
  note(keyword: string, at: string, how: string): void
  list(): readonly Narrowing[]
}

/** Creates an empty list. */
export function narrowings(): Narrowings {
  const places = new Map<string, { readonly keyword: string; readonly how: string; readonly at: Set<string> }>()
  return {
    note(keyword, at, how) {
      const name = `${keyword} ${how}`
      const own = places.get(name) ?? { keyword, how, at: new Set() }
      places.set(name, own)
      own.at.add(at)
    },
    list: () =>
      Array.from(places.values(), ({ keyword, how, at }) => ({
        keyword,
        how,
        at: at.values().next().value!,
        count: at.size,
      })),
  }
}
