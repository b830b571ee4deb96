import { join } from 'node:path'
import { AttuneError, type EventOf, type RunEvent } from '@attune/core'
import type { RunConfig } from '@attune/trainer/node'
import type { Observable } from 'rxjs'
import { readyToResume } from '../disk.js'
import { type Emit, eventEmitter } from '../event-emitter.js'
import type { EnsembleEvent } from '../events.js'
import type { Folder } from '../folder.js'
import { type Progressed, runToEnd } from '../run-to-end.js'
import type { StudyOptions } from '../study.js'

/** Options of the training of an ensemble. */
export interface MembersOptions extends StudyOptions {
  /** Number of members, at least 2. Default: 10 */
  readonly members?: number
}

/** A trained member. */
export type Member = EventOf<'member.completed'>

/** Members that are trained one after another. */
export interface Members {
  readonly folder: Folder
  readonly members: number
  readonly options: StudyOptions
  readonly configOf: (member: number) => RunConfig
  /** Error and vote of a trained member, for boosting. */
  readonly weigh?: (member: number, run: string) => Promise<Pick<Member, 'error' | 'weight'>>
  /** Combines the run folders of all members. */
  readonly combine: (runs: readonly string[], members: readonly Member[]) => Promise<Combined>
}

/** The ensemble, as in the last event. */
export type Combined = Pick<EventOf<'ensemble.completed'>, 'ensemble' | 'outOfBag'>

/** @throws AttuneError `BAD_ARGUMENT` for fewer than 2 members */
export function requireMembers({ members = 10 }: MembersOptions): number {
  if (Number.isInteger(members) && members >= 2) return members
  throw new AttuneError(
    'BAD_ARGUMENT',
    `expected an integer of at least 2 for the number of members, got ${members}`,
    'Pass another number.',
  )
}

/** The reason if boosting ends with a member; undefined otherwise. */
function endOf(last: Member | undefined): string | undefined {
  if (last?.weight === 0) return `member ${last.member} is not better than chance on its training rows`
  return last?.error === 0 ? `member ${last.member} makes no error on its training rows` : undefined
}

const memberFolder = ({ folder }: Members, member: number): string => join(folder.directory, 'members', String(member))

/** Trains one member. Resolves to the reason if it was stopped, and to undefined if it completed. */
async function trainMember(
  member: number,
  given: Members,
  stops: Observable<string>,
  emit: Emit<EnsembleEvent>,
): Promise<string | undefined> {
  const directory = memberFolder(given, member)
  const step = await readyToResume(directory)
  emit({ type: 'member.started', member, members: given.members, step }, false)
  const progressed = (report: Progressed): void => emit({ ...report, type: 'member.progressed', member }, false)
  const request = { config: given.configOf(member), directory, resumes: step > 0 }
  const { values, seconds, stopped } = await runToEnd(request, given.options, stops, progressed)
  if (stopped !== undefined) return stopped
  emit({ type: 'member.completed', member, values, seconds, ...(await given.weigh?.(member, directory)) })
  return undefined
}

/** Trains the members that are not complete, and combines all of them. */
export async function trainMembers(
  given: Members,
  stops: Observable<string>,
  show: (event: EnsembleEvent) => void,
): Promise<void> {
  const { folder, members, combine } = given
  const completed: Member[] = []
  const note = (event: RunEvent): void => {
    if (event.type === 'member.completed') completed[event.member] = event
  }
  const emit = eventEmitter(folder, note, show)
  folder.events.forEach(note)
  let because: string | undefined
  const listening = stops.subscribe((reason) => (because ??= reason))
  const end = (): string | undefined => endOf(completed.at(-1))
  while (completed.length < members && because === undefined && end() === undefined)
    because = (await trainMember(completed.length, given, stops, emit)) ?? because
  listening.unsubscribe()
  const runs = completed.map(({ member }) => memberFolder(given, member))
  const isComplete = completed.length >= members || end() !== undefined
  const combined = isComplete ? await combine(runs, completed) : {}
  const { directory } = folder
  const reason = because ?? end() ?? 'finished'
  emit({ type: 'ensemble.completed', directory, members: runs.length, ...combined, because: reason }, false)
}
