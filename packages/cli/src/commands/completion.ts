import { AttuneError } from '@attune/core'
import { Command } from 'commander'

const SHELLS = ['bash', 'zsh', 'fish']

/** Subcommands and options of each command, by its path. */
export function wordsByCommand(command: Command, path = ''): Map<string, string[]> {
  const options = command.options.flatMap(({ long }) => (long == null ? [] : [long]))
  const words = new Map([[path, [...command.commands.map((each) => each.name()), ...options, '--help']]])
  for (const each of command.commands)
    for (const [key, value] of wordsByCommand(each, `${path} ${each.name()}`.trim())) words.set(key, value)
  return words
}

const bash = (words: ReadonlyMap<string, readonly string[]>): string => {
  const cases = [...words].map(([path, next]) => `    "${path}") next="${next.join(' ')}" ;;`)
  return `_attune() {
  local typed="" next="" word
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    case "$word" in -*) ;; *) [ "\${#typed}" -gt 0 ] && typed="$typed $word" || typed="$word" ;; esac
  done
  while :; do
    case "$typed" in
${cases.join('\n')}
    esac
    { [ -n "$next" ] || [ -z "$typed" ]; } && break
    case "$typed" in *" "*) typed="\${typed% *}" ;; *) typed="" ;; esac
  done
  COMPREPLY=($(compgen -W "$next" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _attune attune`
}

/** zsh runs the bash function in its compatibility layer, where a variable `path` would be the command search path. */
const zsh = (words: ReadonlyMap<string, readonly string[]>): string =>
  `autoload -U +X bashcompinit && bashcompinit\n${bash(words)}`

const fish = (words: ReadonlyMap<string, readonly string[]>): string =>
  [...words]
    .flatMap(([path, next]) => {
      const condition = path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${path.split(' ').at(-1)}`
      return next.map((word) =>
        word.startsWith('--')
          ? `complete -c attune -n "${condition}" -l ${word.slice(2)}`
          : `complete -c attune -f -n "${condition}" -a ${word}`,
      )
    })
    .join('\n')

/** The completion script for a shell. */
export function completionScript(shell: string, program: Command): string {
  const words = wordsByCommand(program)
  if (shell === 'bash') return bash(words)
  if (shell === 'zsh') return zsh(words)
  if (shell === 'fish') return fish(words)
  throw new AttuneError('UNKNOWN_SHELL', `expected a shell, got "${shell}"`, `Name one of ${SHELLS.join(', ')}.`)
}

/** `attune completion` */
export const completionCommand = (program: Command): Command =>
  new Command('completion')
    .summary('print a completion script for a shell')
    .description('Prints a script that completes commands and options.')
    .argument('<shell>', SHELLS.join(', '))
    .addHelpText(
      'after',
      `
Examples:
  source <(npx attune completion bash)
  npx attune completion fish > ~/.config/fish/completions/attune.fish`,
    )
    .action((shell: string) => {
      process.stdout.write(`${completionScript(shell, program)}\n`)
    })
