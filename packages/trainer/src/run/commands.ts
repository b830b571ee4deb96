import {
  AttuneError,
  type Callback,
  type Command,
  type CommandHandler,
  type CommandHost,
  type UntimedEvent,
  nearest,
} from '@attune/core'

/** Handlers of the callbacks' custom commands, by type. */
export type Handlers = ReadonlyMap<string, CommandHandler>

/** Built-in commands of a run. */
const BUILT_IN = ['stop', 'save', 'evaluate', 'scaleLearningRate', 'restore', 'record'] as const

/** Type prefixes of the events that a run emits itself. */
const OWN_EVENTS = new Set(
  'run epoch step evaluation checkpoint rows texts vectors command training fit'.split(' ').map((word) => `${word}.`),
)

/**
 * Collects the handlers of callbacks.
 * @throws AttuneError `COMMAND_HANDLED_TWICE` for a built-in command, or a command that two callbacks handle
 */
export function handlersOf(callbacks: readonly Callback[]): Handlers {
  const handlers = new Map<string, CommandHandler>()
  for (const { handles = {} } of callbacks)
    for (const [type, handler] of Object.entries(handles)) {
      if (BUILT_IN.includes(type as never) || handlers.has(type))
        throw new AttuneError(
          'COMMAND_HANDLED_TWICE',
          `a callback handles the command "${type}", which ${handlers.has(type) ? 'another callback also handles' : 'is a built-in command'}`,
          'Rename the command, for example with your package name as prefix, or use only one of the callbacks.',
        )
      handlers.set(type, handler as CommandHandler)
    }
  return handlers
}

/** @throws AttuneError `BAD_ARGUMENT` for an event without a type, or with a type of the run's own events */
function requireRecordable(event: UntimedEvent): void {
  const { type } = event as { readonly type?: unknown }
  if (typeof type === 'string' && type !== '' && !OWN_EVENTS.has(type.slice(0, type.indexOf('.') + 1))) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    `record: expected an event with a custom type, got ${JSON.stringify(type) ?? 'none'}${typeof type === 'string' ? ', a type that is reserved for the run' : ''}`,
    'Name the event after your package: { type: "my-package.measured", … }.',
  )
}

/** Emits a plugin's custom event. */
export function record({ emit }: { emit(event: UntimedEvent): void }, event: UntimedEvent): void {
  requireRecordable(event)
  emit(event)
}

/**
 * Executes a command that a callback handles.
 * @throws AttuneError `UNKNOWN_COMMAND` with the known commands
 */
export async function handle(handlers: Handlers, command: Command, host: CommandHost): Promise<void> {
  const handler = handlers.get(command.type)
  if (handler !== undefined) return handler(command, host)
  const known = [...BUILT_IN, ...handlers.keys()]
  const [near] = nearest(command.type, known)
  throw new AttuneError(
    'UNKNOWN_COMMAND',
    `expected a command of the run or its callbacks (${known.join(', ')}), got "${command.type}"`,
    near === undefined
      ? 'Add a callback with a handler for it: Object.assign(callback, { handles: { … } }).'
      : `Write "${near}", or add a callback that handles "${command.type}".`,
  )
}

/** True for a command that still applies after training. */
export const outlivesTraining = ({ type }: Command): boolean =>
  !['stop', 'save', 'evaluate', 'scaleLearningRate'].includes(type)
