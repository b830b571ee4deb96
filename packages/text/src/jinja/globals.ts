import { asInt, asText } from './arguments.js'
import { fail } from './failure.js'
import { dictFromKeys } from './methods/from-keys.js'
import { bound, method } from './methods/method.js'
import { type Runtime, charge, chargeText } from './runtime.js'
import { format } from './strftime.js'
import { dictOf, pairsOf } from './values/dict.js'
import { collect } from './values/iterate.js'
import { textOf } from './values/text-of.js'
import {
  type Arguments,
  type Dict,
  type Range,
  type HostObject,
  type Value,
  isUndefined,
  kindOf,
  tuple,
} from './values/value.js'

/** Maximum length of a range, as in the sandbox of Jinja2. */
const MAXIMUM_RANGE = 100_000

/** A function as a value. */
const func = (name: string, call: (rt: Runtime, args: Arguments) => Value): HostObject => ({
  kind: 'host',
  type: 'function',
  repr: () => `<function ${name}>`,
  call,
})

const safe = (value: number): number =>
  Number.isSafeInteger(value) ? value : fail('OverflowError', 'ranges beyond 2^53 are not supported')

function makeRange(rt: Runtime, { positional, named }: Arguments): Range {
  if (named !== undefined) fail('TypeError', 'range() takes no keyword arguments')
  if (positional.length < 1 || positional.length > 3)
    fail('TypeError', `range expected 1 to 3 arguments, got ${positional.length}`)
  const [first, second, third] = positional.map((value) => safe(asInt(value)))
  const [start, stop] = second === undefined ? [0, first!] : [first!, second]
  const step = third ?? 1
  if (step === 0) fail('ValueError', 'range() arg 3 must not be zero')
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (length > MAXIMUM_RANGE)
    fail('OverflowError', `range(${start}, ${stop}, ${step}) has ${length} numbers; expected at most ${MAXIMUM_RANGE}`)
  rt.spend(10)
  rt.hold(120)
  return { kind: 'range', start, stop, step, length }
}

function pairsFrom(rt: Runtime, value: Value): Iterable<readonly [Value, Value]> {
  if (kindOf(value) === 'dict') return pairsOf(value as Dict)
  return collect(rt, value).map((item, at) => {
    const pair = collect(rt, item)
    if (pair.length !== 2)
      return fail('ValueError', `dictionary update sequence element #${at} has length ${pair.length}; 2 is required`)
    return [pair[0]!, pair[1]!] as const
  })
}

/** Python's `dict(…)`. */
function makeDict(rt: Runtime, { positional, named }: Arguments): Dict {
  if (positional.length > 1) fail('TypeError', `dict expected at most 1 argument, got ${positional.length}`)
  const [source] = positional
  return dictOf(rt, [...(source === undefined ? [] : pairsFrom(rt, source)), ...(named ?? [])])
}

const dict: HostObject = {
  kind: 'host',
  type: 'TemplateDict',
  repr: () => '<TemplateDict object>',
  call: makeDict,
  attribute: (_, name) =>
    name === 'fromkeys'
      ? bound(
          null,
          'type',
          name,
          method('iterable value? /', (rt, __, [keys, value]) => dictFromKeys(rt, keys!, value ?? null)),
        )
      : undefined,
}

/** Rejects names that a namespace cannot have. */
export function checkName(name: string): void {
  if (name.startsWith('_'))
    fail('SecurityError', `expected a namespace attribute that does not begin with an underscore, got '${name}'`)
}

function makeNamespace(rt: Runtime, args: Arguments): Value {
  const values = new Map<string, Value>()
  for (const [name, value] of pairsOf(makeDict(rt, args))) {
    if (typeof name !== 'string') return fail('NotSupported', 'namespace attributes must be strs')
    checkName(name)
    // V8's hashes of digit strings are easy to make collide.
    rt.spend(/^\d/.test(name) ? 8000 : 10)
    values.set(name, value)
  }
  return { kind: 'namespace', values }
}

function makeCycler(rt: Runtime, { positional, named }: Arguments): HostObject {
  if (named !== undefined) fail('TypeError', 'cycler() takes no keyword arguments')
  if (positional.length === 0) fail('RuntimeError', 'at least one item has to be provided')
  rt.hold(1500)
  rt.spend(150)
  let at = 0
  const next = method<null>('/', () => {
    const item = positional[at]!
    at = (at + 1) % positional.length
    return item
  })
  const reset = method<null>('/', () => {
    at = 0
    return null
  })
  return {
    kind: 'host',
    type: 'Cycler',
    repr: () => '<jinja2.utils.Cycler object>',
    attribute(_, name) {
      if (name === 'next') return bound(null, 'Cycler', name, next)
      if (name === 'reset') return bound(null, 'Cycler', name, reset)
      if (name === 'current') return positional[at]!
      return name === 'pos' ? at : name === 'items' ? tuple(positional) : undefined
    },
  }
}

const joinerCall = method<Value>('sep?', (rt, _, [separator]) => {
  rt.hold(500)
  rt.spend(50)
  const sep = separator === undefined ? ', ' : separator
  let used = false
  return {
    kind: 'host',
    type: 'Joiner',
    repr: () => '<jinja2.utils.Joiner object>',
    attribute: (__, name) => (name === 'sep' ? sep : name === 'used' ? used : undefined),
    call: () => {
      const first = !used
      used = true
      return first ? '' : sep
    },
  }
})

function raise(rt: Runtime, { positional, named }: Arguments): never {
  const message = positional[0] === undefined ? named?.get('message') : positional[0]
  if (message === undefined) return fail('TypeError', 'raise_exception() takes a message')
  return fail('TemplateError', textOf(rt, message))
}

function now(rt: Runtime, { positional, named }: Arguments): string {
  const pattern = positional[0] ?? named?.get('format')
  if (pattern === undefined || isUndefined(pattern)) return fail('TypeError', 'strftime_now() takes a format')
  const text = asText(pattern)
  charge(rt, text)
  chargeText(rt, 200 * text.length)
  rt.spend(200 * text.length)
  return format(rt.now(), text)
}

/** Global variables of chat templates. */
export const GLOBALS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['range', func('range', makeRange)],
  ['dict', dict],
  ['namespace', func('namespace', makeNamespace)],
  ['cycler', func('cycler', makeCycler)],
  ['joiner', func('joiner', (rt, args) => joinerCall(rt, null, args, 'joiner'))],
  ['lipsum', func('lipsum', () => fail('NotSupported', 'lipsum generates random text and is not supported'))],
  ['raise_exception', func('raise_exception', raise)],
  ['strftime_now', func('strftime_now', now)],
])
