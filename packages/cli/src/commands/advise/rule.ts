import type { Fact } from './facts.js'

/** A test of one fact. A test of an unknown fact fails. */
export type Test = readonly [fact: string, is: '<' | '≥' | '=' | '≠', value: Fact]

/** Advice under conditions. `{name}` in its texts is replaced by a fact. */
export interface Rule {
  /** Subject of the advice; also a fact for the rules of later subjects. */
  readonly about: string
  /** Conditions, which must all hold. */
  readonly when: readonly Test[]
  readonly advice: string
  readonly because: string
  /** Change of the facts that would change the advice. */
  readonly unless: string
  readonly source: string
  /** Settings of the configuration, by path. */
  readonly set?: Readonly<Record<string, unknown>>
}

/** Subjects in the order in which they are decided. */
export const SUBJECTS = [
  'objective', 'data', 'evaluation', 'strategy', 'adapter', 'loss', 'metrics', 'optimizer',
  'epochs', 'learning rate', 'schedule', 'length', 'language', 'memory', 'time',
] as const // prettier-ignore
