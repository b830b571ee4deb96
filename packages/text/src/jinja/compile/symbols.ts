import type { Runtime } from '../runtime.js'

/** Initialization of a variable when its scope is entered. */
export type Load =
  | { readonly from: 'parameter' }
  | { readonly from: 'none' }
  /** From the template's variables. */
  | { readonly from: 'context'; readonly name: string }
  /** From a variable of an outer scope. */
  | { readonly from: 'outer'; readonly id: string }

/** Symbol table of a scope: Jinja2's `Symbols`. */
export interface Symbols {
  readonly level: number
  readonly parent: Symbols | undefined
  /** The table that a branch of an `if` extends. */
  readonly base: Symbols | undefined
  /** Variable ids by name. */
  readonly refs: Map<string, string>
  /** Initializations by id. */
  readonly loads: Map<string, Load>
  /** Assigned names. */
  readonly stores: Set<string>
}

/** Creates the symbol table of a nested scope. */
export const symbolsIn = (parent: Symbols | undefined): Symbols => ({
  level: parent === undefined ? 0 : parent.level + 1,
  parent,
  base: undefined,
  refs: new Map(),
  loads: new Map(),
  stores: new Set(),
})

/** Creates the symbol table of a branch, which extends that of its scope. */
export const branchOf = (base: Symbols): Symbols => ({
  level: base.level,
  parent: base.parent,
  base,
  refs: new Map(),
  loads: new Map(),
  stores: new Set(),
})

/** Id of a name in the scope itself. */
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

/** Id of a name in the scope or an enclosing one. */
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

/** Records an assignment to a name. */
export function store(symbols: Symbols, name: string): void {
  symbols.stores.add(name)
  if (ownRef(symbols, name) !== undefined) return
  const id = outerRef(symbols, name)
  define(symbols, name, id === undefined ? { from: 'none' } : { from: 'outer', id })
}

/** Records a parameter and returns its id. */
export function declare(symbols: Symbols, name: string): string {
  symbols.stores.add(name)
  return define(symbols, name, { from: 'parameter' })
}

/** Records a read of a name. */
export function load(symbols: Symbols, name: string): void {
  if (findRef(symbols, name) === undefined) define(symbols, name, { from: 'context', name })
}

/**
 * Merges the branches of an `if` into the enclosing table. A name that only some branches assign keeps its outer value in the
 * others.
 */
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

/** Names that are assigned in the scope and enclosing ones, with their ids. */
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
