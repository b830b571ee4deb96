import { isRecord } from '@attune/core'
import { formatNumber } from '@attune/terminal'
import { DATA_RULES } from './data-rules.js'
import type { Fact, Facts } from './facts.js'
import { type Rule, SUBJECTS, type Test } from './rule.js'
import { STRATEGY_RULES } from './strategy-rules.js'
import { TRAINING_RULES } from './training-rules.js'

/** Advice on one subject. */
export interface Advice {
  readonly about: string
  readonly advice: string
  readonly because: string
  readonly unless: string
  readonly source: string
  /** Settings of the configuration, by path. */
  readonly set: Readonly<Record<string, unknown>>
}

/** All rules. */
export const RULES: readonly Rule[] = [...DATA_RULES, ...STRATEGY_RULES, ...TRAINING_RULES]

/** True if a test holds; false for an unknown fact. */
function holds([name, is, value]: Test, facts: Facts): boolean {
  const fact = facts[name]
  if (fact === undefined) return false
  if (is === '=') return fact === value
  if (is === '≠') return fact !== value
  return typeof fact === 'number' && (is === '<' ? fact < Number(value) : fact >= Number(value))
}

const isFraction = (name: string): boolean => /Share$|^duplicates$/.test(name)

/** A fact in a sentence. */
function shown(name: string, fact: Fact): string {
  if (typeof fact !== 'number') return String(fact)
  return isFraction(name) ? `${(100 * fact).toFixed(fact < 0.1 ? 1 : 0)} %` : formatNumber(fact)
}

/** Replaces `{name}` by facts; an unknown one stays. */
const filled = (text: string, facts: Facts): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const fact = facts[name]
    return fact === undefined ? whole : shown(name, fact)
  })

/** Replaces `{name}` in settings by facts. */
function filledIn(value: unknown, facts: Facts): unknown {
  if (typeof value === 'string') return filled(value, facts)
  if (Array.isArray(value)) return value.map((each) => filledIn(each, facts))
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, filledIn(each, facts)]))
}

/** The first rule of each subject that holds. The advice on a subject is a fact for the later ones. */
export function adviseOn(facts: Facts, rules: readonly Rule[] = RULES): readonly Advice[] {
  let known = facts
  const found: Advice[] = []
  for (const about of SUBJECTS) {
    const rule = rules.find((each) => each.about === about && each.when.every((test) => holds(test, known)))
    if (rule === undefined) continue
    const text = (of: string): string => filled(of, known)
    const { advice, because, unless, source, set = {} } = rule
    found.push({
      about,
      advice: text(advice),
      because: text(because),
      unless: text(unless),
      source,
      set: filledIn(set, known) as Advice['set'],
    })
    known = { ...known, [about]: advice }
  }
  return found
}

/** All settings of a list of advice, by path. */
export const settingsOf = (advice: readonly Advice[]): Readonly<Record<string, unknown>> =>
  Object.assign({}, ...advice.map(({ set }) => set)) as Record<string, unknown>
