import {
  AttuneError,
  type Choice,
  type Distribution,
  type Space,
  type Use,
  choosePlugins,
  isAttuneError,
  nearest,
  parseConfig,
} from '@attune/core'
import { type Lookup, type RunConfig, runSchema } from '@attune/trainer/node'
import { withChoice } from './with-choice.js'

const refuse = (problems: readonly string[]): AttuneError =>
  new AttuneError(
    'BAD_SPACE',
    `the space of the study has ${problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`}:\n${problems.map((line) => `  ${line}`).join('\n')}`,
    'Correct `study.space`; `npx attune plugins info KIND NAME` shows the options of a plugin.',
  )

/** Settings that belong to the study, which a trial must not change. */
const RESERVED = ['study', 'directory', 'fold']

/** The values of a distribution to validate: every choice, or both bounds. */
const extremes = (distribution: Distribution): readonly Choice[string][] =>
  'choices' in distribution ? distribution.choices : [distribution.from, distribution.to]

const holds = (distribution: Distribution, value: unknown): boolean =>
  'choices' in distribution
    ? distribution.choices.some((each) => each === value)
    : typeof value === 'number' && value >= distribution.from && value <= distribution.to

/** Problems with the conditions of one hyperparameter. */
function conditionProblems(space: Space, path: string, { when = {} }: Distribution): string[] {
  return Object.entries(when).flatMap(([other, value]) => {
    const distribution = Object.hasOwn(space, other) ? space[other] : undefined
    if (distribution === undefined || other === path) {
      const [near] = nearest(other, Object.keys(space))
      const hint = near === undefined || near === path ? '' : ` (did you mean \`${near}\`?)`
      return [`\`${path}\`: \`when\` must name another hyperparameter of the space, got \`${other}\`${hint}`]
    }
    return holds(distribution, value)
      ? []
      : [`\`${path}\`: \`when.${other}\` is ${JSON.stringify(value)}, a value that \`${other}\` never has`]
  })
}

/**
 * Topologically sorts a space: hyperparameters named by a condition precede those that depend on them.
 * @throws AttuneError `BAD_SPACE` for conditions on unknown hyperparameters or impossible values, and for cyclic conditions
 */
export function orderSpace(space: Space): Space {
  const problems = Object.entries(space).flatMap(([path, each]) => conditionProblems(space, path, each))
  if (problems.length > 0) throw refuse(problems)
  const ordered: Record<string, Distribution> = {}
  let waiting = Object.entries(space)
  while (waiting.length > 0) {
    const ready = waiting.find(([, { when = {} }]) => Object.keys(when).every((other) => Object.hasOwn(ordered, other)))
    if (ready === undefined)
      throw refuse([`the conditions of ${waiting.map(([path]) => `\`${path}\``).join(', ')} form a cycle`])
    ordered[ready[0]] = ready[1]
    waiting = waiting.filter((each) => each !== ready)
  }
  return ordered
}

/** A choice of one value, together with the values that its conditions require. */
function choiceOf(space: Space, path: string, value: Choice[string]): Choice {
  const conditions = Object.entries(space[path]?.when ?? {})
  return { ...Object.assign({}, ...conditions.map(([other, its]) => choiceOf(space, other, its))), [path]: value }
}

/** The problem of a configuration with a choice; undefined if it is valid. */
async function problemOf(config: RunConfig, choice: Choice, top: string, lookup: Lookup): Promise<string | undefined> {
  try {
    const parsed = parseConfig(runSchema, withChoice(config, choice)) as Readonly<Record<string, unknown>>
    const isAuto = top === 'engine' && (parsed[top] as Use).plugin === 'auto'
    if (!isAuto) await choosePlugins({ [top]: parsed[top] }, lookup)
    return undefined
  } catch (error) {
    if (!isAttuneError(error)) throw error
    const { code, problem, remedy } = error
    const [, ...lines] = problem.split('\n')
    if (code === 'BAD_CONFIG') return lines.map((line) => line.trim()).join('; ')
    return `${problem}. ${remedy}`
  }
}

/**
 * Validates every path of a space, with all choices or both bounds, against the configuration and the plugins' options.
 * @throws AttuneError `BAD_SPACE` with all mistakes; unknown names come with the nearest known ones
 */
export async function checkSpace(config: RunConfig, space: Space, lookup: Lookup): Promise<void> {
  const problems: string[] = []
  for (const [path, distribution] of Object.entries(space)) {
    const [top = ''] = path.split('.')
    if (RESERVED.includes(top)) {
      problems.push(`\`${path}\` belongs to the study and cannot be a hyperparameter`)
      continue
    }
    for (const value of extremes(distribution)) {
      const problem = await problemOf(config, choiceOf(space, path, value), top, lookup)
      if (problem !== undefined) problems.push(`\`${path}\` = ${JSON.stringify(value)}: ${problem}`)
    }
  }
  if (problems.length > 0) throw refuse(problems)
}
