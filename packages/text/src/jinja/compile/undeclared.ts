import type { Node } from '../parse/nodes.js'
import type { Runtime } from '../runtime.js'
import { assignedBy, childrenOf } from './children.js'

/** Returns those of the given names that nodes read before assigning them; blocks are ignored. */
export function undeclared(rt: Runtime, nodes: readonly Node[], names: readonly string[]): ReadonlySet<string> {
  const wanted = new Set(names)
  const found = new Set<string>()
  const visit = (node: Node): void => {
    rt.spend(20)
    if (node.type === 'block') return
    if (node.type === 'name' && wanted.has(node.name)) found.add(node.name)
    if (node.type === 'call-block') visit(node.call)
    for (const name of assignedBy(node)) wanted.delete(name)
    for (const child of childrenOf(node)) visit(child)
  }
  for (const node of nodes) visit(node)
  return found
}

/** True if a node in the trees of some nodes satisfies a predicate. */
export function some(rt: Runtime, nodes: readonly Node[], isWanted: (node: Node) => boolean): boolean {
  rt.spend(20 * nodes.length)
  return nodes.some((node) => isWanted(node) || some(rt, childrenOf(node), isWanted))
}
