import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { adapterCommand } from './commands/adapter.js'
import { adviseCommand } from './commands/advise/advise.js'
import { chatCommand } from './commands/chat.js'
import { completionCommand } from './commands/completion.js'
import { crossValidateCommand } from './commands/cross-validate.js'
import { dataCommand } from './commands/data/data.js'
import { doctorCommand } from './commands/doctor.js'
import { downloadCommand } from './commands/download.js'
import { ensembleCommand } from './commands/ensemble.js'
import { evaluateCommand } from './commands/evaluate.js'
import { exportCommand } from './commands/export.js'
import { explainCommand } from './commands/explain.js'
import { generateCommand } from './commands/generate.js'
import { initCommand } from './commands/init/init.js'
import { bagCommand, boostCommand } from './commands/members.js'
import { planCommand } from './commands/plan.js'
import { plotCommand } from './commands/plot.js'
import { pluginsCommand } from './commands/plugins.js'
import { predictCommand } from './commands/predict.js'
import { scoreCommand } from './commands/score.js'
import { selectCommand } from './commands/select/select.js'
import { tasksCommand } from './commands/tasks.js'
import { selfTrainCommand } from './commands/self-train.js'
import { trainCommand } from './commands/train.js'
import { tuneCommand } from './commands/tune.js'
import { uploadCommand } from './commands/upload.js'
import { exitCodesText } from './exit-codes.js'

const version = (): string =>
  String(
    (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: unknown }).version,
  )

/** The commands in the order of the help. */
const commandsOf = (program: Command): Command[] => [
  dataCommand(),
  adviseCommand(),
  planCommand(),
  plotCommand(),
  tasksCommand(),
  trainCommand(),
  tuneCommand(),
  crossValidateCommand(),
  evaluateCommand(),
  predictCommand(),
  scoreCommand(),
  selectCommand(),
  selfTrainCommand(),
  bagCommand(),
  boostCommand(),
  ensembleCommand(),
  generateCommand(),
  chatCommand(),
  downloadCommand(),
  uploadCommand(),
  exportCommand(),
  adapterCommand(),
  pluginsCommand(),
  initCommand(),
  doctorCommand(),
  explainCommand(),
  completionCommand(program),
]

/** The command-line program. */
export function buildProgram(): Command {
  const program = new Command('attune')
    .description('Fine-tunes language models.')
    .version(version())
    .showSuggestionAfterError()
    .showHelpAfterError('Add --help for the usage and examples.')
    .addHelpText(
      'after',
      `\n${exitCodesText}\n\nExample:\n  npx attune init --data reviews.csv && npx attune train attune.yaml`,
    )
  for (const command of commandsOf(program)) program.addCommand(command)
  return program
}
