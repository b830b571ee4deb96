import { fail } from '../failure.js'
import type { Expression, Statement } from '../parse/nodes.js'
import type { Runtime } from '../runtime.js'
import type { Value } from '../values/value.js'
import { type Symbols, findRef, symbolsIn } from './symbols.js'

/** Variables of a template by name. */
export interface Context {
  readonly parent: ReadonlyMap<string, Value>
  /** What the template assigns outside of loops and blocks. */
  readonly vars: Map<string, Value>
}

/** The value of a variable; undefined if there is none. */
export const resolve = ({ vars, parent }: Context, name: string): Value | undefined => {
  const value = vars.get(name)
  return value === undefined ? parent.get(name) : value
}

/** Variables of one run of a function; those that are missing are undefined. */
export interface Activation {
  readonly rt: Runtime
  readonly context: Context
  readonly slots: (Value | undefined)[]
  /** The run of the function around it. */
  readonly outer: Activation | undefined
}

/** A function of the compiled template: the template itself, a macro, a block, the body of a recursive loop. */
export interface FunctionScope {
  readonly slots: Map<string, number>
  readonly outer: FunctionScope | undefined
}

/** Makes the scope of a function in another. */
export const functionIn = (outer: FunctionScope | undefined): FunctionScope => ({ slots: new Map(), outer })

/** Compilers of syntax that nests in itself. The compilers of its parts reach them through the frame, and need not import them. */
export interface Compiler {
  readonly expression: (frame: Frame, node: Expression) => Evaluate
  readonly statement: (frame: Frame, node: Statement) => Runnable
}

/** What the compiler knows where it stands: Jinja2's `Frame`. */
export interface Frame {
  readonly rt: Runtime
  readonly compiler: Compiler
  readonly symbols: Symbols
  readonly scope: FunctionScope
  /** True where assignments change the variables of the template. */
  readonly isTopLevel: boolean
  /** True where filters and tests that are not known are errors only when they are used. */
  readonly isSoft: boolean
  /** True where `break` and `continue` have a loop. */
  readonly isInLoop: boolean
  /** True where HTML is escaped; undefined where only the rendering knows. */
  readonly autoescape: boolean | undefined
  /** Registers a block of the template. */
  readonly blocks: Map<string, Runnable>
}

/** Computes the value of an expression. */
export type Evaluate = (activation: Activation) => Value
/** Runs statements; {@link BREAK} and {@link CONTINUE} end the turn of a loop. */
export type Runnable = (activation: Activation) => Signal
/** How statements end: normally, or by a jump. */
export type Signal = 0 | 1 | 2
/** The {@link Signal}s. */
export const [DONE, BREAK, CONTINUE] = [0, 1, 2] as const

/** The frame of a scope in another, in the same function. */
export const innerFrame = (frame: Frame): Frame => ({
  ...frame,
  symbols: symbolsIn(frame.symbols),
  isTopLevel: false,
  isSoft: false,
})

/** The frame of a function in another. */
export const functionFrame = (frame: Frame): Frame => ({
  ...innerFrame(frame),
  scope: functionIn(frame.scope),
  isInLoop: false,
})

/** Levels of syntax that calls of macros, blocks and recursive loops may enter. */
const MAXIMUM_DEPTH = 1200
/** Levels that a call takes besides those of what it runs. */
const CALL = 8

/**
 * Counts a call of what has so many levels of syntax.
 * @throws RecursionError of Python where calls are nested too deeply
 */
export function descend(rt: Runtime, height: number): void {
  rt.depth += height + CALL
  if (rt.depth > MAXIMUM_DEPTH) fail('RecursionError', 'macros, blocks or loops call themselves too deeply')
}

/** Ends what {@link descend} began. */
export const ascend = (rt: Runtime, height: number): void => void (rt.depth -= height + CALL)

/** Where a variable is: how many functions around, and in which slot. */
export interface Slot {
  readonly hops: number
  readonly index: number
}

/** The slot of an id, in the function that has it, or else in this one. */
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

/** The slot of a name, which the scope has been analyzed to have. */
export const slotOfName = ({ scope, symbols }: Frame, name: string): Slot => slotOf(scope, findRef(symbols, name)!)

/** The activation that is a number of functions around another. */
export function around(activation: Activation, hops: number): Activation {
  let at = activation
  for (let left = hops; left > 0; left--) at = at.outer!
  return at
}

/** The value in a slot; undefined if the variable is missing. */
export const readSlot = (activation: Activation, { hops, index }: Slot): Value | undefined =>
  around(activation, hops).slots[index]

/** Gives the function's own slots to the variables of a scope, so that none of an outer function is taken for one. */
function ownSlot({ slots }: FunctionScope, id: string): number {
  const index = slots.get(id) ?? slots.size
  slots.set(id, index)
  return index
}

/** What happens when a scope is entered and left. */
export interface Passage {
  readonly enter: (activation: Activation) => void
  readonly leave: (activation: Activation) => void
}

/** Compiles the entering and leaving of a scope. */
export function passageOf({ symbols, scope }: Frame): Passage {
  const loads = [...symbols.loads].map(([id, from]) => ({ index: ownSlot(scope, id), from }))
  const entered = loads.flatMap(({ index, from }): readonly ((activation: Activation) => void)[] => {
    if (from.from === 'parameter') return []
    if (from.from === 'nothing') return [({ slots }) => void (slots[index] = undefined)]
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
