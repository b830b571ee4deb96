import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AttuneError, type Command as RunCommand, type RunEvent } from '@attune/core'
import { resume, run } from '@attune/trainer/node'
import { Command } from 'commander'
import { collect } from '../collect.js'
import { type Observable, Subject } from 'rxjs'
import { EXIT } from '../exit-codes.js'
import { openConfig } from '../open-config.js'
import { searchPathsFrom } from '../search-paths.js'
import { CTRL_C, stopOnSignal } from '../stop-on-signal.js'

interface TrainFlags {
  readonly resume?: boolean
  readonly acceptChanges?: boolean
  readonly acceptVersions?: boolean
  readonly trust?: boolean
  readonly directory?: string
  readonly seed?: string
  readonly set: readonly string[]
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory()

/** A run is resumed with its own configuration: flags that would change it are rejected. */
function refuseChanges({ set, seed, directory }: TrainFlags, folder: string): void {
  const given = [
    ...set.map((setting) => `--set ${setting}`),
    ...(seed === undefined ? [] : [`--seed ${seed}`]),
    ...(directory === undefined ? [] : [`--directory ${directory}`]),
  ]
  if (given.length === 0) return
  throw new AttuneError(
    'BAD_USAGE',
    `a run is resumed with the configuration that it was started with, and cannot take ${given.join(' ')}`,
    `Leave that out, or start another run: npx attune train CONFIG --directory FOLDER. To change this one, edit ${join(folder, 'config.json')} and resume with --accept-changes.`,
  )
}

/** Flags of resumed runs are rejected for a new one. */
function refuseResumeFlags({ acceptChanges, acceptVersions, trust }: TrainFlags): void {
  const flags = { '--accept-changes': acceptChanges, '--accept-versions': acceptVersions, '--trust': trust }
  const given = Object.entries(flags).flatMap(([flag, isGiven]) => (isGiven === true ? [flag] : []))
  if (given.length === 0) return
  throw new AttuneError(
    'BAD_USAGE',
    `${given.join(' and ')} belongs to a run that is resumed, and a new one is asked for`,
    'Leave it out, or name the folder of the run: npx attune train --resume FOLDER.',
  )
}

/** The requested run: a new one from a configuration file, or a resumed one. */
async function runOf(
  target: string,
  flags: TrainFlags,
  commands: Observable<RunCommand>,
): Promise<Observable<RunEvent>> {
  if (flags.resume === true || isFolder(target)) {
    refuseChanges(flags, target)
    const { acceptChanges = false, acceptVersions = false, trust = false } = flags
    return resume(resolve(target), { searchPaths: searchPathsFrom(), commands, acceptChanges, acceptVersions, trust })
  }
  refuseResumeFlags(flags)
  const settings = [
    ...flags.set,
    ...(flags.seed === undefined ? [] : [`seed=${flags.seed}`]),
    ...(flags.directory === undefined ? [] : [`directory=${JSON.stringify(resolve(flags.directory))}`]),
  ]
  const { whole, options } = await openConfig(target, settings)
  return run(whole, { ...options, commands })
}

/** The part of a saved model's configuration that shows if it generates text. */
interface Saved {
  readonly architectures?: readonly unknown[]
  /** The parts of the tasks of a multi-task model, by name. */
  readonly tasks?: Readonly<Record<string, Saved>>
}

/** The next command for a model, or for a task of it. */
function useOf({ architectures = [] }: Saved, directory: string, task = ''): string {
  const generates = /(ForCausalLM|LMHeadModel|ForConditionalGeneration)$/.test(String(architectures[0]))
  const use = generates ? 'Generate:    npx attune generate' : 'Predict:     npx attune predict'
  return `${use} ${directory}${task === '' ? '' : ` --task ${task}`} "some text"\n`
}

/** Next commands for the model of a finished run. */
function nextSteps(model: string, directory: string): string {
  const { data } = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as { data: object }
  const split = 'test' in data ? '' : ' --split validation'
  const saved = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')) as Saved
  const uses =
    saved.tasks === undefined
      ? [useOf(saved, directory)]
      : Object.entries(saved.tasks).map(([task, own]) => useOf(own, directory, task))
  return `The model is in ${model}\nEvaluate:    npx attune evaluate ${directory}${split}\n${uses.join('')}`
}

/**
 * Runs to the end. Signals keep their default effect until the run has begun, since there is nothing to save before.
 * Resolves to the exit code.
 */
function follow(events: Observable<RunEvent>, commands: Subject<RunCommand>): Promise<number> {
  let release = (): void => undefined
  let directory: string | undefined
  let code: number = EXIT.done
  return new Promise<number>((done, failed) => {
    events.subscribe({
      next(event) {
        if (event.type === 'run.started' || event.type === 'run.resumed') {
          directory = event.directory
          release = stopOnSignal(commands, 'Finishing the step and saving')
          showAccepted(event.accepted)
        }
        if (event.type !== 'run.completed') return
        const { model, because } = event
        if (model !== undefined) process.stdout.write(nextSteps(model, directory as string))
        else if (because === CTRL_C) {
          code = EXIT.interrupted
          process.stderr.write(
            directory === undefined
              ? 'Stopped. Nothing was saved, because the configuration has no `directory`.\n'
              : `Stopped and saved. Resume with: npx attune train --resume ${directory}\n`,
          )
        } else if (directory !== undefined) {
          code = EXIT.unexpected
          process.stderr.write(`The run ended without a model: ${because}\n`)
        }
      },
      error: failed,
      complete: () => done(code),
    })
  }).finally(() => release())
}

/** Prints on stderr the changes that the user accepted on resume. */
const showAccepted = (accepted: readonly string[] = []): void => {
  for (const change of accepted) process.stderr.write(`accepted: ${change}\n`)
}

/** `attune train` */
export const trainCommand = (): Command =>
  new Command('train')
    .summary('train a model from a configuration file')
    .description(
      'Trains a model from a YAML configuration, or resumes a run. Paths in the file are relative to its folder.',
    )
    .argument('<target>', 'configuration file; with --resume, folder of a run')
    .option('--resume', 'resume the run in that folder')
    .option('--accept-changes', 'resume even if settings or inputs have changed since the start of the run')
    .option('--accept-versions', 'resume even if versions of plugins have changed since the start of the run')
    .option('--trust', 'load plugins that the run names by a path')
    .option('--directory <folder>', 'folder of the run, instead of the configured one')
    .option('--seed <number>', 'random seed, instead of the configured one')
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .addHelpText(
      'after',
      `
Examples:
  npx attune train config.yaml
  npx attune train config.yaml --set training.epochs=5 --set optimizer.weightDecay=0.1
  npx attune train --resume runs/debian-sections`,
    )
    .action(async (target: string, flags: TrainFlags) => {
      const commands = new Subject<RunCommand>()
      process.exitCode = await follow(await runOf(target, flags, commands), commands)
    })
