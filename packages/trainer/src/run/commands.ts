import {
  AttuneError,
  type Callback,
  type Command,
  type CommandHandler,
  type CommandHost,
  type UntimedEvent,
  nearest,
} from '@attune/core'

/** Handlers of the commands that callbacks add, by type. */
export type Handlers = ReadonlyMap<string, CommandHandler>

/** Commands that a run carries out itself. */
const BUILT_IN = ['stop', 'save', 'evaluate', 'scaleLearningRate', 'restore', 'record'] as const

/** Prefixes of the types of events that a run emits itself. */
const OWN_EVENTS = new Set(
  'run epoch step evaluation checkpoint rows texts vectors command training fit'.split(' ').map((word) => `${word}.`),
)

/**
 * Collects the handlers of callbacks.
 * @throws AttuneError `COMMAND_HANDLED_TWICE` for a built-in command, or one that two callbacks handle
 */
export function handlersOf(callbacks: readonly Callback[]): Handlers {
  const handlers = new Map<string, CommandHandler>()
  for (const { handles = {} } of callbacks)
    for (const [type, handler] of Object.entries(handles)) {
      if (BUILT_IN.includes(type as never) || handlers.has(type))
        throw new AttuneError(
          'COMMAND_HANDLED_TWICE',
          `a callback handles the command "${type}", which ${handlers.has(type) ? 'another callback handles' : 'the run carries out itself'}`,
          'Give the command another name, such as one that begins with the name of your package, or use one of the callbacks only.',
        )
      handlers.set(type, handler as CommandHandler)
    }
  return handlers
}

/** @throws AttuneError `BAD_ARGUMENT` for an event without a type, or with one that the run emits itself */
function requireRecordable(event: UntimedEvent): void {
  const { type } = event as { readonly type?: unknown }
  if (typeof type === 'string' && type !== '' && !OWN_EVENTS.has(type.slice(0, type.indexOf('.') + 1))) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    `record: expected an event with a type of its own, got ${JSON.stringify(type) ?? 'none'}${typeof type === 'string' ? ', which is the name of an event of the run itself' : ''}`,
    'Name the event after your package: { type: "my-package.measured", … }.',
  )
}

/** Emits an event that a plugin adds. */
export function record({ emit }: { emit(event: UntimedEvent): void }, event: UntimedEvent): void {
  requireRecordable(event)
  emit(event)
}

/**
 * Carries out a command that a callback handles.
 * @throws AttuneError `UNKNOWN_COMMAND` with the commands there are
 */
export async function handle(handlers: Handlers, command: Command, host: CommandHost): Promise<void> {
  const handler = handlers.get(command.type)
  if (handler !== undefined) return handler(command, host)
  const known = [...BUILT_IN, ...handlers.keys()]
  const [near] = nearest(command.type, known)
  throw new AttuneError(
    'UNKNOWN_COMMAND',
    `expected a command that the run or a callback of it carries out, got "${command.type}"; there are ${known.join(', ')}`,
    near === undefined
      ? 'Add a callback that has a handler for it: Object.assign(callback, { handles: { … } }).'
      : `Write "${near}", or add a callback that handles "${command.type}".`,
  )
}

/** True for a command that still has a meaning when training is over. */
export const outlivesTraining = ({ type }: Command): boolean =>
  !['stop', 'save', 'evaluate', 'scaleLearningRate'].includes(type)
