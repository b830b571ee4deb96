import type { Graph } from '../graph.js'
import type { Session } from '../session.js'
import { Family, type Member, type OpenGraph } from './family.js'

/** A member and its current family. */
interface Place {
  family: Family
  member: Member
}

/** Sessions that graphs of one function share. */
export class SharedSessions {
  readonly #places = new Set<Place>()
  readonly #open: OpenGraph
  readonly #shares: boolean
  #compiled = 0

  /** `shares` is false to open a session for each graph. */
  constructor(open: OpenGraph, shares: boolean) {
    this.#open = (...graph) => (this.#compiled++, open(...graph))
    this.#shares = shares
  }

  /** Number of sessions opened so far. */
  get compiled(): number {
    return this.#compiled
  }

  /** Number of open sessions. */
  get open(): number {
    return this.#families().size
  }

  /** Returns a session for a graph, shared with earlier graphs that differ only in constants and shapes. */
  sessionFor(graph: Graph): Session {
    const place = this.#joined(graph) ?? this.#begun(graph)
    place.family.ready()
    this.#places.add(place)
    return {
      run: (feeds, fetches) => place.family.run(place.member, feeds, fetches),
      endProfiling: () => place.family.endProfiling(),
      dispose: () => {
        const { family, member } = place
        this.#places.delete(place)
        family.members.delete(member)
        if (family.members.size === 0) family.close()
      },
    }
  }

  #families(): ReadonlySet<Family> {
    return new Set([...this.#places].map(({ family }) => family))
  }

  #joined(graph: Graph): Place | undefined {
    for (const family of this.#shares ? this.#families() : []) {
      const member = family.join(graph)
      if (member !== undefined) return { family, member }
    }
    return undefined
  }

  /**
   * Begins a family. A graph that computes several values as one, because dimensions happen to be equal, moves from its
   * own family to the more general one.
   */
  #begun(graph: Graph): Place {
    const family = new Family(graph, this.#open)
    const place = { family, member: family.begin() }
    for (const other of this.#shares ? this.#places : []) {
      const member = other.family.isSingle ? family.join(other.family.graph) : undefined
      if (member === undefined) continue
      other.family.close()
      Object.assign(other, { family, member })
    }
    return place
  }
}
