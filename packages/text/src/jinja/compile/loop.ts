import { fail } from '../failure.js'
import { bound } from '../methods/method.js'
import { type Runtime, captureOutput } from '../runtime.js'
import { undefinedBecause } from '../values/attribute.js'
import { equals } from '../values/equality.js'
import { sizeOf } from '../values/sequence.js'
import { type Arguments, END, type Pull, type HostObject, type Value, tuple } from '../values/value.js'

/** The variable `loop`, and the items of the loop. */
export interface Loop {
  readonly value: HostObject
  readonly next: Pull
}

type Recurse = (rt: Runtime, iterable: Value, depth: number) => void

/** State of a loop with one item of lookahead. */
interface State {
  index: number
  before: Value | undefined
  current: Value | undefined
  /** The next item, if it has been peeked at. */
  after: Value | typeof END | undefined
  pull: Pull
  length: number | undefined
  lastChanged: Value | undefined
}

function peek(state: State): Value | typeof END {
  if (state.after === undefined) state.after = state.pull()
  return state.after
}

/** Total number of items; reads and buffers the remaining ones if necessary. */
function lengthOf(rt: Runtime, state: State, sized: Value | undefined): number {
  state.length ??= sized === undefined ? undefined : sizeOf(rt, sized)
  if (state.length !== undefined) return state.length
  const rest: Value[] = []
  const { pull } = state
  for (let item = pull(); item !== END; item = pull()) {
    rt.spend(8)
    rt.hold(16)
    rest.push(item)
  }
  const isPeeked = state.after !== undefined && state.after !== END
  let at = 0
  state.pull = () => (at < rest.length ? rest[at++]! : END)
  state.length = rest.length + state.index + 1 + (isPeeked ? 1 : 0)
  return state.length
}

const cycle =
  (state: State) =>
  (rt: Runtime, _: null, { positional }: Arguments): Value => {
    rt.spend(2)
    if (positional.length === 0) return fail('TypeError', 'no items for cycling given')
    return positional[state.index % positional.length]!
  }

const changed =
  (state: State) =>
  (rt: Runtime, _: null, { positional }: Arguments): Value => {
    const value = tuple(positional)
    if (state.lastChanged !== undefined && equals(rt, state.lastChanged, value)) return false
    state.lastChanged = value
    return true
  }

const missing = (which: string): Value => undefinedBecause(`there is no ${which} item`)

/** Attributes of `loop`. */
function attributeOf(
  rt: Runtime,
  state: State,
  sized: Value | undefined,
  depth: number,
  name: string,
): Value | undefined {
  switch (name) {
    case 'index':
      return state.index + 1
    case 'index0':
      return state.index
    case 'first':
      return state.index === 0
    case 'last':
      return peek(state) === END
    case 'length':
      return lengthOf(rt, state, sized)
    case 'revindex':
      return lengthOf(rt, state, sized) - state.index
    case 'revindex0':
      return lengthOf(rt, state, sized) - state.index - 1
    case 'depth':
      return depth + 1
    case 'depth0':
      return depth
    case 'previtem':
      return state.index === 0 ? missing('previous') : state.before!
    case 'nextitem': {
      const item = peek(state)
      return item === END ? missing('next') : item
    }
    case 'cycle':
      return bound(null, 'LoopContext', name, cycle(state))
    case 'changed':
      return bound(null, 'LoopContext', name, changed(state))
    default:
      return undefined
  }
}

/** Advances to the next item. */
function advance(state: State): Value | typeof END {
  const item = state.after === undefined ? state.pull() : state.after
  if (item === END) return END
  state.after = undefined
  state.index++
  state.before = state.current
  state.current = item
  return item
}

/** Creates the variable `loop`; `sized` is a value with the same number of items, if there is one. */
export function loopOf(
  rt: Runtime,
  pull: Pull,
  sized: Value | undefined,
  depth: number,
  recurse: Recurse | undefined,
): Loop {
  const state: State = {
    index: -1,
    before: undefined,
    current: undefined,
    after: undefined,
    pull,
    length: undefined,
    lastChanged: undefined,
  }
  const write = (run: Runtime, { positional }: Arguments): void => {
    if (recurse === undefined)
      return fail('TypeError', "The loop must have the 'recursive' marker to be called recursively.")
    if (positional.length !== 1) fail('TypeError', 'loop() takes one value to iterate over')
    recurse(run, positional[0]!, depth + 1)
  }
  const value: HostObject = {
    kind: 'host',
    type: 'LoopContext',
    repr: (run) => `<LoopContext ${state.index + 1}/${lengthOf(run, state, sized)}>`,
    attribute: (run, name) => attributeOf(run, state, sized, depth, name),
    length: (run) => lengthOf(run, state, sized),
    write,
    call: (run, args) => captureOutput(run, () => write(run, args)),
  }
  rt.spend(60)
  rt.hold(700)
  return { value, next: () => advance(state) }
}
