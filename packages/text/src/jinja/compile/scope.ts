import { fail } from '../failure.js'
import type { Expression, Statement } from '../parse/nodes.js'
import type { Runtime } from '../runtime.js'
import type { Value } from '../values/value.js'
import { type Symbols, findRef, symbolsIn } from './symbols.js'

/** Template variables by name. */
export interface Context {
  readonly parent: ReadonlyMap<string, Value>
  /** Variables that the template assigns at the top level. */
  readonly vars: Map<string, Value>
}

/** The value of a variable; undefined if it does not exist. */
export const resolve = ({ vars, parent }: Context, name: string): Value | undefined => {
  const value = vars.get(name)
  return value === undefined ? parent.get(name) : value
}

/** Variables of one function call; missing ones are undefined. */
export interface Activation {
  readonly rt: Runtime
  readonly context: Context
  readonly slots: (Value | undefined)[]
  /** Activation of the enclosing function. */
  readonly outer: Activation | undefined
}

/** A function of the compiled template: the template itself, a macro, a block, or the body of a recursive loop. */
export interface FunctionScope {
  readonly slots: Map<string, number>
  readonly outer: FunctionScope | undefined
}

/** Creates the scope of a nested function. */
export const functionIn = (outer: FunctionScope | undefined): FunctionScope => ({ slots: new Map(), outer })

/** Compilers of recursive syntax. Compilers of its parts call them through the frame, which avoids cyclic imports. */
export interface Compiler {
  readonly expression: (frame: Frame, node: Expression) => Evaluate
  readonly statement: (frame: Frame, node: Statement) => Runnable
}

/** Context of the compiler: Jinja2's `Frame`. */
export interface Frame {
  readonly rt: Runtime
  readonly compiler: Compiler
  readonly symbols: Symbols
  readonly scope: FunctionScope
  /** True if assignments set template variables. */
  readonly isTopLevel: boolean
  /** True if unknown filters and tests are errors only when they are used. */
  readonly isSoft: boolean
  /** True if `break` and `continue` are allowed. */
  readonly isInLoop: boolean
  /** True if HTML is escaped; undefined if this is only known at run time. */
  readonly autoescape: boolean | undefined
  /** Blocks of the template by name. */
  readonly blocks: Map<string, Runnable>
}

/** Evaluates an expression. */
export type Evaluate = (activation: Activation) => Value
/** Runs statements; {@link BREAK} and {@link CONTINUE} end the iteration of a loop. */
export type Runnable = (activation: Activation) => Signal
/** Completion of statements: normal, or by a jump. */
export type Signal = 0 | 1 | 2
/** The {@link Signal}s. */
export const [DONE, BREAK, CONTINUE] = [0, 1, 2] as const

/** Creates the frame of a nested scope in the same function. */
export const innerFrame = (frame: Frame): Frame => ({
  ...frame,
  symbols: symbolsIn(frame.symbols),
  isTopLevel: false,
  isSoft: false,
})

/** Creates the frame of a nested function. */
export const functionFrame = (frame: Frame): Frame => ({
  ...innerFrame(frame),
  scope: functionIn(frame.scope),
  isInLoop: false,
})

/** Maximum total height of running macros, blocks and recursive loops. */
const MAXIMUM_DEPTH = 1200
/** Height that a call adds to that of its body. */
const CALL = 8

/**
 * Enters a call whose body has this height.
 * @throws Python's RecursionError if calls are nested too deeply
 */
export function descend(rt: Runtime, height: number): void {
  rt.depth += height + CALL
  if (rt.depth > MAXIMUM_DEPTH) fail('RecursionError', 'macros, blocks or loops call themselves too deeply')
}

/** Leaves a call that {@link descend} entered. */
export const ascend = (rt: Runtime, height: number): void => void (rt.depth -= height + CALL)

/** Location of a variable: number of enclosing functions to go up, and slot index. */
export interface Slot {
  readonly hops: number
  readonly index: number
}

/** Slot of an id in the nearest function that has it; adds it to the given function if there is none. */
export function slotOf(scope: FunctionScope, id: string): Slot {
  let hops = 0
  for (let at: FunctionScope | undefined = scope; at !== undefined; at = at.outer, hops++) {
    const index = at.slots.get(id)
    if (index !== undefined) return { hops, index }
  }
  const index = scope.slots.size
  scope.slots.set(id, index)
  return { hops: 0, index }
}

/** Slot of a name that was found by the analysis of the scope. */
export const slotOfName = ({ scope, symbols }: Frame, name: string): Slot => slotOf(scope, findRef(symbols, name)!)

/** The activation a number of functions further out. */
export function enclosingActivation(activation: Activation, hops: number): Activation {
  let at = activation
  for (let left = hops; left > 0; left--) at = at.outer!
  return at
}

/** Value of a slot; undefined if the variable is missing. */
export const readSlot = (activation: Activation, { hops, index }: Slot): Value | undefined =>
  enclosingActivation(activation, hops).slots[index]

/** Assigns a slot of this function to a variable, so that it does not resolve to an enclosing function. */
function ownSlot({ slots }: FunctionScope, id: string): number {
  const index = slots.get(id) ?? slots.size
  slots.set(id, index)
  return index
}

/** Entry and exit of a scope. */
export interface ScopeHooks {
  readonly enter: (activation: Activation) => void
  readonly leave: (activation: Activation) => void
}

/** Compiles the entry and exit of a scope. */
export function scopeHooksOf({ symbols, scope }: Frame): ScopeHooks {
  const loads = [...symbols.loads].map(([id, from]) => ({ index: ownSlot(scope, id), from }))
  const entered = loads.flatMap(({ index, from }): readonly ((activation: Activation) => void)[] => {
    if (from.from === 'parameter') return []
    if (from.from === 'none') return [({ slots }) => void (slots[index] = undefined)]
    if (from.from === 'context') return [({ slots, context }) => void (slots[index] = resolve(context, from.name))]
    const slot = slotOf(scope, from.id)
    return [(activation) => void (activation.slots[index] = readSlot(activation, slot))]
  })
  const cost = 1 + 2 * loads.length
  return {
    enter(activation) {
      activation.rt.spend(cost)
      for (const load of entered) load(activation)
    },
    leave({ rt, slots }) {
      rt.spend(cost)
      for (const { index } of loads) slots[index] = undefined
    },
  }
}
