import type { Graph } from '../graph.js'
import type { Session } from '../session.js'
import { Family, type Member, type OpenGraph } from './family.js'

/** A graph's position: its current family, and itself as a member. */
interface Slot {
  family: Family
  member: Member
}

/** Sessions that graphs of one function share. */
export class SharedSessions {
  readonly #slots = new Set<Slot>()
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
    const slot = this.#joined(graph) ?? this.#begun(graph)
    slot.family.ready()
    this.#slots.add(slot)
    return {
      run: (feeds, fetches) => slot.family.run(slot.member, feeds, fetches),
      endProfiling: () => slot.family.endProfiling(),
      dispose: () => {
        const { family, member } = slot
        this.#slots.delete(slot)
        family.members.delete(member)
        if (family.members.size === 0) family.close()
      },
    }
  }

  #families(): ReadonlySet<Family> {
    return new Set([...this.#slots].map(({ family }) => family))
  }

  #joined(graph: Graph): Slot | undefined {
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
  #begun(graph: Graph): Slot {
    const family = new Family(graph, this.#open)
    const slot = { family, member: family.begin() }
    for (const other of this.#shares ? this.#slots : []) {
      const member = other.family.isSingle ? family.join(other.family.graph) : undefined
      if (member === undefined) continue
      other.family.close()
      Object.assign(other, { family, member })
    }
    return slot
  }
}
