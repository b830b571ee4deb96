import type { Runtime } from '../runtime.js'

/** How a variable gets its value when its scope is entered. */
export type Load =
  | { readonly from: 'parameter' }
  | { readonly from: 'nothing' }
  /** From the variables of the template. */
  | { readonly from: 'context'; readonly name: string }
  /** From a variable of an outer scope. */
  | { readonly from: 'outer'; readonly id: string }

/** Variables of a scope: Jinja2's `Symbols`. */
export interface Symbols {
  readonly level: number
  readonly parent: Symbols | undefined
  /** What a branch of an `if` adds to. */
  readonly base: Symbols | undefined
  /** Ids of variables by name. */
  readonly refs: Map<string, string>
  /** Loads by id. */
  readonly loads: Map<string, Load>
  /** Names that are assigned to. */
  readonly stores: Set<string>
}

/** Makes the symbols of a scope in another. */
export const symbolsIn = (parent: Symbols | undefined): Symbols => ({
  level: parent === undefined ? 0 : parent.level + 1,
  parent,
  base: undefined,
  refs: new Map(),
  loads: new Map(),
  stores: new Set(),
})

/** Makes the symbols of a branch, which are those of the scope and what the branch adds. */
export const branchOf = (base: Symbols): Symbols => ({
  level: base.level,
  parent: base.parent,
  base,
  refs: new Map(),
  loads: new Map(),
  stores: new Set(),
})

/** The id of a name in the scope itself. */
function ownRef(symbols: Symbols, name: string): string | undefined {
  for (let at: Symbols | undefined = symbols; at !== undefined; at = at.base) {
    const id = at.refs.get(name)
    if (id !== undefined) return id
  }
  return undefined
}

function hasStore(symbols: Symbols, name: string): boolean {
  for (let at: Symbols | undefined = symbols; at !== undefined; at = at.base) if (at.stores.has(name)) return true
  return false
}

/** The id of a name in the scope or one around it. */
export function findRef(symbols: Symbols, name: string): string | undefined {
  for (let at: Symbols | undefined = symbols; at !== undefined; at = at.parent) {
    const id = ownRef(at, name)
    if (id !== undefined) return id
  }
  return undefined
}

function define(symbols: Symbols, name: string, load: Load): string {
  const id = `${symbols.level}:${name}`
  symbols.refs.set(name, id)
  symbols.loads.set(id, load)
  return id
}

const outerRef = ({ parent }: Symbols, name: string): string | undefined =>
  parent === undefined ? undefined : findRef(parent, name)

/** Notes that a name is assigned to. */
export function store(symbols: Symbols, name: string): void {
  symbols.stores.add(name)
  if (ownRef(symbols, name) !== undefined) return
  const id = outerRef(symbols, name)
  define(symbols, name, id === undefined ? { from: 'nothing' } : { from: 'outer', id })
}

/** Notes that a name is a parameter; returns its id. */
export function declare(symbols: Symbols, name: string): string {
  symbols.stores.add(name)
  return define(symbols, name, { from: 'parameter' })
}

/** Notes that a name is read. */
export function load(symbols: Symbols, name: string): void {
  if (findRef(symbols, name) === undefined) define(symbols, name, { from: 'context', name })
}

/** Adds what the branches of an `if` do to the symbols around it: what one assigns, others leave as it was. */
export function mergeBranches(rt: Runtime, symbols: Symbols, branches: readonly Symbols[]): void {
  for (const { refs, loads, stores } of branches) rt.spend(30 * (refs.size + loads.size + stores.size))
  const stored = new Set<string>()
  for (const branch of branches) for (const name of branch.stores) if (!hasStore(symbols, name)) stored.add(name)
  for (const branch of branches) {
    for (const [name, id] of branch.refs) symbols.refs.set(name, id)
    for (const [id, from] of branch.loads) symbols.loads.set(id, from)
    for (const name of branch.stores) symbols.stores.add(name)
  }
  for (const name of stored) {
    const id = outerRef(symbols, name)
    symbols.loads.set(findRef(symbols, name)!, id === undefined ? { from: 'context', name } : { from: 'outer', id })
  }
}

/** Names that are assigned to in the scope and those around it, with their ids. */
export function storesOf(rt: Runtime, symbols: Symbols): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (let at: Symbols | undefined = symbols; at !== undefined; at = at.parent)
    for (const name of at.stores) {
      rt.spend(100)
      rt.hold(150)
      if (!found.has(name)) found.set(name, findRef(symbols, name)!)
    }
  return found
}
