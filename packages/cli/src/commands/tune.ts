import { join, resolve } from 'node:path'
import type { Goal, Command as RunCommand, Trial } from '@attune/core'
import { type StudyConfig, type StudyEvent, study } from '@attune/study'
import { formatDuration, formatNumber } from '@attune/terminal'
import { Command } from 'commander'
import { collect } from '../collect.js'
import { Subject } from 'rxjs'
import { type Display, followRuns } from '../follow-runs.js'
import { withHubModel } from '../hub-models.js'
import { type Screen, liveText } from '../live-text.js'
import { searchPathsFrom } from '../search-paths.js'
import { locateSettings } from '../locate-settings.js'
import { readConfig, withSettings } from '../read-config.js'
import { type Position, progressLine, trainLine, trialsTable } from '../study-text.js'

interface TuneFlags {
  readonly trials?: string
  readonly parallel?: string
  readonly directory?: string
  readonly json?: boolean
  readonly set: readonly string[]
}

type Started = Extract<StudyEvent, { type: 'study.started' }>

/** One line per event of a trial, for output that is not a terminal. */
function lineOf(event: StudyEvent, goals: readonly Goal[]): string | undefined {
  switch (event.type) {
    case 'trial.started': {
      const choice = Object.entries(event.choice).map(([path, value]) => `${path}=${value}`)
      return `trial ${event.trial} started: ${choice.join(' ')}`
    }
    case 'trial.resumed':
      return `trial ${event.trial} ${event.step === 0 ? 'runs again' : `goes on from step ${event.step}`}`
    case 'trial.completed': {
      const values = event.scores.at(-1)?.values ?? {}
      const scores = goals.map(({ score }) => `${score} ${formatNumber(values[score] ?? NaN)}`)
      const because = event.because === undefined ? '' : `: ${event.because}`
      return `trial ${event.trial} ${event.state} after ${formatDuration(event.seconds)}, ${scores.join(', ')}${because}`
    }
    default:
      return undefined
  }
}

/** Prints the events of a study. */
export function showStudy(screen: Screen): Display<StudyEvent> {
  const live = liveText(screen)
  const positions = new Map<number, Position>()
  const trials = new Map<number, Trial>()
  let settings: Started | undefined
  const change = (id: number, part: Partial<Trial>): void =>
    void trials.set(id, { ...(trials.get(id) as Trial), ...part })
  const note = (event: StudyEvent): void => {
    if (event.type === 'study.started') {
      settings = event
      for (const trial of event.earlier) trials.set(trial.id, trial)
    }
    if (event.type === 'trial.started')
      change(event.trial, { id: event.trial, choice: event.choice, scores: [], seconds: 0, state: 'running' })
    if (event.type === 'trial.resumed') change(event.trial, { state: 'running' })
    if (event.type === 'trial.progressed') positions.set(event.trial, event)
    if (event.type === 'trial.scored') change(event.trial, { scores: [event] })
    if (event.type === 'trial.completed') change(event.trial, { state: event.state, seconds: event.seconds })
  }
  return {
    show(event) {
      note(event)
      if (settings === undefined || event.type === 'study.completed') return
      const { goals, trials: count, parallel } = settings
      const all = [...trials.values()]
      if (screen.isTTY === true) live.draw([...trialsTable(all, goals, positions), progressLine(all, count, parallel)])
      const line = screen.isTTY === true ? undefined : lineOf(event, goals)
      if (line !== undefined) screen.write(`${line}\n`)
    },
    clear: live.clear,
  }
}

/** Table of a finished study, and the command that trains with its best choice. */
export function studyText(
  { trials, best }: Pick<Extract<StudyEvent, { type: 'study.completed' }>, 'trials' | 'best'>,
  { goals, directory }: Pick<Started, 'goals' | 'directory'>,
  config: string,
): string {
  const lines = best.flatMap((id) => {
    const trial = trials.find((each) => each.id === id) as Trial
    const model = join(directory, 'trials', String(id), 'model')
    const train = trainLine(config, trial.choice, join(directory, `best-${id}`))
    return ['', `Best: trial ${id}; its model is in ${model}`, `Train it again: ${train}`]
  })
  const none = best.length === 0 ? ['', 'No trial completed with a score for the objective.'] : []
  return [...trialsTable(trials, goals), ...lines, ...none].join('\n')
}

/** `attune tune` */
export const tuneCommand = (): Command =>
  new Command('tune')
    .summary('search hyperparameters')
    .description(
      'Trains with different hyperparameters in each trial, as `study` in a configuration defines, and shows the best. The same command resumes an interrupted study.',
    )
    .argument('<config>', 'configuration file with a `study`')
    .option('--trials <number>', 'number of trials, instead of the configured one')
    .option('--parallel <number>', 'number of trials to run at once, each in its own process')
    .option('--directory <folder>', 'folder of the study, instead of the configured one')
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  npx attune tune study.yaml\n  npx attune tune study.yaml --trials 50 --parallel 4',
    )
    .action(async (target: string, flags: TuneFlags) => {
      const { config, folder, locate } = readConfig(target)
      const settings = [
        ...flags.set,
        ...(flags.trials === undefined ? [] : [`study.trials=${flags.trials}`]),
        ...(flags.parallel === undefined ? [] : [`study.parallel=${flags.parallel}`]),
        ...(flags.directory === undefined ? [] : [`study.directory=${JSON.stringify(resolve(flags.directory))}`]),
      ]
      const whole = (await withHubModel(withSettings(config, settings), folder)) as unknown as StudyConfig
      const commands = new Subject<RunCommand>()
      const events = study(whole, {
        baseDirectory: folder,
        searchPaths: searchPathsFrom(folder),
        locate: locateSettings(locate, settings, config),
        commands,
      })
      let started: Started | undefined
      process.exitCode = await followRuns(events, commands, showStudy(process.stderr), (event) => {
        if (event.type === 'study.started') started = event
        if (started === undefined || event.type !== 'study.completed') return undefined
        const text = flags.json === true ? JSON.stringify(event) : studyText(event, started, target)
        return { because: event.because, text, whenStopped: true }
      })
    })
