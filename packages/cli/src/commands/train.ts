import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AttuneError, type Command as RunCommand, type RunEvent } from '@attune/core'
import { type RunConfig, type RunOptions, resume, run } from '@attune/trainer'
import { Command } from 'commander'
import { type Observable, ReplaySubject, type Subject } from 'rxjs'
import { EXIT } from '../exit-codes.js'
import { withHubModel } from '../hub-models.js'
import { placesFrom } from '../places.js'
import { readConfig, withSettings } from '../read-config.js'

interface TrainFlags {
  readonly resume?: boolean
  readonly directory?: string
  readonly seed?: string
  readonly set: readonly string[]
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory()

/** A run goes on as it was begun: what would change it is refused. */
function refuseChanges({ set, seed, directory }: TrainFlags): void {
  const given = [
    ...set.map((setting) => `--set ${setting}`),
    ...(seed === undefined ? [] : [`--seed ${seed}`]),
    ...(directory === undefined ? [] : [`--directory ${directory}`]),
  ]
  if (given.length === 0) return
  throw new AttuneError(
    'BAD_USAGE',
    `a run goes on with the configuration that it was begun with, and cannot take ${given.join(' ')}`,
    'Leave that out, or begin another run: attune train CONFIG --directory FOLDER.',
  )
}

/** The run that was asked for: a new one from a configuration file, or one that goes on. */
async function runOf(
  target: string,
  flags: TrainFlags,
  commands: Observable<RunCommand>,
): Promise<Observable<RunEvent>> {
  if (flags.resume === true || isFolder(target)) {
    refuseChanges(flags)
    return resume(resolve(target), { places: placesFrom(), commands })
  }
  const { config, folder, locate } = readConfig(target)
  const settings = [
    ...flags.set,
    ...(flags.seed === undefined ? [] : [`seed=${flags.seed}`]),
    ...(flags.directory === undefined ? [] : [`directory=${JSON.stringify(resolve(flags.directory))}`]),
  ]
  const options: RunOptions = { baseDirectory: folder, places: placesFrom(folder), commands, locate }
  return run((await withHubModel(withSettings(config, settings), folder)) as RunConfig, options)
}

/** What can be done with the model of a run that is over, as commands that work. */
function nextSteps(model: string, directory: string): string {
  const { data } = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as { data: object }
  const split = 'test' in data ? '' : ' --split validation'
  return `The model is in ${model}\nScore it:    attune evaluate ${directory}${split}\nPredict:     attune predict ${directory} "some text"\n`
}

/** Follows a run to its end. Resolves to the exit code. */
function follow(events: Observable<RunEvent>): Promise<number> {
  let directory: string | undefined
  let code: number = EXIT.done
  return new Promise((done, failed) => {
    events.subscribe({
      next(event) {
        if (event.type === 'run.started' || event.type === 'run.resumed') directory = event.directory
        if (event.type !== 'run.completed') return
        const { model, because } = event
        if (model !== undefined) process.stdout.write(nextSteps(model, directory as string))
        else if (because === CTRL_C) {
          code = EXIT.interrupted
          process.stderr.write(
            directory === undefined
              ? 'Stopped. Nothing is saved, for the configuration names no directory.\n'
              : `Stopped and saved. To go on: attune train --resume ${directory}\n`,
          )
        }
      },
      error: failed,
      complete: () => done(code),
    })
  })
}

/** Why a run ends that a signal stops. */
const CTRL_C = 'Ctrl-C'

/** Lets the first Ctrl-C stop the run at the end of the step, and the second one end the process. */
function stopOnSignal(commands: Subject<RunCommand>): () => void {
  let asked = false
  const stop = (): void => {
    if (asked) {
      process.stderr.write('\nEnded at once. The last checkpoint stands.\n')
      process.exit(EXIT.interrupted)
    }
    asked = true
    process.stderr.write('\nFinishing the step and saving; Ctrl-C again ends at once.\n')
    commands.next({ type: 'stop', because: CTRL_C })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
  }
}

const collect = (value: string, all: readonly string[]): string[] => [...all, value]

/** `attune train` */
export const trainCommand = (): Command =>
  new Command('train')
    .summary('train a model as a configuration file says')
    .description(
      'Trains a model as a YAML configuration says, or goes on with a run. Paths in the file count from its folder.',
    )
    .argument('<target>', 'the configuration file; with --resume, the folder of a run')
    .option('--resume', 'go on with the run in that folder')
    .option('--directory <folder>', 'keep the run in this folder instead of the configured one')
    .option('--seed <number>', 'use this seed instead of the configured one')
    .option('--set <key.path=value>', 'change a value of the configuration; may be given several times', collect, [])
    .addHelpText(
      'after',
      `
Examples:
  attune train config.yaml
  attune train config.yaml --set training.epochs=5 --set optimizer.weightDecay=0.1
  attune train --resume runs/debian-sections`,
    )
    .action(async (target: string, flags: TrainFlags) => {
      const commands = new ReplaySubject<RunCommand>() // a signal may come before the run is listening
      const release = stopOnSignal(commands)
      try {
        process.exitCode = await follow(await runOf(target, flags, commands))
      } finally {
        release()
      }
    })
